"""Requests as they look on the wire, for the doctor to find out why a stream does not stream.

A probe uses hooks of the HTTP client inside a provider: requests are sent and
responses read as always, and a provider without a probe has no such hooks at
all. It is below the SSE reader and sees the body as it comes off the connection,
compressed if the server compressed it. It is for one request at a time.

httpx2 hands over a chunked body chunk by chunk, even if one read of the socket
brought a hundred of them, and between two of them lfg's own decoder works. So
each piece is noted with the time that was spent waiting for it: one without any
had already arrived, however busy this machine is.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

import httpx
import httpx2

from lfgtui.providers.transport.response_guard import Client, FilteredBody, Response

T = TypeVar("T")
Trace: TypeAlias = Callable[[str, dict[str, object]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a body: when it came (`time.monotonic`), after how many seconds of waiting."""

    at: float
    waited: float
    size: int


@dataclass(slots=True)
class Exchange:
    """A request and its response as far as they got.

    `begun`, `sent` (the request), `answered` (its headers) and `ended` are
    moments of `time.monotonic`; `lookup`, `connect` (without `lookup`, if that
    is known) and `tls` are seconds. None is for what did not happen: a
    connection that was open is not opened. `peer` is the host connected to,
    which is a proxy if one is set. `complete`: the body came to its end.
    """

    url: str
    begun: float
    peer: str | None = None
    lookup: float | None = None
    connect: float | None = None
    tls: float | None = None
    sent: float | None = None
    answered: float | None = None
    status: int | None = None
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: list[Piece] = field(default_factory=list)
    ended: float | None = None
    complete: bool = False


class Probe:
    """The exchanges of the clients it watches, and the records their decoders did not know.

    `lookups`, which the doctor keeps, grows by the seconds of each name look-up of the event
    loop. A watched provider sets `unknown` to its decoder's counter before each response.
    """

    def __init__(self, lookups: Sequence[float] = ()) -> None:
        self.exchanges: list[Exchange] = []
        self.unknown: Counter[str] = Counter()
        self._lookups = lookups

    def watch(self, client: Client) -> None:
        """Note what the client, the SDKs' or httpx's own, sends and gets from now on."""
        client.event_hooks = {
            "request": [*client.event_hooks["request"], self._on_request],
            # Before the guard, which decompresses.
            "response": [self._on_response, *client.event_hooks["response"]],
        }

    async def _on_request(self, request: httpx2.Request | httpx.Request) -> None:
        url = request.url.copy_with(username=None, password=None, query=None, fragment=None)
        exchange = Exchange(str(url), monotonic())
        self.exchanges.append(exchange)
        request.extensions["trace"] = _trace(exchange, self._lookups)

    async def _on_response(self, response: Response) -> None:
        exchange = self.exchanges[-1]
        exchange.status = response.status_code
        exchange.http_version = response.http_version
        exchange.headers = tuple(response.headers.multi_items())
        response.stream = FilteredBody(response, lambda chunks: _noted(chunks, exchange))


@runtime_checkable
class Watchable(Protocol):
    """A provider that a probe can be put on."""

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on."""
        ...


async def timed(arrival: Awaitable[T]) -> tuple[T, float]:
    """Return what arrives, and the seconds waited: 0 if the task did not stop for it.

    A callback of `call_soon` runs as soon as the task stops, and not before.
    """
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True

    mark = asyncio.get_running_loop().call_soon(stop)
    began = monotonic()
    try:
        arrived = await arrival
    finally:
        mark.cancel()
    return arrived, monotonic() - began if stopped else 0.0


def _trace(exchange: Exchange, lookups: Sequence[float]) -> Trace:
    """Return a `trace` extension, which httpcore calls at each step of a request, by name.

    The names are documented (https://www.encode.io/httpcore/extensions/#trace) except
    for their first word, which is not the same on connections through a proxy.
    """
    since: dict[str, float] = {}
    lookups_before = 0

    async def note(name: str, info: dict[str, object]) -> None:
        nonlocal lookups_before
        now = monotonic()
        match name.split(".")[-2:]:
            case ["connect_tcp", "started"]:
                exchange.peer = f"{info.get('host')}:{info.get('port')}"
                since["connect"], lookups_before = now, len(lookups)
            case ["connect_tcp", "complete"]:
                looked = lookups[lookups_before:]
                exchange.lookup = sum(looked) if looked else None
                exchange.connect = now - since["connect"] - sum(looked)
            case ["start_tls", "started"]:
                since["tls"] = now
            case ["start_tls", "complete"]:
                exchange.tls = now - since["tls"]
            case ["send_request_body", "complete"]:
                exchange.sent = now
            case ["receive_response_headers", "complete"]:
                exchange.answered = now

    return note


async def _noted(
    chunks: AsyncGenerator[bytes, None], exchange: Exchange
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks and note each in the exchange."""
    try:
        async with aclosing(chunks):
            while True:
                chunk, waited = await timed(anext(chunks, None))
                if chunk is None:
                    break
                exchange.pieces.append(Piece(monotonic(), waited, len(chunk)))
                yield chunk
        exchange.complete = True
    finally:
        exchange.ended = monotonic()
