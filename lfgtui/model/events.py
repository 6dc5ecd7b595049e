"""The vocabulary: events in the life of a ticket.

An event is a frozen value. The `Entry` around it, which only a history makes, says whose it is and
when it came. The JSON form (`--json`, the history file, export) is this declaration read by
msgspec: the class name in snake_case is the `type`, and `UNSET` is absent. Since histories hold it,
classes and fields keep their names and types, and a new field has a default; none may have the
name of a field of `Entry`.

The events of a provider's stream are in `wire_events`, others in `turn_events` and `ticket_keys`:
this module has to import them all. A new event is a class with its facets, a row in the table of
moves (`fold/states`) and an arm of the fold (`fold/transcript`).
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.errors import ErrorKind
from lfgtui.model.bounds import Bounded
from lfgtui.model.facets import Facets
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.model.ticket_keys.guards import GuardAction
from lfgtui.model.ticket_keys.run_limits import RunLimit
from lfgtui.model.ticket_keys.run_limits import RunLimitsSet as RunLimitsSet
from lfgtui.model.ticket_keys.watch import ContradictionFound as ContradictionFound
from lfgtui.model.turn_events import FILE_CONFLICTS as FILE_CONFLICTS
from lfgtui.model.turn_events import AnswerReused as AnswerReused
from lfgtui.model.turn_events import CommandTaken as CommandTaken
from lfgtui.model.turn_events import ConflictDetected as ConflictDetected
from lfgtui.model.turn_events import ConflictKind as ConflictKind
from lfgtui.model.turn_events import ContextCompacted as ContextCompacted
from lfgtui.model.turn_events import LateEntries as LateEntries
from lfgtui.model.turn_events import RequestSent as RequestSent
from lfgtui.model.turn_events import ResponseStarted as ResponseStarted
from lfgtui.model.turn_events import TurnBegun as TurnBegun
from lfgtui.model.wire_events import STOPPED as STOPPED
from lfgtui.model.wire_events import ApprovalOption as ApprovalOption
from lfgtui.model.wire_events import ApprovalRequested as ApprovalRequested
from lfgtui.model.wire_events import ApprovalWithdrawn as ApprovalWithdrawn
from lfgtui.model.wire_events import Citation as Citation
from lfgtui.model.wire_events import ContextUsed as ContextUsed
from lfgtui.model.wire_events import Event as Event
from lfgtui.model.wire_events import FileChange as FileChange
from lfgtui.model.wire_events import Heartbeat as Heartbeat
from lfgtui.model.wire_events import HostedOutputDelta as HostedOutputDelta
from lfgtui.model.wire_events import HostedTool as HostedTool
from lfgtui.model.wire_events import MessageTaken as MessageTaken
from lfgtui.model.wire_events import PlanChanged as PlanChanged
from lfgtui.model.wire_events import PlanStatus as PlanStatus
from lfgtui.model.wire_events import PlanStep as PlanStep
from lfgtui.model.wire_events import ProviderItem as ProviderItem
from lfgtui.model.wire_events import ReasoningDelta as ReasoningDelta
from lfgtui.model.wire_events import ResponseFinished as ResponseFinished
from lfgtui.model.wire_events import SessionOpened as SessionOpened
from lfgtui.model.wire_events import Status as Status
from lfgtui.model.wire_events import StopReason as StopReason
from lfgtui.model.wire_events import TextDelta as TextDelta
from lfgtui.model.wire_events import ToolArguments as ToolArguments
from lfgtui.model.wire_events import ToolArgumentsDelta as ToolArgumentsDelta
from lfgtui.model.wire_events import ToolCallFinished as ToolCallFinished
from lfgtui.model.wire_events import ToolCallRequested as ToolCallRequested
from lfgtui.model.wire_events import ToolCallStarted as ToolCallStarted
from lfgtui.model.wire_events import ToolOutputDelta as ToolOutputDelta
from lfgtui.model.wire_events import ToolRunStarted as ToolRunStarted
from lfgtui.model.wire_events import Usage as Usage
from lfgtui.model.wire_events import WireEvent as WireEvent

# From the agent loop and its tools


class UserMessage(Event, frozen=True):
    """A message to the model, with files (`context`) and the `answers` of needed tickets, by id.

    A message of `origin` "person" goes with the next request if no agent takes it before
    (`MessageTaken`). A message that shows other tickets to one that watches has in `read` the last
    `seq` shown of each; with `anew` it begins a new conversation.
    """

    facets = Facets("prompt", "text", ends="text")
    text: str
    answers: dict[str, str] | UnsetType = UNSET
    context: tuple[ContextFile, ...] | UnsetType = UNSET
    origin: Literal["person"] | UnsetType = UNSET
    read: dict[str, int] | UnsetType = UNSET
    anew: bool | UnsetType = UNSET


class ApprovalGiven(Event, frozen=True):
    """The person allowed the call, or their earlier `rule` did.

    `grants` is the rule that the person gave with this approval, in force from here on. `option`
    is the agent's name for the answer that they chose, absent for a plain yes.
    """

    facets = Facets(call="call_id")
    call_id: str
    rule: ApprovalRule | UnsetType = UNSET
    grants: ApprovalRule | UnsetType = UNSET
    option: str | UnsetType = UNSET


class RuleWithdrawn(Event, frozen=True):
    """The person withdrew a rule that an `ApprovalGiven` of this ticket granted."""

    rule: ApprovalRule


class ApprovalDenied(Event, frozen=True):
    """The person refused the call; the model gets the reason. `option`: see `ApprovalGiven`."""

    facets = Facets(text="reason", call="call_id")
    call_id: str
    reason: str
    option: str | UnsetType = UNSET


# From the engine


class TicketQueued(Event, frozen=True):
    """The ticket waits for its turn. `starts_over`: its next attempt begins from the prompt."""

    starts_over: bool | UnsetType = UNSET


class RestartRequested(Event, frozen=True):
    """The person wants the ticket stopped and started over from its prompt as it is stored now.

    What the running attempt still says, and how it ends, is not part of the conversation.
    """


class AttemptStarted(Event, Bounded, frozen=True):
    """An attempt begins. `continues`: from the conversation so far, otherwise from the prompt.

    `keeps_partial`: the text that broke off is kept, and its rest follows. `context_window`: tokens
    that the model can hold, where known. `worker`: the worker's name, if one makes the attempt.
    """

    facets = Facets(ends="response")
    provider: str
    model: str
    continues: bool = False
    keeps_partial: bool | UnsetType = UNSET
    context_window: int | UnsetType = UNSET
    worker: str | UnsetType = UNSET


class Retrying(Event, Bounded, frozen=True, rename={"attempt": "next_attempt"}):
    """An attempt failed; another, number `attempt`, follows after `delay` seconds.

    In JSON that number is `next_attempt`: an entry's `attempt` is the one that failed. `retryable`
    is absent where the kind of the error decides it.
    """

    facets = Facets("error", "reason", ends="turn")
    reason: str
    delay: float
    attempt: int
    kind: ErrorKind = "internal"
    retryable: bool | UnsetType = UNSET


class Parked(Event, Bounded, frozen=True):
    """The ticket waits until the provider's limit ends; an attempt under way has failed.

    `until` is in seconds since the epoch. The refusal that named it may be another ticket's.
    """

    facets = Facets("error", "reason", ends="turn")
    provider: str
    until: float
    reason: str
    kind: ErrorKind = "rate_limit"


class FailedOver(Event, frozen=True, rename={"source": "from", "target": "to"}):
    """The next attempt is another provider's."""

    source: str
    target: str


