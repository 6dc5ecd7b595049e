"""`Wire` and `Writer`, which the server uses of each API, and functions that all wires share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import msgspec

from lfgtui.simulator.ids import CallWire, IdFactory
from lfgtui.simulator.playback import Ended, Piece, Reply, Segment, Started, WireStep
from lfgtui.simulator.request import Conversation, Refused, Request, tokens
from lfgtui.simulator.wires.shapes import Fault

Json: TypeAlias = dict[str, Any]
"""A JSON object; in requests its shape has been checked (`shapes`), unless the client is lfg."""

_encoder = msgspec.json.Encoder()


class Writer(ABC):
    """Writes one reply: as a stream (`open`, `write` for each step, `close`) or whole (`body`).

    `body` in the constructor is the request's: some of its fields change the reply.
    """

    wire: ClassVar[CallWire]
    ping = b": keep-alive\n\n"

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        self._reply = reply
        self._ids = ids
        self._body = body
        self._options = body.get("stream_options") or {}

    def write(self, step: WireStep) -> bytes:
        """Return the records of one step."""
        match step:
            case Started(segment):
                return self._start(segment)
            case Piece(segment, text):
                return self._piece(segment, text)
            case Ended(segment):
                return self._end(segment)
        return self.ping

    @abstractmethod
    def open(self) -> bytes:
        """Return what comes before the first segment."""

    @abstractmethod
    def close(self) -> bytes:
        """Return what comes after the last segment."""

    @abstractmethod
    def broken(self) -> bytes:
        """Return an error to be sent instead of the rest of a stream with status 200."""

    @abstractmethod
    def body(self) -> bytes:
        """Return the reply to a request that does not stream."""

    @abstractmethod
    def _start(self, segment: Segment) -> bytes: ...

    @abstractmethod
    def _piece(self, segment: Segment, text: str) -> bytes: ...

    @abstractmethod
    def _end(self, segment: Segment) -> bytes: ...

    def _call_id(self, segment: Segment) -> str:
        reply = self._reply
        return self._ids.call(self.wire, reply.nonce, segment.place, reply.reasoning)


class Wire(ABC):
    """One API, at `path`. `params` names the SDK's type of its requests, as `module:type`.

    `id_header` is the header with a request's id. `keeps_marked`: `PromptCache` counts its cached
    tokens, up to marks in the request; otherwise `build_request` does.
    """

    path: ClassVar[str]
    params: ClassVar[str]
    id_header: ClassVar[str]
    writer: ClassVar[type[Writer]]
    keeps_marked: ClassVar[bool] = False

    @abstractmethod
    def authorise(self, headers: Mapping[str, str], key: str | None) -> None:
        """Raise `Refused` unless the request has this key; None requires none."""

    @abstractmethod
    def read(self, body: Json, ids: IdFactory) -> Request:
        """Return the request in a body of the right shape, checked by the service's rules.

        Raises `Refused`.
        """

    @abstractmethod
    def misshapen(self, fault: Fault) -> Refused:
        """Return the error for a body of the wrong shape."""

    @abstractmethod
    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        """Return the status and the body of an error."""


def build_request(
    body: Json,
    items: Sequence[Json],
    conversation: Conversation,
    *,
    max_tokens: int | None,
    reasoning: bool,
    cached: Callable[[int, int], int],
) -> Request:
    """Return a request that has passed all checks; `items` are the messages or items of its body.

    `cached` returns how many tokens were cached, given the number of all tokens and of those
    since the last response.
    """
    parts = ("system", "instructions", "tools", "messages", "input")
    total = _token_count([body.get(part) for part in parts])
    begun = conversation.turns[-1] if conversation.turns else 0
    functions = [tool.get("function", tool) for tool in body.get("tools") or ()]
    return Request(
        model=body["model"],
        stream=bool(body.get("stream")),
        conversation=conversation,
        max_tokens=max_tokens,
        reasoning=reasoning,
        tools=frozenset(function.get("name", "") for function in functions),
        input_tokens=total,
        cached_tokens=cached(total, _token_count(items[begun:])),
    )


def _token_count(value: object) -> int:
    return tokens(len(dump(value)))


def dump(value: object) -> bytes:
    """Return compact JSON, in which characters beyond ASCII are not escaped."""
    return _encoder.encode(value)


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or parts, some of which have text."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return content if isinstance(content, str) else ""


def record(data: Json, event: str | None = None) -> bytes:
    """Return one SSE record."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + dump(data) + b"\n\n"


def bearer(headers: Mapping[str, str]) -> str:
    """Return the key of an `Authorization: Bearer` header, "" if there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
