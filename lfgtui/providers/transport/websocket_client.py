"""The library's WebSocket client, with bounds on the work that a server can cause.

The library parses at once all that one read of the socket brings: a quarter of
a megabyte, which may be 60,000 frames. It answers each ping, even if the server
does not read the answers. And it follows redirects with all headers but three.
Here frames are parsed a few kilobytes at a time, and the event loop runs in
between; nothing is read while too many answers wait to be sent; a redirect is a
refusal like any other.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from lfgtui.providers import limits

_SLICE = 4 * 1024  # bytes that are parsed at once
_STEP = 0.005
"""Seconds of parsing after which the event loop runs again."""

LAST_STEP = 0.5
"""Most seconds of parsing what is left when the connection ends; honest servers need a fifth."""

UNSENT = 16 * limits.MEGABYTE
"""Bytes waiting to be sent beyond which nothing more is read from the server."""


SILENT = logging.getLogger(f"{__name__}.library")
"""A logger for the library, which raises whatever it logs, too."""
SILENT.disabled = True


class Connecting(connect):
    """A connection attempt that follows no redirect."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the redirect as the refusal it is."""
        return exc


class Connection(ClientConnection):
    """A connection that also reports pings and each frame that arrives."""

    on_activity: Callable[[], None] | None = None
    """Called for each frame; the wire sets it once connected."""
    _was_pinged = False  # and `next_message` has not reported it yet
    _pings = 0  # in a row, without a message
    _waiting: asyncio.Timeout | None = None  # for the next message
    _is_held = False  # while enough messages wait to be taken, or too much to be sent
    _next_step: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set up as the library does, and take control of the flow of bytes."""
        super().connection_made(transport)
        self._unread = bytearray()
        self.recv_messages.pause = self._hold
        self.recv_messages.resume = self._release

    def data_received(self, data: bytes) -> None:
        """Parse a little now and the rest in later rounds of the event loop."""
        self._unread += data
        if self._next_step is None and not self._is_held:
            self._step()

    def eof_received(self) -> None:
        """Parse what came before the end, after which the library takes no more."""
        self._parse_rest()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Parse what came before; TLS hands on its last bytes and the loss together."""
        self._parse_rest()
        super().connection_lost(exc)

    def send_data(self) -> None:
        """Send as the library does, unless the connection is closing."""
        if not self.transport.is_closing():
            super().send_data()

    def resume_writing(self) -> None:
        """Continue to read, since the server reads again."""
        super().resume_writing()
        if self._is_held and not self.recv_messages.paused:
            self._release()

    def process_event(self, event: Event) -> None:
        """Handle a frame as the library does, and note that it arrived."""
        super().process_event(event)
        if self.on_activity is not None:
            self.on_activity()
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self._was_pinged = True
            self._pings += 1
            if self._waiting is not None and not self._waiting.expired():
                self._waiting.reschedule(self.loop.time())

    async def next_message(self) -> str | bytes | None:
        """Return the next message; None if the server pinged instead.

        A ping ends the wait by a timeout; the library guarantees that no message is lost.
        Raises `ProviderError` ("protocol") if nothing comes but pings.
        """
        if not self._was_pinged:
            try:
                async with asyncio.timeout(None) as self._waiting:
                    message = await self.recv()
                self._pings = 0
                return message
            except TimeoutError:
                if not self._was_pinged:
                    raise
            finally:
                self._waiting = None
        if self._pings > limits.QUIET_RECORDS:
            raise limits.without_content()
        self._was_pinged = False
        return None

    def post(self, text: str) -> bool:
        """Send a message without waiting until it has left; return False on a closed connection."""
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        self.protocol.send_text(text.encode())
        self.send_data()
        return True

    async def leave(self, code: int, seconds: float) -> None:
        """Close with the protocol's handshake, or without it after `seconds`.

        The library's own limit does not hold while its last frame cannot be sent
        because the server does not read.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.close(code)
        except TimeoutError:
            pass
        finally:
            self._abort()

    def _hold(self) -> None:
        """Read and parse nothing until `_release`; the library calls both for its queue."""
        self._is_held = True
        self.transport.pause_reading()

    def _release(self) -> None:
        self._is_held = False
        if self._unread:
            self._plan_step(self.loop.call_soon(self._step))
        else:
            self.transport.resume_reading()

    def _step(self) -> None:
        """Parse for at most `_STEP` seconds."""
        self._plan_step(None)
        until = monotonic() + _STEP
        while self._unread and not self._is_held and monotonic() < until:
            if self.transport.get_write_buffer_size() > UNSENT:
                self._hold()  # until `resume_writing`
                return
            self._parse_slice()
        if self._unread and not self._is_held:
            self.transport.pause_reading()
            self._plan_step(self.loop.call_soon(self._step))
        elif not self._is_held:
            self.transport.resume_reading()

    def _parse_rest(self) -> None:
        """Parse what is left, for at most `LAST_STEP` seconds, and drop the rest."""
        self._plan_step(None)
        until = monotonic() + LAST_STEP
        while self._unread and monotonic() < until:
            self._parse_slice()
        self._unread.clear()

    def _parse_slice(self) -> None:
        """Have the library parse `_SLICE` bytes; an error ends the connection."""
        data = bytes(self._unread[:_SLICE])
        del self._unread[:_SLICE]
        try:
            super().data_received(data)
        except Exception as error:  # for `next_message` to raise, not for the event loop
            self.set_connection_exc(error)
            self._abort()

    def _abort(self) -> None:
        self._unread.clear()
        self.transport.abort()

    def _plan_step(self, step: asyncio.Handle | None) -> None:
        """Replace the step that is planned; None plans none."""
        if self._next_step is not None:
            self._next_step.cancel()
        self._next_step = step
