"""A run that is at work, and takes what it is sent only when the test does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lfgtui.engine.commands import Cancel
from lfgtui.server.control.address import short_address, socket_path
from lfgtui.server.control.messages import PROTOCOL, FromViewer, Hello, line
from tests.engine.harness import Room

LARGE = FromViewer(1, Cancel("x" * (1 << 20)))
"""A command that is more than is on its way on a socket."""


@dataclass
class SlowRun:
    """What comes on its socket, of which it reads little unasked."""

    hello: Hello
    _sent: "asyncio.Future[asyncio.StreamReader]" = field(default_factory=asyncio.Future)
    _writer: asyncio.StreamWriter | None = None

    async def take(self) -> None:
        """Read one `LARGE` command."""
        reader = await self._sent
        await reader.readexactly(len(line(LARGE)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil()
        writer.write(line(self.hello))
        self._sent.set_result(reader)
        self._writer = writer

    def leave(self) -> None:
        """Break the connection."""
        if self._writer is not None:
            self._writer.transport.abort()


@asynccontextmanager
async def slow(r: Room) -> AsyncIterator[SlowRun]:
    """Take the place of the run on its socket."""
    path = socket_path(r.engine.run)
    await asyncio.to_thread(path.rename, path.with_suffix(".kept"))
    run = SlowRun(Hello(PROTOCOL, "1", r.engine.run, pid=1))
    with short_address(path) as address:
        server = await asyncio.start_unix_server(run.serve, address, limit=1 << 10)
    try:
        yield run
    finally:
        server.close()
        run.leave()
