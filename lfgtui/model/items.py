"""The attempts at a ticket and their items, in order of arrival.

Items grow in place while a stream runs; `revision` moves with every change, so a painter knows
what it can keep. They are written by the fold alone.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias, TypeVar

import msgspec

from lfgtui.errors import ErrorKind
from lfgtui.model.events import Citation, StopReason, ToolArguments, Usage
from lfgtui.model.states import State
from lfgtui.model.tickets import ApprovalRule
from lfgtui.model.tokens import TokenCount
from lfgtui.text.figures import model_name
from lfgtui.text.growing_text import Growing

SHOWN = 50_000
"""Characters at the end of a text among which a card finds the rows that it shows."""


class StreamedText(msgspec.Struct):
    """A text that streams in. `closed` once nothing more can be added to it."""

    revision: int = 0
    closed: bool = False
    source: Growing = msgspec.field(default_factory=Growing)

    @property
    def text(self) -> str:
        return str(self.source)

    def append(self, text: str) -> None:
        self.source.append(text)
        self.revision += 1


class TextItem(StreamedText):
    """A run of the visible answer."""


class ReasoningItem(StreamedText):
    """A run of the model's thinking; `seconds` from its first piece to its last."""

    started_at: float = 0.0
    seconds: float = 0.0


class LiveOutput(Growing):
    """Output as it is printed."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        super().__init__()
        self._lines = 0

    def append(self, text: str) -> None:
        super().append(text)
        self._lines += text.count("\n")

    @property
    def end(self) -> tuple[str, int]:
        """As much of the end as a card may show, and the count of lines before it."""
        end = self.since(max(0, len(self) - SHOWN))
        return end, self._lines - end.count("\n")


ToolState = Literal[
    "arriving", "requested", "needs_approval", "running", "finished", "stopped", "written"
]


NOT_RUN = "not run"
"""The error of a call that never began."""


class ToolItem(msgspec.Struct):
    """One tool call: requested, perhaps approved, run, finished.

    `stopped` is a call that its attempt did not live to see the end of; an
    attempt that takes it up has an item of its own for it. A call
    that stood in the answer's text is never run: it ends as `written`.

    `arguments` is None until the call is complete; `json` is what has arrived
    of them. `live` is what it printed while running, `output` what the model
    got in the end. `approval` is the one-line summary in the request for approval, `diff` what
    the call would change in its file, as it was then. `rule` is the one that it was approved by,
    `grants` the one that the person gave with its approval.
    """

    call_id: str
    name: str
    state: ToolState = "arriving"
    arguments: ToolArguments | None = None
    approval: str | None = None
    diff: str = ""
    path: str = ""
    rule: ApprovalRule | None = None
    grants: ApprovalRule | None = None
    is_decided: bool = False
    denied: bool = False
    output: str = ""
    error: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    started_at: float | None = None
    is_text_borne: bool = False
    revision: int = 0
    json: Growing = msgspec.field(default_factory=Growing)
    live: LiveOutput = msgspec.field(default_factory=LiveOutput)

    @property
    def is_unrun(self) -> bool:
        """True if the call was answered without having begun."""
        return self.state == "finished" and self.error == NOT_RUN

    @property
    def rule_in_words(self) -> str:
        """The rule that approved the call, or that was given with its approval; "" if none."""
        if self.rule is not None:
            return f"approved by your rule: {self.rule.description}"
        if self.grants is None:
            return ""
        where = "in all tickets of the run" if self.grants.scope == "run" else "in this ticket"
        if self.grants.scope == "run" and self.grants.is_of_workspace:
            where += " in the same workspace"
        return f"approved from here on, {where}: {self.grants.description}"

    @property
    def given(self) -> ToolArguments:
        """The arguments, or what has arrived of them."""
        return str(self.json) if self.arguments is None else self.arguments

    @property
    def arguments_end(self) -> str:
        """The end of the arguments so far, as much as a card may show."""
        return self.json.since(max(0, len(self.json) - SHOWN))


class HostedItem(msgspec.Struct):
    """A tool that ran on the provider's side; `output` is empty until it ended.

    `closed` once the response that made the call is over: its output may then only come with
    another response.
    """

    name: str
    input: str
    output: str
    call_id: str = ""
    closed: bool = False
    revision: int = 0
    live: LiveOutput = msgspec.field(default_factory=LiveOutput)


class SourcesItem(msgspec.Struct):
    """Citations of one response, each source once."""

    citations: tuple[Citation, ...]
    revision: int = 0


class PromptItem(msgspec.Struct):
    """A message to the model; `own` is its text without the answers of the tickets it `needs`.

    `is_said` if a person said it while the ticket was at work.
    """

    text: str
    own: str
    needs: tuple[str, ...] = ()
    is_said: bool = False
    revision: int = 0


NoteKind = Literal["status", "retry", "warning", "error", "end"]


class NoteItem(msgspec.Struct):
    """A line of lfg's own: a retry, a pause, a conflict, how it ended."""

    kind: NoteKind
    message: str
    revision: int = 0


Item: TypeAlias = (
    TextItem | ReasoningItem | ToolItem | HostedItem | SourcesItem | PromptItem | NoteItem
)
_Text = TypeVar("_Text", TextItem, ReasoningItem)


class AttemptError(msgspec.Struct, frozen=True):
    """Why an attempt broke."""

    kind: ErrorKind
    message: str
    retryable: bool


