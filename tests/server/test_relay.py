"""The far side of an attachment."""

import asyncio
import socket
from pathlib import Path

from lfgtui.server.control.client import Lines
from lfgtui.server.control.messages import Watch, line
from lfgtui.server.relay import relay
from tests.server.control.slow_run import LARGE, slow
from tests.server.control.test_listening import at_work


class Flood(Lines):
    """A viewer whose many commands are there at once, and who then leaves."""

    def __init__(self, run: str) -> None:
        super().__init__(asyncio.StreamReader())
        self.taken = 0
        self._first = line(Watch(run))

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        if self.taken == 9:
            raise StopAsyncIteration
        self.taken += 1
        return line(LARGE)


async def test_it_takes_commands_no_faster_than_the_run(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_unix_connection(sock=ours)
        async with at_work(tmp_path) as r, slow(r) as run:
            lines = Flood(r.engine.run)
            relaying = asyncio.create_task(relay(lines, writer))
            for number in range(1, 9):
                await run.take()
                assert lines.taken <= number + 1
            await run.take()
            await relaying
        writer.close()
