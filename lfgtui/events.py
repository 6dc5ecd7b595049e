"""The whole vocabulary: what can happen to a ticket.

An event is a frozen value, a noun or a past-tense fact. It says what
happened and nothing of to whom or when: that is the `Entry`'s concern, and
only the history's writer makes entries. The JSON form (`--json`, the history
file, export) is this declaration read by msgspec: the class name in
snake_case is the `type`, and a field left `UNSET` is absent.

Who may emit what: decoders the first group, tools and the agent loop the
second, the engine the third.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, cast

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.bounds import Bounded, bounded_json, is_too_deep
from lfgtui.errors import ErrorKind

StopReason: TypeAlias = str
"""Why a response ended, in lfg's words where it has one (`end`, `tool_use`,
`length`, `content_filter`, `refusal`, `stop_sequence`), else as the wire said it."""

ToolArguments: TypeAlias = dict[str, object] | str
"""A JSON object; a string where what arrived was none, kept as it came."""


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class EventBase(msgspec.Struct, frozen=True, tag_field="type", tag=_snake):
    """The common form; `Event` below is the closed set."""


# What a provider's stream says.


class TextDelta(EventBase, frozen=True):
    """A piece of the visible answer."""

    text: str


class ReasoningDelta(EventBase, frozen=True):
    """A piece of the model's thinking, or of its summary."""

    text: str
    origin: Literal["text"] | UnsetType = UNSET


class Citation(EventBase, frozen=True):
    """A source the visible text refers to."""

    url: str
    title: str = ""
    quote: str = ""


class Status(EventBase, frozen=True):
    """A line for the person, not for the model."""

    message: str


class ToolCallStarted(EventBase, frozen=True):
    """The model began a tool call; its arguments follow."""

    call_id: str
    name: str
    origin: Literal["text"] | UnsetType = UNSET


class ToolArgumentsDelta(EventBase, frozen=True):
    """A piece of a call's arguments, as raw JSON text."""

    call_id: str
    json: str


class ToolCallRequested(EventBase, frozen=True):
    """A tool call is complete and wants to be run.

    `wire_id` is what the provider calls it, "" where it has no name for it; it goes back with
    the next request and tells nothing apart. Absent where `call_id` is the provider's own.
    """

    call_id: str
    name: str
    arguments: ToolArguments
    wire_id: str | UnsetType = UNSET


class HostedTool(EventBase, frozen=True):
    """A tool that ran on the provider's side, as far as is known.

    A later one with the same `call_id` (without ids: name and input) says more of the same call.
    """

    name: str
    input: str = ""
    output: str = ""
    call_id: str | UnsetType = UNSET


class HostedOutputDelta(EventBase, frozen=True):
    """Live output of a tool on the provider's side."""

    call_id: str
    text: str


class ProviderItem(EventBase, frozen=True):
    """An opaque piece the wire wants back unchanged with the next request."""

    wire: str
    item: dict[str, object]


class ResponseFinished(EventBase, Bounded, frozen=True):
    """One model response is complete; `turn` as in its `RequestSent`."""

    turn: int
    stop_reason: StopReason


class Usage(EventBase, Bounded, frozen=True):
    """Tokens of one response so far; a later one of the same turn replaces it.

    `input` includes `cached`; `cost` is USD, None where no price is known.
    """

    input: int
    output: int
    cached: int = 0
    cost: float | None = None


class Heartbeat(EventBase, frozen=True):
    """The connection is alive and says nothing."""


# What the agent loop and its tools say.


class UserMessage(EventBase, frozen=True):
    """What the person (or the ticket) tells the model."""

    text: str


class RequestSent(EventBase, Bounded, frozen=True):
    """A model request left. `turn` counts responses from 1, attempts that continue included."""

    turn: int


class ApprovalRequested(EventBase, frozen=True):
    """A tool call waits for the person. `summary` is one line of what it would do."""

    call_id: str
    name: str
    summary: str


class ApprovalGiven(EventBase, frozen=True):
    """The person allowed the call."""

    call_id: str


class ApprovalDenied(EventBase, frozen=True):
    """The person refused the call; the reason goes back to the model."""

    call_id: str
    reason: str


class ToolOutputDelta(EventBase, frozen=True):
    """Live output of a running tool."""

    call_id: str
    channel: Literal["stdout", "stderr"]
    text: str


class ToolCallFinished(EventBase, Bounded, frozen=True):
    """A tool call ended. `output` is what the model is told; `error` is set if it failed."""

    call_id: str
    output: str
    error: str | None
    exit_code: int | None
    seconds: float


# What the engine says.


class TicketQueued(EventBase, frozen=True):
    """The ticket waits for its turn, or for what it needs."""


