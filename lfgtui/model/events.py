"""The vocabulary: events in the life of a ticket.

An event is a frozen value. The `Entry` around it, which only the history's recorder makes,
says whose it is and when it came. The JSON form (`--json`, the history file, export) is this
declaration read by msgspec: the class name in snake_case is the `type`; `UNSET` is absent.

A new event is a class here with its facets, a row in the table of moves (`states`) and an arm
of the fold.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.errors import ErrorKind
from lfgtui.model.bounds import Bounded
from lfgtui.model.facets import Facets
from lfgtui.model.tickets import ApprovalRule

StopReason: TypeAlias = str
"""Why a response ended: `end`, `tool_use`, `length`, `content_filter`, `refusal`,
`stop_sequence` or `stopped` where lfg has a word for it, else as it came."""
STOPPED: StopReason = "stopped"  # by the person
ToolArguments: TypeAlias = dict[str, object] | str
"""A JSON object; a string where what arrived was none, kept as it came."""


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=_snake):
    """Something that happened."""

    facets: ClassVar[Facets] = Facets()


class WireEvent(Event, frozen=True):
    """An event in a provider's stream."""


class TextDelta(WireEvent, frozen=True):
    """A piece of the visible answer."""

    facets = Facets("text", "text", merges=True)
    text: str


class ReasoningDelta(WireEvent, frozen=True):
    """A piece of the model's thinking, or of its summary."""

    facets = Facets("reasoning", "text", merges=True)
    text: str
    origin: Literal["text"] | UnsetType = UNSET


class Citation(WireEvent, frozen=True):
    """A source the visible text refers to."""

    url: str
    title: str = ""
    quote: str = ""


class Status(WireEvent, frozen=True):
    """A line for the person, not for the model."""

    facets = Facets(text="message")
    message: str


class MessageTaken(WireEvent, Bounded, frozen=True):
    """The agent took a message of the person into the response that is under way.

    `message_seq` is the `seq` of its `UserMessage`. One that no response takes goes with the
    next request.
    """

    facets = Facets(ends="text")
    message_seq: int


class ToolCallStarted(WireEvent, frozen=True):
    """The model began a tool call; its arguments follow."""

    facets = Facets("tool_call", "name", "call_id", "name", part="begins")
    call_id: str
    name: str
    origin: Literal["text"] | UnsetType = UNSET


class ToolArgumentsDelta(WireEvent, frozen=True):
    """A piece of a call's arguments: raw JSON, or the free text that a custom tool takes."""

    facets = Facets("tool_call", "json", "call_id", merges=True)
    call_id: str
    json: str


class ToolCallRequested(WireEvent, frozen=True):
    """A tool call is complete and wants to be run.

    `wire_id` is what the provider calls it, "" where it has no name for it; it goes back with
    the next request and identifies nothing. Absent where `call_id` is the provider's own.
    """

    facets = Facets("tool_call", "", "call_id", "name", json="arguments", part="replaces")
    call_id: str
    name: str
    arguments: ToolArguments
    wire_id: str | UnsetType = UNSET


class HostedTool(WireEvent, frozen=True):
    """A tool that ran on the provider's side, as far as is known.

    A later one with the same `call_id` (without ids: name and input) says more of the same call.
    """

    facets = Facets("tool_output", "output", "call_id", "name", also="input", part="completes")
    name: str
    input: str = ""
    output: str = ""
    call_id: str | UnsetType = UNSET


class HostedOutputDelta(WireEvent, frozen=True):
    """Live output of a tool on the provider's side."""

    facets = Facets("tool_output", "text", "call_id", merges=True)
    call_id: str
    text: str


class ProviderItem(WireEvent, frozen=True):
    """An opaque piece the wire wants back unchanged with the next request."""

    facets = Facets(json="item", ends="text")
    wire: str
    item: dict[str, object]


class ResponseFinished(WireEvent, Bounded, frozen=True):
    """One model response is complete; `turn` as in its `RequestSent`."""

    facets = Facets(ends="response")
    turn: int
    stop_reason: StopReason


class Usage(WireEvent, Bounded, frozen=True):
    """Tokens of one response so far; a later one of the same turn replaces it.

    `input` includes `cached`; `cost` is USD, None where no price is known.
    """

    input: int
    output: int
    cached: int = 0
    cost: float | None = None


class Heartbeat(WireEvent, frozen=True):
    """A sign of life without content: on a connection, or of a tool that prints on and on."""

    facets = Facets(merges=True)


# From the agent loop and its tools


class UserMessage(Event, frozen=True):
    """A message to the model, with the answers of the tickets it needs, by their ids.

    One of `origin` "person" goes with the next request if no agent takes it (`MessageTaken`).
    """

    facets = Facets("prompt", "text", ends="text")
    text: str
    answers: dict[str, str] | UnsetType = UNSET
    origin: Literal["person"] | UnsetType = UNSET


class RequestSent(Event, Bounded, frozen=True):
    """A model request left. `turn` counts responses from 1, attempts that continue included."""

    facets = Facets(ends="turn")
    turn: int


