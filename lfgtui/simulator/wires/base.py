"""The parts of a wire that the server uses, and what the three wires share."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Reply, WireStep
from lfgtui.simulator.request import Refused, Request, tokens
from lfgtui.simulator.wires.shapes import Fault

Json: TypeAlias = dict[str, Any]
"""JSON in the shape that the SDK's types have checked, or that a writer gives it."""

_encoder = msgspec.json.Encoder()


class Writer(Protocol):
    """Writes one reply: as a stream (`open`, `write`..., `close`) or whole (`body`)."""

    def open(self) -> bytes:
        """Return what comes before the first segment."""
        ...

    def write(self, step: WireStep) -> bytes:
        """Return the records of one step."""
        ...

    def close(self) -> bytes:
        """Return what comes after the last segment."""
        ...

    def broken(self) -> bytes:
        """Return an error inside the 200, in place of the rest."""
        ...

    def body(self) -> bytes:
        """Return the reply to a request that does not stream."""
        ...


class Wire(Protocol):
    """One API. `params` names the SDK's type of its requests, `id_header` the header of an id."""

    path: str
    params: str
    id_header: str

    def authorise(self, headers: Mapping[str, str], key: str) -> None:
        """Raise `Refused` unless the request carries the key."""
        ...

    def read(self, body: Json, headers: Mapping[str, str], ids: IdFactory) -> Request:
        """Check a body of the right shape as the service does; raises `Refused`."""
        ...

    def writer(self, reply: Reply, ids: IdFactory, body: Json) -> Writer:
        """Return a writer of the reply to the body."""
        ...

    def misshapen(self, fault: Fault) -> Refused:
        """Return the error for a body of the wrong shape."""
        ...

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        """Return the status and the body of an error."""
        ...


def dump(value: object) -> bytes:
    """Return compact JSON, characters as they are."""
    return _encoder.encode(value)


def token_count(value: object) -> int:
    """Estimate how many tokens a value is as JSON."""
    return tokens(len(dump(value)))


def prompt_tokens(body: Json) -> int:
    """Estimate how many tokens of a request are its prompt: instructions, tools, messages."""
    keys = ("system", "instructions", "tools", "messages", "input")
    return token_count([body.get(key) for key in keys])


def text_of(content: object) -> str:
    """Return the text of a content: a string, or parts of which those with a text count."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return content if isinstance(content, str) else ""


def record(data: Json, event: str | None = None) -> bytes:
    """Return one SSE record."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + dump(data) + b"\n\n"


def bearer(headers: Mapping[str, str]) -> str:
    """Return the key of an `Authorization: Bearer` header, "" where there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
