"""The items of an attempt at a ticket.

Items grow in place while a stream runs. Every change raises the item's `revision`, by which the
screen knows what to draw again. Only the fold writes them. A new item needs a view in `ui/items`
and a case in the exports.
"""

from typing import Literal, TypeAlias

import msgspec

from lfgtui.model.call_summary import BULK, call_summary, seen_from
from lfgtui.model.events import (
    ApprovalOption,
    Citation,
    PlanStep,
    ToolArguments,
)
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.context import ContextFile, in_words
from lfgtui.text.growing_text import Growing

SHOWN = 50_000
"""Characters at the end of an output or of arguments that a card shows at most."""


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
    """Output as a tool prints it; only its end is shown."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        super().__init__()
        self._lines = 0

    def append(self, text: str) -> None:
        super().append(text)
        self._lines += text.count("\n")

    @property
    def end(self) -> tuple[str, int]:
        """As much of the end as a card may show, and the number of lines before it."""
        end = self.since(max(0, len(self) - SHOWN))
        return end, self._lines - end.count("\n")


ToolState = Literal[
    "arriving", "requested", "needs_approval", "running", "finished", "stopped", "written"
]

# Histories hold these three texts, so they cannot change.

COMPACT = "compact_context"
"""The tool's name in lfg's own question whether old tool output may be left out of the requests,
and the beginning of this question's call ids."""

NOT_RUN = "not run"
"""The `error` of a call that never began."""

SETUP = "setup"
"""The call id of a ticket's `setup` command (`SetupStarted`)."""


class ToolItem(msgspec.Struct):
    """One tool call: requested, perhaps approved, run, finished.

    `stopped` is a call whose attempt ended before it did; if a later attempt continues the
    call, it has an item of its own. A call that was markup in the answer's text
    (`is_text_borne`) is never run: it ends as `written`.

    `arguments` is None until the call is complete; `json` is the part of them that has arrived.
    `live` is the output while running, `output` what the model got in the end, `seconds` how long
    that took; `started_at` is in seconds since the epoch. An agent runs its calls itself
    (`is_agent_call`); `changes` are diffs by path, as the agent reports them.

    `approval` is the one-line summary in the last request for approval, None if there was none;
    `diff`, `path`, `options`, `sandbox`, `definition` and `reason` are those of the request (see
    `ApprovalRequested`), `option` is the name of the agent's option that was chosen. `rule` is the
    one that approved the call, `grants` the one that the person gave with the approval.
    `is_decided` and `denied` are the decision, `asked` is how often approval was requested. The
    keys of the screen decide on the call that `is_next`.

    The line of a call shows paths relative to the `workspace`.
    """

    call_id: str
    name: str
    state: ToolState = "arriving"
    arguments: ToolArguments | None = None
    approval: str | None = None
    diff: str = ""
    path: str = ""
    definition: str = ""
    rule: ApprovalRule | None = None
    grants: ApprovalRule | None = None
    is_decided: bool = False
    denied: bool = False
    reason: str = ""
    output: str = ""
    error: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    started_at: float | None = None
    is_text_borne: bool = False
    is_agent_call: bool = False
    options: tuple[ApprovalOption, ...] = ()
    option: str = ""
    changes: dict[str, str] = {}
    sandbox: str = ""
    asked: int = 0
    is_next: bool = False
    revision: int = 0
    workspace: str = ""
    json: Growing = msgspec.field(default_factory=Growing)
    live: LiveOutput = msgspec.field(default_factory=LiveOutput)

    def stop(self) -> None:
        """End the call, unless it has ended."""
        if self.state not in ("finished", "written", "stopped"):
            self.state, self.revision = "stopped", self.revision + 1

    @property
    def ends_with_response(self) -> bool:
        """True for a call that `stops` when the response ends: an agent's, or one cut off."""
        return self.is_agent_call or (self.state == "arriving" and not self.is_text_borne)

    @property
    def is_at_work(self) -> bool:
        """True while it runs; for an agent's call from its request on, as not all report more."""
        return self.state == "running" or (self.is_agent_call and self.state == "requested")

    @property
    def is_unfinished_setup(self) -> bool:
        """True for the setup of a worktree that has not succeeded yet."""
        return self.call_id == SETUP and self.exit_code != 0

    @property
    def is_unrun(self) -> bool:
        """True if the call has a result although it never began."""
        return self.state == "finished" and self.error == NOT_RUN

    @property
    def rule_in_words(self) -> str:
        """The rule that approved the call, or that its approval granted; "" if none."""
        if self.rule is not None:
            return f"approved by your rule: {self.rule.description}"
        if self.grants is None:
            return ""
        where = "in all tickets of the run" if self.grants.scope == "run" else "in this ticket"
        if self.grants.scope == "run" and self.grants.is_of_workspace:
            where += " in the same workspace"
        return f"approved from here on, {where}: {self.grants.description}"

    @property
    def answer_in_words(self) -> str:
        """The agent's own answer that the person chose; "" if none."""
        return f"answered: {self.option}" if self.option else ""

    @property
    def summary(self) -> str:
        """The call's line; without long texts if it has a diff, which shows them."""
        given = self.given
        if self.diff and not isinstance(given, str):
            given = {name: value for name, value in given.items() if name not in BULK}
        return call_summary(given, self.workspace) or seen_from(self.workspace, self.path)

    @property
    def diffs(self) -> list[tuple[str, str]]:
        """The known changes, as path and diff: those an agent reports, or that of a file tool."""
        known = self.changes if len(self.changes) > 1 else {self.path: self.diff}
        return [(path, diff) for path, diff in known.items() if diff]

    @property
    def given(self) -> ToolArguments:
        """The arguments, or the part of them that has arrived."""
        return str(self.json) if self.arguments is None else self.arguments

    @property
    def arguments_end(self) -> str:
        """The end of the arguments so far, as much as a card may show."""
        return self.json.since(max(0, len(self.json) - SHOWN))