class ResponseStarted(Event, frozen=True):
    """The head of a response came: the first byte of what was asked for."""


class ApprovalRequested(Event, frozen=True):
    """A tool call waits for the person. `summary` is one line of what it would do.

    `diff` is a unified one of its file, without names; `path` is absolute and without links.
    """

    facets = Facets(text="summary", call="call_id")
    call_id: str
    name: str
    summary: str
    diff: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class ApprovalGiven(Event, frozen=True):
    """The person allowed the call, themselves or by the `rule`; what it `grants` is in force."""

    facets = Facets(call="call_id")
    call_id: str
    rule: ApprovalRule | UnsetType = UNSET
    grants: ApprovalRule | UnsetType = UNSET


class RuleWithdrawn(Event, frozen=True):
    """The person withdrew a rule that an `ApprovalGiven` of this ticket had granted."""

    rule: ApprovalRule


class ApprovalDenied(Event, frozen=True):
    """The person refused the call; the reason goes back to the model."""

    facets = Facets(text="reason", call="call_id")
    call_id: str
    reason: str


class ToolRunStarted(Event, frozen=True):
    """A tool began to work on a call: nobody is asked any more, and the ticket has a slot."""

    facets = Facets(call="call_id")
    call_id: str


class ToolOutputDelta(Event, frozen=True):
    """Live output of a running tool."""

    facets = Facets("tool_output", "text", "call_id", merges=True)
    call_id: str
    channel: Literal["stdout", "stderr"]
    text: str


class ToolCallFinished(Event, Bounded, frozen=True):
    """A tool call ended. `output` is what the model gets; `error` is set if it failed."""

    facets = Facets("tool_output", "output", "call_id", also="error", part="completes")
    call_id: str
    output: str
    error: str | None
    exit_code: int | None
    seconds: float


# From the engine


class TicketQueued(Event, frozen=True):
    """The ticket waits for its turn. `starts_over`: its next attempt is from the prompt anew."""

    starts_over: bool | UnsetType = UNSET


class AttemptStarted(Event, frozen=True):
    """A try begins. `continues`: from the context so far, not from the prompt anew.

    `keeps_partial`: that has the text of the response that broke off, and its rest follows.
    """

    facets = Facets(ends="response")
    provider: str
    model: str
    continues: bool = False
    keeps_partial: bool | UnsetType = UNSET


class Retrying(Event, Bounded, frozen=True, rename={"attempt": "next_attempt"}):
    """A try broke and another will follow: `attempt`, after `delay` seconds.

    In JSON it is `next_attempt`: an entry's `attempt` is the one that broke. `retryable` is
    absent where it is as the kind says.
    """

    facets = Facets("error", "reason", ends="turn")
    reason: str
    delay: float
    attempt: int
    kind: ErrorKind = "internal"
    retryable: bool | UnsetType = UNSET


class Parked(Event, Bounded, frozen=True):
    """The ticket waits until the provider's limit ends; a try that was under way is over.

    The refusal that named `until`, in seconds since the epoch, may be another ticket's.
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
    """A guard saw something a person should look at."""

    facets = Facets("error", "message")
    guard: str
    message: str


class ConflictDetected(Event, frozen=True):
    """Another ticket of the run changed the same file before. `tickets` are the others' ids."""

    path: str
    tickets: tuple[str, ...]


class Paused(Event, frozen=True):
    """Held between two responses; clocks stand still."""


class Resumed(Event, frozen=True):
    """Let go again after a pause."""


class Ending(Event, frozen=True):
    """The end of a ticket, until it is queued again."""

    facets = Facets(ends="turn")


class TicketDone(Ending, frozen=True):
    """The agent reported that it is finished."""

    stop_reason: StopReason


class TicketFailed(Ending, frozen=True):
    """The ticket broke. A value, never an exception that reaches its neighbours."""

    facets = Facets("error", "message", ends="turn")
    kind: ErrorKind
    message: str
    retryable: bool


class TicketCancelled(Ending, frozen=True):
    """The person stopped it; its output is kept."""


class TicketLimited(Ending, frozen=True):
    """A limit was reached: `turns`, `tokens`, `cost` or `time`."""

    limit: Literal["turns", "tokens", "cost", "time"]


class TicketBlocked(Ending, frozen=True):
    """It cannot start or go on; `reason` says which need or approval is missing."""

    facets = Facets("error", "reason", ends="turn")
    reason: str


class TicketInterrupted(Ending, frozen=True):
    """The process died or was quit while the ticket ran."""


class Entry(msgspec.Struct, frozen=True):
    """An event with its identity: whose, when, and its place in the order.

    `seq` is dense per ticket from 1, across attempts. `at` is the time of arrival in seconds
    since the epoch; of merged deltas, the first one's. `saved` is False where history is behind.
    """

    run: str
    ticket: str
    attempt: int
    seq: int
    at: float
    event: Event
    saved: bool = True


Sink: TypeAlias = Callable[[Sequence[Entry]], None]
"""Takes each batch of new entries; appends and never blocks."""
