"""The pipes of a supervised process, as the streams that the MCP package speaks over.

The package would start the process itself, but processes of its children would outlive a killed
lfg, and its reader has no bounds. Here a line that is too long ends the conversation, and so do
many lines that are not messages; all others are read no faster than the screen can bear.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from lfgtui.processes.child import MEGABYTE, ChildLimits, ChildProcess, UnwritableError
from lfgtui.processes.lines import Line, LongLine, PartialLine
from lfgtui.tools.mcp.definitions import shown

LIMITS = ChildLimits(line_bytes=8 * MEGABYTE, unsent_bytes=8 * MEGABYTE)
MOST_STRAYS = 1_000
"""Most lines that are not messages; some servers begin with a few words."""

_AT_ONCE, _PAUSE = 100, 0.02
"""Lines read between two pauses, and seconds of a pause: at most 5,000 lines a second."""


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