class AttemptStarted(EventBase, frozen=True):
    """A try begins. `continues`: from the context so far, not from the prompt anew.

    `keeps_partial`: the text of the response that broke off is part of that
    context, and what follows is the rest of it.
    """

    provider: str
    model: str
    continues: bool = False
    keeps_partial: bool | UnsetType = UNSET


class Retrying(EventBase, Bounded, frozen=True, rename={"attempt": "next_attempt"}):
    """A try broke and another will follow: `attempt`, after `delay` seconds.

    In JSON it is `next_attempt`, since an entry's line says `attempt` of the one that broke.
    `retryable` is absent where it is as the kind says.
    """

    reason: str
    delay: float
    attempt: int
    kind: ErrorKind = "internal"
    retryable: bool | UnsetType = UNSET


class FailedOver(EventBase, frozen=True, rename={"source": "from", "target": "to"}):
    """The next attempt is another provider's."""

    source: str
    target: str


class GuardTripped(EventBase, frozen=True):
    """A guard saw something a person should look at."""

    guard: str
    message: str


class ConflictDetected(EventBase, frozen=True):
    """Another ticket of the run changed the same file before. `tickets` are the others' ids."""

    path: str
    tickets: tuple[str, ...]


class Paused(EventBase, frozen=True):
    """Held between two responses; clocks stand still."""


class Resumed(EventBase, frozen=True):
    """Let go again after a pause."""


class TicketDone(EventBase, frozen=True):
    """The agent said it is finished."""

    stop_reason: StopReason


class TicketFailed(EventBase, frozen=True):
    """The ticket broke. A value, never an exception that reaches its neighbours."""

    kind: ErrorKind
    message: str
    retryable: bool


class TicketCancelled(EventBase, frozen=True):
    """The person stopped it; what it said is kept."""


class TicketLimited(EventBase, frozen=True):
    """A limit was reached: `turns`, `tokens`, `cost` or `time`."""

    limit: Literal["turns", "tokens", "cost", "time"]


class TicketBlocked(EventBase, frozen=True):
    """It cannot start or go on; `reason` says which need or approval is missing."""

    reason: str


class TicketInterrupted(EventBase, frozen=True):
    """The process died or was quit while the ticket ran."""


Ending: TypeAlias = (
    TicketDone | TicketFailed | TicketCancelled | TicketLimited | TicketBlocked | TicketInterrupted
)

WireEvent: TypeAlias = (
    TextDelta
    | ReasoningDelta
    | Citation
    | Status
    | ToolCallStarted
    | ToolArgumentsDelta
    | ToolCallRequested
    | HostedTool
    | HostedOutputDelta
    | ProviderItem
    | ResponseFinished
    | Usage
    | Heartbeat
)

Event: TypeAlias = (
    WireEvent
    | UserMessage
    | RequestSent
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalDenied
    | ToolOutputDelta
    | ToolCallFinished
    | TicketQueued
    | AttemptStarted
    | Retrying
    | FailedOver
    | GuardTripped
    | ConflictDetected
    | Paused
    | Resumed
    | Ending
)


class Entry(msgspec.Struct, frozen=True):
    """An event with its identity: whose, when, and its place in the order.

    `seq` is dense per ticket from 1, across attempts. `at` is the time of
    arrival in seconds since the epoch; of merged deltas, the first one's.
    `saved` is False only where history is behind and the entry is shown all
    the same.
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

_TOO_DEEP = "it is nested too deeply"
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def event_type(event: Event) -> str:
    """The `type` an event carries in JSON."""
    tag = type(event).__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode_event(event: Event) -> bytes:
    """The event as one JSON object, `type` included."""
    return _encoder.encode(event)


def decode_event(body: bytes | str) -> Event:
    """Return the event of what `encode_event` wrote; raises `msgspec.MsgspecError`.

    A number out of range becomes the nearest in range; too deep nesting is refused.
    """
    try:
        event = _decoder.decode(body)
    except RecursionError:
        raise msgspec.ValidationError(_TOO_DEEP) from None
    except msgspec.MsgspecError as error:
        try:
            event = cast(Event, msgspec.convert(bounded_json(body), Event))
        except (ValueError, RecursionError):
            raise error from None
    if isinstance(event, ToolCallRequested | ProviderItem):
        value = event.item if isinstance(event, ProviderItem) else event.arguments
        if is_too_deep(value, body):
            raise msgspec.ValidationError(_TOO_DEEP)
    return event


def entry_json(entry: Entry) -> str:
    """One line of `--json`: identity first, then the event's own fields."""
    place = {"attempt": entry.attempt, "seq": entry.seq, "at": round(entry.at, 3)}
    identity = _encoder.encode({"run": entry.run, "ticket": entry.ticket, **place})
    return (identity[:-1] + b"," + _encoder.encode(entry.event)[1:]).decode()