class HostedItem(msgspec.Struct):
    """A tool that runs at the provider; `output` is "" until it has ended, `live` grows before.

    `closed` once the response with the call is over: its output may then only come with another
    response.
    """

    name: str
    input: str
    output: str
    call_id: str = ""
    closed: bool = False
    revision: int = 0
    live: LiveOutput = msgspec.field(default_factory=LiveOutput)


class SourcesItem(msgspec.Struct):
    """The citations of one response, each source once; added when the response ends."""

    citations: tuple[Citation, ...]
    revision: int = 0


class PlanItem(msgspec.Struct):
    """An agent's plan, as it was last changed in one response."""

    steps: tuple[PlanStep, ...]
    closed: bool = False
    revision: int = 0

    @property
    def done(self) -> int:
        """The number of steps that are completed."""
        return sum(step.status == "completed" for step in self.steps)


class PromptItem(msgspec.Struct):
    """A message to the model; `own` is its text without the answers of the tickets in `needs`.

    `is_said`: a person said it while the ticket was at work. `files` are those of the ticket's
    `context`, which were sent before it.
    """

    text: str
    own: str
    needs: tuple[str, ...] = ()
    is_said: bool = False
    files: tuple[ContextFile, ...] = ()
    revision: int = 0

    @property
    def company(self) -> str:
        """The tickets whose answers go with the message, and the number of files, or ""."""
        return " and ".join([*self.needs, *([in_words(self.files)] if self.files else [])])

    @property
    def whole(self) -> str:
        """The text, with the names of the files before it."""
        names = "\n".join(file.in_words for file in self.files)
        return f"{names}\n\n{self.text}" if names else self.text


NoteKind = Literal["status", "retry", "warning", "error", "end"]


class NoteItem(msgspec.Struct):
    """A line by lfg: a retry, a pause, a conflict, an end."""

    kind: NoteKind
    message: str
    revision: int = 0


Item: TypeAlias = (
    TextItem
    | ReasoningItem
    | ToolItem
    | HostedItem
    | SourcesItem
    | PlanItem
    | PromptItem
    | NoteItem
)
