"""The sockets under the SDKs' HTTP client, read by the event loop itself.

httpx2 reads through anyio, which adds the socket to the selector and removes it again for
every read: with a token in each, that costs as much as decoding it. Here the loop stays on
the socket, and a read takes whatever has arrived since the last one, so that a reader who
comes less often reads more at once; and while many streams are busy, readers do (`pace`).
Everything above stays httpx2's: connections and their
reuse, proxies, HTTP, errors, `trace`.

What has arrived is handed out before the news of a connection's end. `_AHEAD` bytes may lie
unread before the socket is left alone.

See decision 24.
"""

import asyncio
import os
import select
import socket
import ssl
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import TypeVar

import httpcore2
import httpx2

from lfgtui.providers.transport.pace import IsSeen, Pace

T = TypeVar("T")

_AHEAD = 65_536
_NEXT_ADDRESS = 0.25  # seconds until the next address of a host is tried too (RFC 8305, 8)


def read_by_loop(client: httpx2.AsyncClient) -> None:
    """Have the loop read the client's connections, to servers and to proxies alike.

    The SDKs make their transports themselves, and httpx2 takes a backend in no argument. A
    version that keeps its own elsewhere goes on reading through anyio.
    """
    backend = LoopBackend(Pace())
    with suppress(AttributeError):
        for transport in (client._transport, *client._mounts.values()):
            if isinstance(transport, httpx2.AsyncHTTPTransport):
                transport._pool._network_backend = backend


