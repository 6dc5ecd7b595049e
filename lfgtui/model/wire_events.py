"""The events in a provider's stream: what a model says and calls, and what an agent does itself.

The tools of a model run here; the loop emits the events of its calls. An agent runs its own, and
reports them by the same events in its stream; those calls have `origin` "agent".
"""

from typing import ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.model.bounds import Bounded
from lfgtui.model.facets import Facets

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
    """The model began a tool call; its arguments follow.

    `origin`: "text" if it stands in the answer's text and is not run, "agent" if an agent runs it.
    """

    facets = Facets("tool_call", "name", "call_id", "name", part="begins")
    call_id: str
    name: str
    origin: Literal["text", "agent"] | UnsetType = UNSET


class ToolArgumentsDelta(WireEvent, frozen=True):
    """A piece of a call's arguments: raw JSON, or the free text that a custom tool takes."""

    facets = Facets("tool_call", "json", "call_id", merges=True)
    call_id: str
    json: str


class ToolCallRequested(WireEvent, frozen=True):
    """A tool call is complete and wants to be run.

    `wire_id` is what the provider calls it, "" where it has no name for it; it goes back with
    the next request and identifies nothing. Absent where `call_id` is the provider's own.
    A later one of an agent's call replaces it; `reads` is the absolute path of the file that it
    reads, if it says so.
    """

    facets = Facets("tool_call", "", "call_id", "name", json="arguments", part="replaces")
    call_id: str
    name: str
    arguments: ToolArguments
    wire_id: str | UnsetType = UNSET
    origin: Literal["agent"] | UnsetType = UNSET
    reads: str | UnsetType = UNSET


class ApprovalOption(msgspec.Struct, frozen=True):
    """An answer that an agent offers with a question of its own; `name` is what it calls it."""

    option_id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]


class ApprovalRequested(WireEvent, frozen=True):
    """A tool call waits for the person. `summary` is one line of what it would do.

    `diff` is a unified one of its file, without names; `path` is absolute and without links.
    An agent that asks about its own call may have `options` of its own. `sandbox` says where
    a program would run, in words. `definition` tells the tool of a server from any other of
    its name. `reason`: why the person is asked, whatever the settings and the rules say.
    """

    facets = Facets(text="summary", call="call_id")
    call_id: str
    name: str
    summary: str
    diff: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    options: tuple[ApprovalOption, ...] | UnsetType = UNSET
    sandbox: str | UnsetType = UNSET
    definition: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ApprovalWithdrawn(WireEvent, frozen=True):
    """An agent asks no more about its call, and goes on without an answer."""

    facets = Facets(call="call_id")
    call_id: str


class ToolRunStarted(WireEvent, frozen=True):
    """A tool began to work on a call: nobody is asked any more, and the ticket has a slot."""

    facets = Facets(call="call_id")
    call_id: str


class ToolOutputDelta(WireEvent, frozen=True):
    """Live output of a running tool."""

    facets = Facets("tool_output", "text", "call_id", merges=True)
    call_id: str
    channel: Literal["stdout", "stderr"]
    text: str


class ToolCallFinished(WireEvent, Bounded, frozen=True):
    """A tool call ended. `output` is what the model gets; `error` is set if it failed."""

    facets = Facets("tool_output", "output", "call_id", also="error", part="completes")
    call_id: str
    output: str
    error: str | None
    exit_code: int | None
    seconds: float


class FileChange(WireEvent, frozen=True):
    """A change of a file by an agent's call, made or about to be; a later one replaces it.

    `path` is absolute; `diff` is a unified one, without names.
    """

    facets = Facets("tool_output", "diff", "call_id", also="path")
    call_id: str
    path: str
    diff: str


class SessionOpened(WireEvent, frozen=True):
    """The agent keeps the conversation under this id, and goes on from it in a later process."""

    session_id: str


PlanStatus: TypeAlias = Literal["pending", "in_progress", "completed"]


class PlanStep(msgspec.Struct, frozen=True):
    """A step of an agent's plan."""

    text: str
    status: PlanStatus = "pending"


class PlanChanged(WireEvent, frozen=True):
    """The agent's plan as it is now, whole."""

    steps: tuple[PlanStep, ...]


class ContextUsed(WireEvent, Bounded, frozen=True):
    """Tokens in the agent's context, and how many it holds; 0 where that is not known.

    `session_cost` is USD since the session began, None where the agent does not say.
    """

    used: int
    size: int = 0
    session_cost: float | None = None


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
    """One model response is complete; `turn` as in its `RequestSent`.

    `commit` and `paint`: seconds from the arrival of its first content until that was in the
    history, and in a frame on the screen; absent where it ended first, or nobody looked.
    """

    facets = Facets(ends="response")
    turn: int
    stop_reason: StopReason
    commit: float | UnsetType = UNSET
    paint: float | UnsetType = UNSET


class Usage(WireEvent, Bounded, frozen=True):
    """Tokens of one response so far; a later one of the same turn replaces it.

    `input` includes `cached` and `cache_write`, read from the provider's cache and written to it;
    `cost` is USD, None where no price is known. With `price_date` it is an estimate, by lfg's own
    table of that date.
    """

    input: int
    output: int
    cached: int = 0
    cost: float | None = None
    cache_write: int | UnsetType = UNSET
    price_date: str | UnsetType = UNSET


class Heartbeat(WireEvent, frozen=True):
    """A sign of life without content: on a connection, or of a tool that prints on and on."""

    facets = Facets(merges=True)
