"""The events in a provider's stream: what a model says and calls, and what an agent does itself.

lfg runs a model's tools and emits the events of its calls itself (`agent/tool_calls.py`). An
installed or remote agent runs its own tools and reports its calls by the same events in its
stream, with `origin` "agent".

Their JSON form is public (`--json`) and is what histories hold; see `events`. So a class or a
field keeps its name and type, and a new field needs a default, or stored runs cannot be read.
"""

from typing import ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.model.bounds import Bounded
from lfgtui.model.facets import Facets

StopReason: TypeAlias = str
"""Why a response ended: `end`, `tool_use`, `length`, `content_filter`, `refusal`,
`stop_sequence` or `stopped`; any other reason in the provider's words."""
STOPPED: StopReason = "stopped"  # by the person, who has something to say
ToolArguments: TypeAlias = dict[str, object] | str
"""A JSON object, or as a string whatever else arrived."""


def _snake(name: str) -> str:
    """Return the `type` of a class of events in JSON: `text_delta` for `TextDelta`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=_snake):
    """Something that happened. `facets`: what merging, search and the like need to know of it."""

    facets: ClassVar[Facets] = Facets()


class WireEvent(Event, frozen=True):
    """An event in a provider's stream."""


class TextDelta(WireEvent, frozen=True):
    """A piece of the visible answer."""

    facets = Facets("text", "text", merges=True)
    text: str


class ReasoningDelta(WireEvent, frozen=True):
    """A piece of the model's thinking, or of its summary.

    `origin`: "text" if it was markup in the answer's text, which lfg took out of there.
    """

    facets = Facets("reasoning", "text", merges=True)
    text: str
    origin: Literal["text"] | UnsetType = UNSET


class Citation(WireEvent, frozen=True):
    """A source that the visible text refers to."""

    url: str
    title: str = ""
    quote: str = ""


class Status(WireEvent, frozen=True):
    """A line for the person, which the model does not get."""

    facets = Facets(text="message")
    message: str


class MessageTaken(WireEvent, Bounded, frozen=True):
    """The agent took a message of the person into the response that is under way.

    `message_seq` is the `seq` of the entry with the `UserMessage`. A message that no response
    takes goes with the next request.
    """

    facets = Facets(ends="text")
    message_seq: int


class ToolCallStarted(WireEvent, frozen=True):
    """The model began a tool call; its arguments follow.

    `origin`: "text" if it was markup in the answer's text, so that it is never run; "agent" if an
    agent runs it; absent if lfg does.
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
    """A tool call is complete and is to be run.

    `wire_id` is the provider's id of the call, "" if it gave none; it goes back with the next
    request and identifies nothing here. It is absent where `call_id` is the provider's own. A later
    request of an agent's call replaces the earlier; `reads` is the absolute path of the file that
    the call reads, if the agent says so.
    """

    facets = Facets("tool_call", "", "call_id", "name", json="arguments", part="replaces")
    call_id: str
    name: str
    arguments: ToolArguments
    wire_id: str | UnsetType = UNSET
    origin: Literal["agent"] | UnsetType = UNSET
    reads: str | UnsetType = UNSET


class ApprovalOption(msgspec.Struct, frozen=True):
    """An answer that an agent offers with its question, under a `name` of its own."""

    option_id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]


class ApprovalRequested(WireEvent, frozen=True):
    """A tool call waits for the person. `summary` is one line of what it would do.

    `diff` is a unified diff of its file, without names; `path` is absolute, with links resolved.
    An agent that asks about its own call may offer `options`. `sandbox` describes, in words, the
    sandbox that a program would run in. `definition` tells an MCP server's tool from any other of
    the same name. `reason`: why the person is asked although settings or rules allow the call.
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
    """An agent no longer asks about its call, and goes on without an answer."""

    facets = Facets(call="call_id")
    call_id: str


