"""The bounded ways over which the MCP package speaks: a process's pipes, or an HTTP client.

The package could start the process itself, but the process's children would outlive a killed lfg,
and the package's reader has no bounds. Here a line that is too long ends the conversation, and so
do many lines that are not messages. Lines are read slowly enough for the screen to keep up.

From an address the package reads a whole body, however long it is, and httpx2 decompresses a piece
at once, however large the result. So a body that is too long is refused, and compression neither
asked for nor read. The package itself bounds the events of a stream, and follows no redirect to
another host.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
import httpx2
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from lfgtui.processes.child import MEGABYTE, ChildLimits, ChildProcess, UnwritableError
from lfgtui.processes.lines import Line, LongLine, PartialLine
from lfgtui.tools.mcp.definitions import shown

LIMITS = ChildLimits(line_bytes=8 * MEGABYTE, unsent_bytes=8 * MEGABYTE)
MOST_STRAYS = 1_000
"""Most lines that are not messages; some servers print a few at their start."""

_AT_ONCE, _PAUSE = 100, 0.02
"""Lines read between two pauses, and seconds of a pause: at most 5,000 lines a second."""

LARGEST_MESSAGE = 8 * MEGABYTE
"""Most bytes of a message, in a body or an event."""

_CONNECTING = 10.0
"""Seconds for anything but reading: connecting, sending."""

_SILENCE = 300.0
"""Seconds without a byte after which a stream of events is opened anew."""


class Pipes:
    """The streams of one process. `fault` says why lfg has stopped reading, in words."""

    def __init__(self, child: ChildProcess) -> None:
        self.fault = ""
        self.is_over = False
        """True once nothing more comes."""
        self._child = child
        self._strays = 0

    @asynccontextmanager
    async def streams(
        self,
    ) -> AsyncIterator[
        tuple[ObjectReceiveStream[SessionMessage | Exception], ObjectSendStream[SessionMessage]]
    ]:
        """Read and write during the body; a transport, as the package calls it."""
        received, inbound = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outbound, sent = anyio.create_memory_object_stream[SessionMessage](0)
        async with received, inbound, outbound, sent, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, received)
            tasks.start_soon(self._write, sent, received)
            try:
                yield inbound, outbound
            finally:
                tasks.cancel_scope.cancel()

    async def _read(self, received: ObjectSendStream[SessionMessage | Exception]) -> None:
        """Pass the process's messages on to the package until its output ends."""
        count = 0
        try:
            while lines := await self._child.read_lines():
                for line in lines:
                    if (message := self._message(line)) is not None:
                        await received.send(message)
                    count += 1
                    if count % _AT_ONCE == 0:
                        await asyncio.sleep(_PAUSE)
        except _UnreadableError as error:
            self.fault = str(error)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # the session is gone
        finally:
            self.is_over = True
            await received.aclose()

    def _message(self, line: Line) -> SessionMessage | None:
        """Return the line's message; None for other output. Raises `_UnreadableError`."""
        match line:
            case LongLine(_, limit):
                raise _UnreadableError(f"it sent a line of more than {limit:,} bytes")
            case PartialLine():
                pass
            case _:
                try:
                    return SessionMessage(jsonrpc_message_adapter.validate_json(line))
                except ValueError:
                    self._note_stray(line)
        return None

    def _note_stray(self, line: bytes) -> None:
        """Count a line that is not a message; after too many raise `_UnreadableError`."""
        if line.strip():
            self._strays += 1
        if self._strays > MOST_STRAYS:
            text = shown(line[:200].decode("utf-8", "replace"))
            raise _UnreadableError(f"its output is not MCP: {text}")

    async def _write(
        self,
        sent: ObjectReceiveStream[SessionMessage],
        received: ObjectSendStream[SessionMessage | Exception],
    ) -> None:
        """Pass the package's messages on to the process."""
        async for message in sent:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                await self._child.write_line(text.encode())
            except UnwritableError as error:
                self.fault = self.fault or f"it {error}"
                await received.aclose()
                return


class _UnreadableError(Exception):
    """Output after which the conversation cannot go on."""


def http_client(headers: Mapping[str, str]) -> httpx2.AsyncClient:
    """Return a client that sends the headers. Blocks: it reads certificates."""
    return httpx2.AsyncClient(
        headers=httpx2.Headers({**headers, "Accept-Encoding": "identity"}),
        timeout=httpx2.Timeout(_CONNECTING, read=_SILENCE),
        event_hooks={"response": [_check]},
    )


async def _check(response: httpx2.Response) -> None:
    """Give the response a body that raises if it is compressed, or longer than permitted."""
    headers, stream = response.headers, response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    is_events = headers.get("content-type", "").lower().startswith("text/event-stream")
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        reason = f"its answer is compressed ({shown(coding)}), although that was not asked for"
        kind = httpx2.SSEError if is_events else httpx2.StreamError  # the package passes these on
        response.stream = _Body(stream, 0, kind(reason))
    elif not is_events:
        reason = f"its answer has more than {LARGEST_MESSAGE:,} bytes"
        response.stream = _Body(stream, LARGEST_MESSAGE, httpx2.StreamError(reason))


class _Body(httpx2.AsyncByteStream):
    """A body with a bound; raises the error if it has more bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int, error: Exception) -> None:
        self._stream, self._left, self._error = stream, most, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise self._error
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
