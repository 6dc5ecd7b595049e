"""uvicorn's connections, cut if the other side stops reading or never completes a request.

The other side may read slowly. `listen` gives these classes to uvicorn.
"""

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
    """A connection that is cut if no waiting data is read for `STALLED` seconds.

    It is checked only while uvicorn's writing is paused, because the buffer is full. A time limit
    for each message would cut off a slow reader of a long one again and again.
    """

    transport: asyncio.Transport
    _check: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._check_later()

    def resume_writing(self) -> None:
        self._check_no_more()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._check_no_more()
        super().connection_lost(exc)

    def _check_later(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(STALLED, self._check_progress, waiting)

    def _check_progress(self, before: int) -> None:
        """Cut the connection if it has as many bytes to write as `before`."""
        if self.transport.get_write_buffer_size() < before:
            self._check_later()
        else:
            self.transport.abort()

    def _check_no_more(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None


class HttpConnection(_Stalling, H11Protocol):
    """A connection of HTTP/1.1, which is cut if a request's head is not complete within `HEAD`.

    The token comes in the head, so a client without it cannot keep a connection open.
    """

    _head_timer: asyncio.TimerHandle | None = None

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
        if self._head_timer is None:
            self._head_timer = asyncio.get_running_loop().call_later(HEAD, self.transport.abort)

    def _await_head_no_more(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class OwnersConnection(HttpConnection):
    """A connection over the Unix socket, cut unless a process of its owner or of root made it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if not address.is_owner(transport.get_extra_info("socket")):
            transport.abort()
        super().connection_made(transport)


class WebSocketConnection(_Stalling, WebSocketsSansIOProtocol):
    """A connection that became a WebSocket; it is cut like any other if it stalls."""
