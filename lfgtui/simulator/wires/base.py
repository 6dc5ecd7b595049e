"""What a wire is to the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from lfgtui.simulator.asked import Asked, Refused
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.performance import Reply, Written

T = TypeVar("T", bound=msgspec.Struct)
Json = dict[str, object]

_encoder = msgspec.json.Encoder()


class Writer(Protocol):
    """Writes one reply: as a stream (`open`, `write`..., `close`) or whole (`body`)."""

    def open(self) -> bytes:
        """What comes before the first segment."""
        ...

    def write(self, beat: Written) -> bytes:
        """The records of one beat."""
        ...

    def close(self) -> bytes:
        """What comes after the last segment."""
        ...

    def broken(self) -> bytes:
        """An error inside the 200, in place of the rest."""
        ...

    def body(self) -> bytes:
        """The same reply to a request that does not stream."""
        ...


class Question(Protocol):
    """A request that passed the checks."""

    @property
    def asked(self) -> Asked: ...

    def writer(self, reply: Reply) -> Writer: ...


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error as the wire writes it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """One API."""

    path: str

    def authorise(self, headers: Mapping[str, str], key: str) -> None:
        """Raise `Refused` (401) unless the request carries the key."""
        ...

    def read(self, body: bytes, headers: Mapping[str, str], mint: Mint) -> Question:
        """The request, checked as the real service checks it; raises `Refused`."""
        ...

    def refuse(self, refused: Refused, request_id: str) -> ErrorBody:
        """The error's status, headers and body."""
        ...

    def headers(self, request_id: str) -> dict[str, str]:
        """What every answer carries."""
        ...


def dump(value: object) -> bytes:
    """Compact JSON, characters as they are."""
    return _encoder.encode(value)


def record(data: Json, event: str | None = None) -> bytes:
    """One SSE record."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + dump(data) + b"\n\n"


def decode(body: bytes, kind: type[T], invalid_json: str) -> T:
    """The body as a request; raises `Refused` (400) naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at `$")
        field = at.rstrip("`").lstrip(".")
        message = f"{field}: {what}" if field else what
        raise Refused(400, "invalid", message, param=field or None) from None
    except msgspec.DecodeError:
        raise Refused(400, "invalid", invalid_json) from None


def bearer(headers: Mapping[str, str]) -> str:
    """The key of an `Authorization: Bearer` header, "" where there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
