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
    """The clients on its socket, of which it reads a line, and no more unasked."""

    hello: Hello
    _clients: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def joined(self, clients: int = 1) -> None:
        """Wait until so many have sent their first line."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(self._clients) >= clients)

    async def take(self) -> None:
        """Read one `LARGE` command of the viewer."""
        await self.joined()
        await self._clients[0][0].readexactly(len(line(LARGE)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"Watch" in await reader.readline():
            writer.write(line(self.hello))
        async with self._news:
            self._clients.append((reader, writer))
            self._news.notify_all()

    def leave(self) -> None:
        """Break all connections."""
        for _, writer in self._clients:
            writer.transport.abort()


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