def pace_by(response: httpx2.Response, is_seen: IsSeen | None) -> None:
    """Read what is left of the response sooner while a person can see it, later while not."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, _Stream):
        stream.is_seen = is_seen


async def open_ahead(client: httpx2.AsyncClient, url: httpx2.URL, timeout: float) -> None:
    """Open a connection to the server of `url` for the next request, unless one is free.

    Raises as connecting does. To a server behind a proxy none is opened.
    """
    pool = getattr(client._transport_for_url(url), "_pool", None)
    backend = getattr(pool, "_network_backend", None)
    is_direct = type(pool) is httpcore2.AsyncConnectionPool  # those of proxies are subclasses
    if not is_direct or not isinstance(backend, LoopBackend):
        return
    if any(one.is_idle() and not one.has_expired() for one in getattr(pool, "connections", ())):
        return
    is_secure = url.scheme == "https"
    trust = getattr(pool, "_ssl_context", None)
    if not is_secure or trust is not None:
        host, port = url.raw_host.decode("ascii"), url.port or (443 if is_secure else 80)
        await backend.open_ahead(host, port, trust if is_secure else None, timeout)


async def close_ahead(client: httpx2.AsyncClient) -> None:
    """Close connections that were opened ahead for requests that never came."""
    for transport in (client._transport, *client._mounts.values()):
        backend = getattr(getattr(transport, "_pool", None), "_network_backend", None)
        if isinstance(backend, LoopBackend):
            await backend.close_ahead()


class LoopBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections over TCP, as httpcore2 wants them, that are read at one pace."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._ahead: dict[tuple[str, int], _Stream] = {}

    async def open_ahead(
        self, host: str, port: int, trust: ssl.SSLContext | None, timeout: float
    ) -> None:
        """Keep a connection ready for the next request, encrypted if there is `trust`."""
        if (there := self._ahead.get((host, port))) is not None and there.is_fresh:
            return
        stream = await self._connect(host, port, timeout)
        if trust is not None:
            await stream.start_tls(trust, host, timeout)
        earlier, self._ahead[host, port] = self._ahead.pop((host, port), None), stream
        if earlier is not None:
            await earlier.aclose()

    async def close_ahead(self) -> None:
        """Close the connections that are ready for a request."""
        while self._ahead:
            await self._ahead.popitem()[1].aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect, or take a connection opened ahead; raises `ConnectError` or `ConnectTimeout`."""
        stream = self._ahead.pop((host, port), None)
        if stream is None or not stream.is_fresh:
            if stream is not None:
                await stream.aclose()
            stream = await self._connect(host, port, timeout, local_address)
        for option in socket_options or ():
            stream.socket.setsockopt(*option)
        return stream

    async def _connect(
        self, host: str, port: int, timeout: float | None, local_address: str | None = None
    ) -> "_Stream":
        loop = asyncio.get_running_loop()
        local = (local_address, 0) if local_address else None
        connecting = loop.create_connection(
            lambda: _Stream(self._pace),
            host,
            port,
            local_addr=local,
            happy_eyeballs_delay=None if _is_address(host) else _NEXT_ADDRESS,
        )
        try:
            _, stream = await _within(timeout, connecting, httpcore2.ConnectTimeout)
        except OSError as error:
            raise httpcore2.ConnectError(_reason(error)) from error
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts to connect."""
        await asyncio.sleep(seconds)


class _Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """A connection: the loop's end, which is told what happens, and httpcore2's, which asks."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.is_seen: IsSeen | None = None
        self._arrived = bytearray()
        self._failure: Exception | None = None
        self._has_ended = self._is_closed = self._was_looked_at = False
        self._reader: asyncio.Future[None] | None = None
        self._secured: tuple[ssl.SSLContext, str | None] | None = None

    @property
    def is_fresh(self) -> bool:
        """True while the other side has neither sent anything nor closed the connection."""
        return not self._is_readable()

    @property
    def socket(self) -> socket.socket:
        """The socket, which is the loop's: for its options only."""
        its: socket.socket = self._transport.get_extra_info("socket")
        return its

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # Reading is paused here, also where TLS is on top, which would lose what it holds back.
        self._transport = self._base = transport

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if len(self._arrived) >= _AHEAD:
            self._base.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._has_ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self._failure = exc
        self.eof_received()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived, b"" at the end; raises `ReadError` or `ReadTimeout`."""
        if self._pace.seconds:
            self._base.pause_reading()
            await self._pace.rest(self.is_seen)
            self._base.resume_reading()
        if not self._arrived and not self._has_ended:
            self._reader = asyncio.get_running_loop().create_future()
            await _within(timeout, self._reader, httpcore2.ReadTimeout)
        self._pace.note(self)
        if not self._arrived and (self._is_closed or self._failure is not None):
            raise httpcore2.ReadError from self._failure
        data = bytes(self._arrived[:max_bytes])
        del self._arrived[:max_bytes]
        if len(self._arrived) < _AHEAD:
            self._base.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hand the bytes to the loop, which sends them; raises `WriteError`.

        Never waits: a request is in memory anyway, and whoever waits for its answer has a limit.
        """
        self.is_seen = None  # who sees the answer is said once it has begun
        if not self._transport.is_closing():
            self._transport.write(buffer)
        if self._transport.is_closing():
            raise httpcore2.WriteError from self._failure

    async def aclose(self) -> None:
        """Close the connection at once, whatever is under way."""
        self._is_closed = True
        self._transport.abort()
        await asyncio.sleep(0)  # then it is closed

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Encrypt the connection, unless it is; raises `ConnectError` or `ConnectTimeout`."""
        if self._secured == (ssl_context, server_hostname):
            return self
        shaking = asyncio.get_running_loop().start_tls(
            self._transport, self, ssl_context, server_hostname=server_hostname
        )
        try:
            transport = await _within(timeout, shaking, httpcore2.ConnectTimeout)
        except BaseException as error:
            await self.aclose()
            if not isinstance(error, OSError):
                raise
            reason = str(error) or "the connection was closed during the TLS handshake"
            raise httpcore2.ConnectError(reason) from error
        assert transport is not None
        self._transport = transport
        self._secured = ssl_context, server_hostname
        return self

    def get_extra_info(self, info: str) -> object:
        """Return what httpcore2 documents under that name."""
        match info:
            case "is_readable":
                return self._is_readable()
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return self._transport.get_extra_info(info)

    def _is_readable(self) -> bool:
        """Return True if something has arrived, if only the end, that the loop may not have seen.

        httpcore2 asks for every idle connection whenever a request begins or ends, and with each
        look at a socket another thread goes first. So it is looked at once in a turn of the loop.
        """
        if self._arrived or self._has_ended or self._was_looked_at:
            return bool(self._arrived) or self._has_ended
        self._was_looked_at = True
        asyncio.get_running_loop().call_soon(self._forget_look)
        poll = select.poll()
        try:
            poll.register(self.socket, select.POLLIN)
        except (OSError, ValueError):  # closed
            return True
        return bool(poll.poll(0))

    def _forget_look(self) -> None:
        self._was_looked_at = False


async def _within(
    seconds: float | None, arrival: Awaitable[T], late: type[httpcore2.TimeoutException]
) -> T:
    if seconds is None:
        return await arrival
    try:
        async with asyncio.timeout(seconds) as waiting:
            return await arrival
    except TimeoutError as error:
        if not waiting.expired():  # the system's own, from a server that does not answer
            raise
        raise late from error


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _reason(error: OSError) -> str:
    """Return why there is no connection; that of several addresses is no one's."""
    if isinstance(error, socket.gaierror):
        return str(error)
    return os.strerror(error.errno) if error.errno else "All connection attempts failed"


def _is_address(host: str) -> bool:
    """Return True for an address: asyncio's race for one may drop its socket if cancelled."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