class UsageTotals(msgspec.Struct, frozen=True):
    """Tokens as the provider counts them, and their price in USD where known.

    Of a response that did not finish, `output` may be less than streamed: see `TokenCount`.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cost: float | None = None

    def plus(self, usage: Usage) -> "UsageTotals":
        cost = self.cost if usage.cost is None else (self.cost or 0.0) + usage.cost
        return UsageTotals(
            self.input + usage.input, self.output + usage.output, self.cached + usage.cached, cost
        )


class Attempt(msgspec.Struct):
    """One try: first, retry, failover or resume. Partial text included.

    `usage` counts all finished turns and the running one's last report; `context` is the tokens
    of that response alone, with all that was sent for it.
    """

    number: int
    provider: str
    model: str
    continues: bool
    started_at: float
    keeps_partial: bool = False
    ended_at: float | None = None
    state: State = "starting"
    items: list[Item] = msgspec.field(default_factory=list)
    stop_reason: StopReason | None = None
    error: AttemptError | None = None
    usage: UsageTotals = UsageTotals()
    context: int = 0
    tokens: TokenCount = msgspec.field(default_factory=TokenCount)
    first_byte: float | None = None
    ttft: float | None = None
    streaming_seconds: float = 0.0
    _finished_usage: UsageTotals = UsageTotals()
    open_citations: list[Citation] = msgspec.field(default_factory=list)
    _request_sent_at: float | None = None
    _first_content_at: float | None = None

    @property
    def route(self) -> str:
        """The provider and the model, for people."""
        return model_name(self.provider, self.model)

    @property
    def text(self) -> str:
        """Exactly the visible answer: all visible text, joined with nothing between."""
        return "".join(item.text for item in self.items if isinstance(item, TextItem))

    @property
    def reasoning(self) -> str:
        """All of the model's thinking, joined with nothing between."""
        return "".join(item.text for item in self.items if isinstance(item, ReasoningItem))

    @property
    def citations(self) -> list[Citation]:
        """Citations: each source once a response, then those of the running one."""
        sources = (item for item in self.items if isinstance(item, SourcesItem))
        return [*(c for item in sources for c in item.citations), *self.open_citations]

    @property
    def is_answered(self) -> bool:
        """True once content came or a response ended."""
        return self.ttft is not None or self.stop_reason is not None

    @property
    def tools(self) -> Iterator[ToolItem]:
        """The tool calls, in order."""
        return (item for item in self.items if isinstance(item, ToolItem))

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens over streaming time, tool time left out; None before any."""
        tokens, _ = self.tokens.total
        if not tokens or self.streaming_seconds <= 0:
            return None
        return tokens / self.streaming_seconds

    # Written by the fold

    def begin_response(self, at: float) -> None:
        """Begin the response to a request that was sent."""
        self._request_sent_at, self._first_content_at = at, None

    def answer(self, at: float) -> None:
        """Note that the response to a request came, so far without content."""
        if self.first_byte is None and self._request_sent_at is not None:
            self.first_byte = at - self._request_sent_at

    def stream(self, at: float, characters: int = 0) -> None:
        """Note that content came, and how many characters of it from the model."""
        self.tokens.stream(characters)
        if self._first_content_at is None:
            self._first_content_at = at
            if self.ttft is None and self._request_sent_at is not None:
                self.ttft = at - self._request_sent_at

    def count(self, usage: Usage) -> None:
        """Take the running response's usage, in place of what it reported before."""
        self.usage = self._finished_usage.plus(usage)
        self.tokens.report(usage.output)
        self.context = usage.input + usage.output

    def add(self, item: Item) -> None:
        """Add an item; nothing more goes to the one before."""
        self._close_last()
        self.items.append(item)

    def open_text(self, kind: type[_Text]) -> _Text:
        """Return the text of that kind that goes on, or begin one."""
        last = self.items[-1] if self.items else None
        if isinstance(last, kind) and not last.closed:
            return last
        item = kind()
        self.add(item)
        return item

    def close_response(self, at: float, *, is_finished: bool = False) -> None:
        """End the running response, if there is one."""
        self.tokens.close(is_finished=is_finished)
        if self._first_content_at is not None:
            self.streaming_seconds += at - self._first_content_at
            self._first_content_at = None
        self._finished_usage = self.usage
        for item in self.items:
            if isinstance(item, HostedItem) and not item.closed:
                item.closed, item.revision = True, item.revision + 1
        sources: dict[str, Citation] = {}
        for citation in self.open_citations:
            sources.setdefault(citation.url or citation.title or citation.quote, citation)
        self.open_citations.clear()
        if sources:
            self.add(SourcesItem(tuple(sources.values())))
        self._close_last()

    def end(self, at: float) -> None:
        """End the attempt, with the calls that have not ended."""
        self.ended_at = at
        self.close_response(at)
        for call in self.tools:
            if call.state not in ("finished", "written"):
                call.state, call.revision = "stopped", call.revision + 1

    def _close_last(self) -> None:
        match self.items[-1] if self.items else None:
            case TextItem() | ReasoningItem() as last:
                last.closed = True
                last.revision += 1
            case ToolItem(is_text_borne=True, state="arriving") as call:
                call.state, call.revision = "written", call.revision + 1
            case _:
                pass
