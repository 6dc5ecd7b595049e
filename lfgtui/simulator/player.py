"""A reply on its way: its steps, written and waited for.

Everything that could be decided beforehand is (`performance`); what is left
here is time and the socket. A `Break` of the connection is an ASGI application
that returns in the middle of its body: uvicorn then closes the socket and the
client sees an incomplete chunked read, as it would of a real server that died.
"""

import asyncio
import socket
import struct
from collections.abc import Iterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lfgtui.simulator.playback import Break, Pause, Step
from lfgtui.simulator.scenario import CutHow
from lfgtui.simulator.state import SimulatorState
from lfgtui.simulator.wires.base import Writer


class Playback(Response):
    """A reply that is sent step by step, until it is done or the client has gone."""

    def __init__(
        self,
        state: SimulatorState,
        writer: Writer,
        steps: Iterator[Step],
        headers: Mapping[str, str],
        *,
        stream: bool,
    ) -> None:
        kind = "text/event-stream; charset=utf-8" if stream else "application/json"
        super().__init__(headers={**headers, "content-type": kind, "cache-control": "no-cache"})
        del self.headers["content-length"]
        self._state = state
        self._writer = writer
        self._steps = steps
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._state.replying():
            played = self._play_stream if self._stream else self._play_whole
            play = played(send, scope["state"]["transport"])
            playing = asyncio.ensure_future(play)
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                playing.cancel()
                await asyncio.gather(playing, leaving, return_exceptions=True)
        if not playing.cancelled():
            playing.result()

    async def _play_stream(self, send: Send, transport: asyncio.Transport) -> None:
        await self._start(send)
        await _send(send, self._writer.open())
        clock = _Clock(self._state.settings.speed)
        for step in self._steps:
            if isinstance(step, Pause):
                await clock.wait(step.seconds)
            elif not isinstance(step, Break):
                await _send(send, self._writer.write(step))
            elif step.how == "error":
                await _send(send, self._writer.broken())
                await _send(send, b"", more=False)
                return
            else:
                await _break(step.how, transport)
                return
        await _send(send, self._writer.close())
        await _send(send, b"", more=False)

    async def _play_whole(self, send: Send, transport: asyncio.Transport) -> None:
        clock = _Clock(self._state.settings.speed)
        last: Step | None = None
        for step in self._steps:
            if isinstance(step, Pause):
                await clock.wait(step.seconds)
            last = step
        body = self._writer.body()
        self.headers["content-length"] = str(len(body))
        await self._start(send)
        if isinstance(last, Break):
            await _send(send, body[: len(body) // 2])
            await _break(last.how, transport)
        else:
            await _send(send, body, more=False)

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})


class _Clock:
    """Waits by due time, so that small delays do not add up to a slower pace."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._due = asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> None:
        if not self._speed:
            await asyncio.sleep(0)
            return
        self._due += seconds / self._speed
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))


async def _break(how: CutHow, transport: asyncio.Transport) -> None:
    """Do what comes before the application returns, which closes the socket."""
    if how == "reset":
        bound = transport.get_extra_info("socket")
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    elif how == "half-open":
        await asyncio.Event().wait()  # until the client has gone, or the server goes


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    if body or not more:
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
