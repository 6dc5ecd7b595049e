"""The attempts at a ticket: their items, in order of arrival, and their figures.

Only the fold (`transcript`, `calls`) writes them; all others read.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from lfgtui.errors import ErrorKind
from lfgtui.model.events import Citation, PlanStep, StopReason, Usage
from lfgtui.model.fold.items import (
    HostedItem,
    Item,
    NoteItem,
    PlanItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.fold.states import State
from lfgtui.model.fold.tokens import TokenCount
from lfgtui.text.figures import model_name

FULL = 0.8
"""Share of the context from which the person is warned that it is nearly full."""

FULL_CONTEXT = "context"
"""The `guard` of the `GuardTripped` with that warning; histories hold it."""

_Text = TypeVar("_Text", TextItem, ReasoningItem)


class AttemptError(msgspec.Struct, frozen=True):
    """Why an attempt failed. `retryable`: another attempt may succeed."""

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
        """Return the totals with those of one more response."""
        cost = self.cost if usage.cost is None else (self.cost or 0.0) + usage.cost
        return UsageTotals(
            self.input + usage.input, self.output + usage.output, self.cached + usage.cached, cost
        )


class Attempt(msgspec.Struct):
    """One attempt: the first, a retry, failover or resume. Partial text included.

    Times are in seconds since the epoch. `connect`, `first_byte` and `ttft` are seconds of the
    first response: to open its connection, and from its request to its head and to its content.
    `streaming_seconds` is the time of all responses, without that of tools. `usage` counts all
    finished turns and the running one's last report; `context` is the tokens of the last response
    alone, with its request, and `context_size` how many the model or the agent can hold, 0 if
    unknown. `answers_reused` is the number of responses that came from the history.
    `is_cost_estimate`: a part of the cost is from lfg's own table of prices. `tokens` are output
    tokens. `open_citations` become a `SourcesItem` when the response ends.
    `is_context_remarked`: the warning of a full context was given (`FULL_CONTEXT`).
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
    is_cost_estimate: bool = False
    context: int = 0
    context_size: int = 0
    is_context_remarked: bool = False
    answers_reused: int = 0
    _is_agents_context: bool = False  # the agent reports `context`, so `set_usage` leaves it alone
    tokens: TokenCount = msgspec.field(default_factory=TokenCount)
    connect: float | None = None
    first_byte: float | None = None
    ttft: float | None = None
    streaming_seconds: float = 0.0
    _finished_usage: UsageTotals = UsageTotals()  # without the running response
    open_citations: list[Citation] = msgspec.field(default_factory=list)
    _request_sent_at: float | None = None
    _first_content_at: float | None = None  # since when `streaming_seconds` is to count
    _is_reused: bool = False
    _calls_at_work: set[str] = msgspec.field(default_factory=set)  # within the response
    _notes: list[NoteItem] = msgspec.field(default_factory=list)  # to be added after the open text

    @property
    def route(self) -> str:
        """The provider and the model, for people."""
        return model_name(self.provider, self.model)

    @property
    def context_share(self) -> float | None:
        """The part of the context that is used, from 0 to 1; None where its size is not known."""
        return self.context / self.context_size if self.context_size > 0 else None

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
        """The citations: each source once for each response, then all of the running response."""
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
        """Output tokens per second of streaming, without the time of tools; None before any."""
        tokens, _ = self.tokens.total
        if not tokens or self.streaming_seconds <= 0:
            return None
        return tokens / self.streaming_seconds

    # Written by the fold

    def begin_response(self, at: float) -> None:
        """Begin the response to a request that was sent."""
        self._request_sent_at, self._first_content_at = at, None
        self._is_reused = False

    def reuse_answer(self, tokens: int) -> None:
        """Begin an answer from the history: it takes no time, and its tokens cost nothing here."""
        self._request_sent_at = self._first_content_at = None
        self._is_reused = True
        self.answers_reused += 1
        self.context = tokens or self.context

    def note_head(self, at: float, connect: float | None) -> None:
        """Note that the response to a request began, so far without content.

        `connect`: seconds that its connection took to open, None for one that was open.
        """
        if self.first_byte is None and self._request_sent_at is not None:
            self.first_byte, self.connect = at - self._request_sent_at, connect

    def stream(self, at: float, characters: int = 0) -> None:
        """Note that content came; `characters` are those that the model generated."""
        if self._is_reused:
            return
        self.tokens.stream(characters)
        if self._first_content_at is None:
            self._first_content_at = at
            if self.ttft is None and self._request_sent_at is not None:
                self.ttft = at - self._request_sent_at

    def begin_call(self, at: float, call_id: str) -> None:
        """Stop counting streaming time, for a call within the response.

        It counts again from the next content, or once no such call is at work.
        """
        self._calls_at_work.add(call_id)
        self._pause_streaming(at)

    def end_call(self, at: float, call_id: str) -> None:
        """Note the end of a call; once none within the response is at work, time counts again."""
        if call_id in self._calls_at_work:
            self._calls_at_work.discard(call_id)
            is_streaming = self.ttft is not None and not self._calls_at_work
            if is_streaming and self._first_content_at is None:
                self._first_content_at = at

    def _pause_streaming(self, at: float) -> None:
        """Stop counting streaming time until content comes."""
        if self._first_content_at is not None:
            self.streaming_seconds += at - self._first_content_at
            self._first_content_at = None

    def set_usage(self, usage: Usage) -> None:
        """Add the running response's usage to the totals, in place of its earlier report."""
        self.usage = self._finished_usage.plus(usage)
        self.is_cost_estimate = self.is_cost_estimate or bool(usage.price_date)
        self.tokens.report(usage.output)
        if not self._is_agents_context and usage.input:
            self.context = usage.input + usage.output

    def set_context(self, used: int, size: int) -> None:
        """Set the context to what the agent reports, in tokens."""
        self.context, self.context_size = used, size
        self._is_agents_context = True

    def plan(self, steps: tuple[PlanStep, ...]) -> None:
        """Add the plan as an item, or change the item that this response already has."""
        plans = [i for i in self.items if isinstance(i, PlanItem) and not i.closed]
        if plans:
            plans[-1].steps, plans[-1].revision = steps, plans[-1].revision + 1
        else:
            self.add(PlanItem(steps))

    def add(self, item: Item) -> None:
        """Add an item, which closes an open text before it.

        But a note in the middle of the answer is added once that text is closed, since it would cut
        a list or a table in two.
        """
        last = self.items[-1] if self.items else None
        if isinstance(item, NoteItem) and isinstance(last, TextItem) and not last.closed:
            self._notes.append(item)
            return
        self._close_last()
        self.items.append(item)

    def open_text(self, kind: type[_Text]) -> _Text:
        """Return the open text of that kind, or begin one."""
        last = self.items[-1] if self.items else None
        if isinstance(last, kind) and not last.closed:
            return last
        item = kind()
        self.add(item)
        return item

    def close_response(self, at: float, *, is_finished: bool = False) -> None:
        """End the running response, if there is one."""
        self.tokens.close(is_finished=is_finished)
        self._pause_streaming(at)
        self._calls_at_work.clear()
        self._finished_usage = self.usage
        for item in self.items:
            if isinstance(item, HostedItem | PlanItem) and not item.closed:
                item.closed, item.revision = True, item.revision + 1
            elif isinstance(item, ToolItem) and item.ends_with_response:
                item.stop()
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
            call.stop()

    def _close_last(self) -> None:
        """Close the last item: nothing can be added to a text or a text-borne call any more."""
        match self.items[-1] if self.items else None:
            case TextItem() | ReasoningItem() as last:
                last.closed = True
                last.revision += 1
                self.items += self._notes
                self._notes.clear()
            case ToolItem(is_text_borne=True, state="arriving") as call:
                call.state, call.revision = "written", call.revision + 1
            case _:
                pass


def cached_share(attempts: Iterable[Attempt]) -> float | None:
    """Return the share of input tokens that providers read from their caches; None without any."""
    usages = [one.usage for one in attempts]
    sent, cached = sum(one.input for one in usages), sum(one.cached for one in usages)
    return min(1.0, cached / sent) if cached and sent else None


def cost_of(attempts: Iterable[Attempt]) -> tuple[float | None, bool]:
    """Return the cost of the attempts in USD, None if unknown, and whether it is estimated."""
    known = [one for one in attempts if one.usage.cost is not None]
    costs = [one.usage.cost or 0.0 for one in known]
    return sum(costs) if costs else None, any(one.is_cost_estimate for one in known)
