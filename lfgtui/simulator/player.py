"""Sends a reply: writes its steps, and waits between them.

What is sent was decided before (`playback`); here are only time and the socket. For
a `Break` of the connection, the ASGI application returns in the middle of its body:
uvicorn then closes the socket, and the client sees an incomplete chunked read, as
from a real server that died.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterable, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Send

from lfgtui.simulator.playback import Break, Pause, Step
from lfgtui.simulator.wires.base import Writer


class Playback(StreamingResponse):
    """A reply that is sent step by step, until it is done or the client has gone."""

    def __init__(
        self,
        writer: Writer,
        steps: Iterable[Step],
        headers: Mapping[str, str],
        transport: asyncio.Transport,
        *,
        speed: float,
        stream: bool,
    ) -> None:
        self._writer = writer
        self._steps = steps
        self._transport = transport
        self._speed = speed
        self._due = asyncio.get_running_loop().time()
        headers = {**headers, "cache-control": "no-cache"}
        if stream:
            super().__init__(self._stream(), headers=headers, media_type="text/event-stream")
        else:
            body = writer.body()
            headers["content-length"] = str(len(body))
            super().__init__(self._whole(body), headers=headers, media_type="application/json")

    async def stream_response(self, send: Send) -> None:
        """Send the head with the first chunk, then all chunks, or those before a break."""
        is_started = False
        try:
            async for chunk in self.body_iterator:
                if not is_started:
                    head = {"status": 200, "headers": self.raw_headers}
                    await send({"type": "http.response.start", **head})
                    is_started = True
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})
        except _BrokenOffError:
            return

    async def _stream(self) -> AsyncIterator[bytes]:
        """Yield the records of the stream, each when it is due."""
        yield self._writer.open()
        for step in self._steps:
            if isinstance(step, Pause):
                await self._wait(step.seconds)
            elif not isinstance(step, Break):
                yield self._writer.write(step)
            elif step.how == "error":
                yield self._writer.broken()
                return
            else:
                await self._break(step)
        yield self._writer.close()

    async def _whole(self, body: bytes) -> AsyncIterator[bytes]:
        """Yield the body after all pauses, or half of it before a break."""
        for step in self._steps:
            if isinstance(step, Pause):
                await self._wait(step.seconds)
            elif isinstance(step, Break):
                yield body[: len(body) // 2]
                await self._break(step)
        yield body

    async def _wait(self, seconds: float) -> None:
        """Wait until the step is due by the pauses so far, so that delays do not add up."""
        self._due += seconds / self._speed if self._speed else 0.0
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))

    async def _break(self, step: Break) -> None:
        """Break the connection off as the step says; raises `_BrokenOffError`."""
        if step.how == "reset":
            bound = self._transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif step.how == "half-open":
            await asyncio.Event().wait()  # until the client disconnects, or the server ends
        raise _BrokenOffError


class _BrokenOffError(Exception):
    """The reply ends in the middle of its body."""
