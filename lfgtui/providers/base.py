"""The interface of providers: a `Request` in, a `Stream` of events out.

`sdk`, `agent_server` and `acp` implement `Provider`, and `registry` opens them. What only some
providers or streams can do is a protocol of its own here, tested for by `isinstance`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from lfgtui.model.events import ApprovalOption, WireEvent
from lfgtui.model.fold.conversation import Message, Session
from lfgtui.model.tickets import Reasoning
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement

Effort: TypeAlias = Literal["low", "medium", "high"]

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a server, if its config has no `connect_timeout`."""

BUDGETS: dict[Effort, int] = {"low": 2048, "medium": 8192, "high": 16384}
"""Tokens of thinking that each effort stands for: a wire takes one or the other."""


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One model request, independent of the wire. Timeouts are in seconds.

    `extra` are fields of the JSON body that the ticket sets; they replace lfg's own. `stream` is
    False for an answer that comes at once; `cache` allows marks for the provider's prompt cache.
    `turn` is the number of the response within its ticket. `output_bound` is the config's limit on
    all tokens of the response, thinking included. `on_answer` is to be called once the head of the
    response has come, with the seconds that its connection took to open, None if it was open.
    `apart` keeps pieces of a text that arrive together apart, so that the doctor can count them.
    `is_seen` returns True while a person has the answer in view; None if nobody looks on.

    For agents on this machine there are the id of the `ticket`, the only one that an agent serves,
    its `workspace`, the `confinement` of its programs, the ticket's earlier `session`, and the
    names of its MCP servers (`mcp`).
    """

    model: str
    messages: Sequence[Message]
    system: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int = 8192
    output_bound: int | None = None
    reasoning: Reasoning | None = None
    extra: dict[str, object] = field(default_factory=dict)
    stream: bool = True
    cache: bool = True
    turn: int = 1
    first_token_timeout: float = 120.0
    idle_timeout: float = 120.0
    apart: bool = False
    ticket: str = ""
    workspace: str = ""
    confinement: Confinement = UNCONFINED
    mcp: tuple[str, ...] = ()
    session: Session | None = None
    on_answer: Callable[[float | None], None] = field(default=lambda _: None, compare=False)
    is_seen: Callable[[], bool] | None = field(default=None, compare=False)


@runtime_checkable
class ListsModels(Protocol):
    """A provider whose wire has a list of models."""

    async def models(self) -> list[str]:
        """Return the models' names as the server gives them; raise `ProviderError`."""
        ...


@runtime_checkable
class HasFingerprints(Protocol):
    """A provider that can tell if two requests are equal, so that an answer can be reused.

    An agent cannot: asked again, it also acts again.
    """

    def fingerprint(self, request: Request) -> str:
        """Return a text shared only by requests of the same bytes to this server with this key."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A provider that can get ready for a ticket ahead of time: connect, or start an agent."""

    def prepare(self, request: Request) -> None:
        """Get ready, in the background, for the ticket's next request, which is like this one.

        Errors are left to that request.
        """
        ...


class Stream(Protocol):
    """The events of one response as they arrive.

    Iterating raises `ProviderError`, and nothing else, when the request is refused or the
    response breaks off, after all events that came before. A stream whose source takes messages
    or answers meanwhile also has `TakesMessages` or `TakesAnswers`.
    """

    def __aiter__(self) -> AsyncIterator[WireEvent]: ...

    async def aclose(self) -> None:
        """End the request at once, as cancelling the task that iterates does.

        An agent that understands a cancel is sent one.
        """
        ...


@runtime_checkable
class TakesMessages(Protocol):
    """A stream whose source may take a message while the response is under way."""

    def tell(self, message: int, text: str) -> None:
        """Pass on a message of the person, without waiting; `message` is its entry's `seq`.

        `MessageTaken(message)` in the stream reports that it was taken, and at which point; until
        then it counts as unsent.
        """
        ...


@runtime_checkable
class TakesAnswers(Protocol):
    """A stream whose source asks, by `ApprovalRequested`, before it makes a call of its own."""

    def answer(self, call_id: str, option: ApprovalOption | None) -> None:
        """Answer the question with one of its options; None withdraws it."""
        ...


class Provider(Protocol):
    """A server or an agent that answers requests."""

    def stream(self, request: Request) -> Stream:
        """Return the response to a request, which is sent when the first event is awaited."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def budget_of(reasoning: Reasoning) -> int:
    """Return the thinking budget in tokens."""
    return reasoning if isinstance(reasoning, int) else BUDGETS[reasoning]


def effort_of(reasoning: Reasoning) -> Effort:
    """Return the effort; for a number of tokens, the effort with the nearest budget."""
    budget = budget_of(reasoning)
    return min(BUDGETS, key=lambda effort: abs(BUDGETS[effort] - budget))


def local_host(host: str) -> bool:
    """Return True if the host is this machine: a connection to it must not use a proxy."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def sdk_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the extra headers, spelled so that they replace the SDK's own.

    Compression is declined: a proxy that compresses also buffers.
    """
    return {"Accept-Encoding": "identity"} | {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in headers.items()
    }