class GuardTripped(Event, frozen=True):
    """A guard saw something a person should look at; `action` is what its rule made it do."""

    facets = Facets("error", "message")
    guard: str
    message: str
    action: GuardAction | UnsetType = UNSET


class WorktreeOpened(Event, frozen=True):
    """The ticket works in a git worktree of its own: in the folder `path`/`inside`.

    `base` is the commit that the worktree began at; `inside` is absent for its top folder.
    """

    path: str
    branch: str
    base: str
    inside: str | UnsetType = UNSET


class WorktreeDiscarded(Event, frozen=True):
    """A person has thrown away the ticket's worktree, with its branch and all its files."""

    branch: str


class SetupStarted(Event, frozen=True):
    """The ticket's `setup`, a command that prepares a new worktree, begins to run as a call.

    No model made the call, and none gets its output.
    """

    facets = Facets("tool_call", "command", "call_id")
    call_id: str
    command: str


class BaseRecorded(Event, frozen=True):
    """Git's tree of the ticket's folder when work in it began, which changes are compared with.

    `commit` was checked out then; it is "" in a repository without commits.
    """

    folder: str
    tree: str
    commit: str = ""


class ChangesCounted(Event, Bounded, frozen=True):
    """Files and lines of the folder that have changed so far, whoever changed them.

    `shared`: other tickets work in the folder, too, so that changes may be theirs; else absent.
    """

    files: int
    added: int
    removed: int
    shared: bool | UnsetType = UNSET


