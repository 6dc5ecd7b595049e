"""Connections whose other side may read slowly, but not stop reading."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lfgtui.server.control import address

STALLED = 60.0
"""Seconds in which the other side has to read some of the waiting data."""


HEAD = 10.0
"""Seconds in which the head of a request has to be complete."""


class _Stalling(asyncio.Protocol):
    """A connection that is cut if no waiting data is read.

    A time limit for each message would cut off a slow reader of a long one again and again.
    """

    transport: asyncio.Transport
    _look: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        self._look_no_more()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_no_more()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(STALLED, self._look_again, waiting)

    def _look_again(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._look_later()
        else:
            self.transport.abort()

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None


class HttpConnection(_Stalling, H11Protocol):
    """A connection of HTTP/1.1, which is cut if a request does not become complete.

    So clients that do not know the token, which comes in the request, are cut, too.
    """

    _no_head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        else:
            self._await_head_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_head_no_more()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._no_head is None:
            self._no_head = asyncio.get_running_loop().call_later(HEAD, self.transport.abort)

    def _await_head_no_more(self) -> None:
        if self._no_head is not None:
            self._no_head.cancel()
            self._no_head = None


class OwnersConnection(HttpConnection):
    """A connection over the Unix socket: of its owner, or of root."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if not address.is_owner(transport.get_extra_info("socket")):
            transport.abort()
        super().connection_made(transport)


class WebSocketConnection(_Stalling, WebSocketsSansIOProtocol):
    """A connection that became a WebSocket."""