class ToolRunStarted(WireEvent, frozen=True):
    """A tool began to work on a call: it is approved, and the ticket has a slot."""

    facets = Facets(call="call_id")
    call_id: str


class ToolOutputDelta(WireEvent, frozen=True):
    """Live output of a running tool."""

    facets = Facets("tool_output", "text", "call_id", merges=True)
    call_id: str
    channel: Literal["stdout", "stderr"]
    text: str


class ToolCallFinished(WireEvent, Bounded, frozen=True):
    """A tool call ended. `output` is what the model gets; `error` is set if it failed.

    `seconds` is how long the call took, 0 if it never ran; `exit_code` is a command's.
    """

    facets = Facets("tool_output", "output", "call_id", also="error", part="completes")
    call_id: str
    output: str
    error: str | None
    exit_code: int | None
    seconds: float


class FileChange(WireEvent, frozen=True):
    """A change of a file by an agent's call, made or yet to be made.

    A later event about the same call and `path` replaces it. `path` is absolute; `diff` is a
    unified diff without names.
    """

    facets = Facets("tool_output", "diff", "call_id", also="path")
    call_id: str
    path: str
    diff: str


class SessionOpened(WireEvent, frozen=True):
    """The agent keeps the conversation under this id; a later process can continue it by the id."""

    session_id: str


PlanStatus: TypeAlias = Literal["pending", "in_progress", "completed"]


class PlanStep(msgspec.Struct, frozen=True):
    """A step of an agent's plan."""

    text: str
    status: PlanStatus = "pending"


class PlanChanged(WireEvent, frozen=True):
    """The agent's plan as it is now: all steps, which replace those of an earlier event."""

    steps: tuple[PlanStep, ...]


class ContextUsed(WireEvent, Bounded, frozen=True):
    """Tokens `used` in the agent's context, and how many it can hold (`size`, 0 if unknown).

    `session_cost` is in USD since the session began, None where the agent does not say.
    """

    used: int
    size: int = 0
    session_cost: float | None = None


class HostedTool(WireEvent, frozen=True):
    """A tool that runs at the provider; `output` is "" until the provider sends it.

    A later event with the same `call_id` (without ids: name and input) is about the same call.
    """

    facets = Facets("tool_output", "output", "call_id", "name", also="input", part="completes")
    name: str
    input: str = ""
    output: str = ""
    call_id: str | UnsetType = UNSET


class HostedOutputDelta(WireEvent, frozen=True):
    """Live output of a tool at the provider."""

    facets = Facets("tool_output", "text", "call_id", merges=True)
    call_id: str
    text: str


class ProviderItem(WireEvent, frozen=True):
    """An opaque piece of a response, which the next request must carry back unchanged.

    `wire` is the name of the wire that it came from; other wires leave it out.
    """

    facets = Facets(json="item", ends="text")
    wire: str
    item: dict[str, object]


class ResponseFinished(WireEvent, Bounded, frozen=True):
    """One model response is complete; `turn` is that of its `RequestSent`.

    `commit` and `paint`: seconds from the arrival of its first content until this was in the
    history and on the screen; absent where the response ended before that, or no screen showed it.
    """

    facets = Facets(ends="response")
    turn: int
    stop_reason: StopReason
    commit: float | UnsetType = UNSET
    paint: float | UnsetType = UNSET


class Usage(WireEvent, Bounded, frozen=True):
    """Tokens of one response so far; a later report of the same turn replaces it.

    `input` includes `cached` and `cache_write`, read from the provider's cache and written to it;
    `cost` is in USD, None where no price is known. With `price_date` it is an estimate, from lfg's
    price table of that date.
    """

    input: int
    output: int
    cached: int = 0
    cost: float | None = None
    cache_write: int | UnsetType = UNSET
    price_date: str | UnsetType = UNSET


class Heartbeat(WireEvent, frozen=True):
    """A sign of life without content: from a connection, or from a tool that keeps printing."""

    facets = Facets(merges=True)
