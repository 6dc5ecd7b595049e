"""A provider as the rest of lfg knows it, and the two halves it is made of.

The **decoder** takes decoded records and gives events: no I/O, total, so it
can be tested with nothing but recorded bodies. The **pump** has the SDK build
and send the request and runs the decoder over what comes back.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from lfgtui.errors import ProviderError
from lfgtui.model.conversation import Message
from lfgtui.model.events import WireEvent
from lfgtui.model.tickets import Reasoning


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One model request, in no wire's terms. Timeouts are in seconds."""

    model: str
    messages: Sequence[Message]
    system: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int = 8192
    reasoning: Reasoning | None = None
    extra: dict[str, object] = field(default_factory=dict)
    stream: bool = True
    cache: bool = True
    turn: int = 1
    first_token_timeout: float = 120.0
    idle_timeout: float = 120.0


class Decoder(Protocol):
    """The translation of one response's records to events.

    `feed` never raises: it counts records of unknown types in `unknown`, by type. An
    error the stream itself reports becomes `failure`, to be raised by the
    pump once the events before it are out. `finish` is called once, at the
    end of the body, and closes what is open; its last event is
    `ResponseFinished` unless there is a `failure`. `done` is set once the wire
    announced its own end: nothing that matters follows. `wire_stop_reason` is
    the stop reason in the wire's own words, None where it never gave one.
    """

    failure: ProviderError | None
    unknown: Counter[str]
    done: bool
    wire_stop_reason: str | None

    def feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        """Decode one SSE record: its `event:` name ("" where none) and its data."""
        ...

    def finish(self) -> Sequence[WireEvent]:
        """Close what is open, at the end of the body."""
        ...

    def decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        """Decode the JSON body of a request without streaming; `finish` follows as ever."""
        ...


@runtime_checkable
class ListsModels(Protocol):
    """A provider whose wire has a list of models."""

    async def models(self) -> list[str]:
        """Return their names as the server gives them; raise `ProviderError`."""
        ...


class Provider(Protocol):
    """A place that answers requests."""

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of one response as they arrive.

        Raises `ProviderError`, and nothing else, when the request is refused
        or the stream breaks; what arrived before was yielded. Closing the
        generator, or cancelling the task in it, ends the request at once.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