class ChoiceMade(Event, frozen=True):
    """This copy's answer goes to the tickets that need the copied one; or no longer (`chosen`)."""

    chosen: bool = True


class Paused(Event, frozen=True):
    """The ticket is held between two responses; its clocks stand still."""


class Resumed(Event, frozen=True):
    """The ticket goes on after a pause."""


class Ending(Event, frozen=True):
    """The end of a ticket, until it is queued again; a base class."""

    facets = Facets(ends="turn")


class TicketDone(Ending, frozen=True):
    """The agent reported that it is finished."""

    stop_reason: StopReason


class TicketFailed(Ending, frozen=True):
    """The ticket failed. Exceptions in its work become this event and reach no other ticket."""

    facets = Facets("error", "message", ends="turn")
    kind: ErrorKind
    message: str
    retryable: bool


class TicketCancelled(Ending, frozen=True):
    """The person cancelled the ticket, or a guard, which gives a `reason`; its output is kept."""

    facets = Facets(text="reason", ends="turn")
    reason: str | UnsetType = UNSET


class TicketLimited(Ending, frozen=True):
    """A limit was reached: one of the ticket's own, or of the run's."""

    limit: Literal["turns", "tokens", "cost", "time"] | RunLimit


class TicketBlocked(Ending, frozen=True):
    """The ticket cannot start or go on; `reason` says which need or approval is missing."""

    facets = Facets("error", "reason", ends="turn")
    reason: str


class TicketInterrupted(Ending, frozen=True):
    """The process died or was quit while the ticket ran; for a worker's, `reason` names it."""

    facets = Facets(text="reason", ends="turn")
    reason: str | UnsetType = UNSET


def event_type(event: Event) -> str:
    """Return the `type` an event carries in JSON."""
    return str(type(event).__struct_config__.tag)


_MICROSECONDS = 1_000_000


class Entry(msgspec.Struct, frozen=True):
    """An event with its identity: whose, when, and its place in the order.

    `seq` counts a ticket's entries from 1, without gaps, across attempts. `at` is the time of
    arrival in seconds since the epoch (of merged deltas, the first one's); no two entries of a run
    have the same. `attempt` is 1 also before the first. `saved` is False if the history could not
    be written when the entry was handed on.
    """

    run: str
    ticket: str
    attempt: int
    seq: int
    at: float
    event: Event
    saved: bool = True

    @property
    def place(self) -> int:
        """The entry's place in the run: `at` in microseconds, which grows from entry to entry."""
        return place_at(self.at)


def place_at(at: float) -> int:
    """Return the place of the entry that came at that time."""
    return round(at * _MICROSECONDS)


def time_at(place: int) -> float:
    """Return the `at` of the entry at that place."""
    return place / _MICROSECONDS


Sink: TypeAlias = Callable[[Sequence[Entry]], None]
"""Takes each batch of new entries, on the event loop: it only appends and never blocks."""
