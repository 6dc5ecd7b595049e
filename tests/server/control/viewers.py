"""Viewers of a run, and what they were given."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from lfgtui.engine.commands import Command
from lfgtui.model import events as e
from lfgtui.model.event_json import read_entry
from lfgtui.server.control.messages import Frame, FromViewer, Hello, Status, read_ticket
from lfgtui.server.control.watching import Watching, watch
from tests.engine.harness import Room


@dataclass
class Seen:
    """What a viewer was given so far."""

    watching: Watching
    entries: list[e.Entry] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    status: Status = field(default_factory=Status)
    tickets: list[str] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    has_ended: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reading: asyncio.Future[None] = field(default_factory=asyncio.Future)

    @property
    def hello(self) -> Hello:
        return self.watching.hello

    @property
    def places(self) -> list[int]:
        return [entry.place for entry in self.entries]

    def begin(self) -> None:
        """Take all frames from now on."""
        self._reading = asyncio.create_task(self._read())

    async def leave(self) -> None:
        """Take none any more."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self.watching.close()

    async def _read(self) -> None:
        self.status = self.hello.status
        self.tickets = [read_ticket(raw).id for raw in self.hello.tickets]
        async for frame in self.watching.frames():
            async with self._news:
                self._take(frame)
                self._news.notify_all()

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.tickets:
            self.tickets = [read_ticket(raw).id for raw in frame.tickets]
        self.status = frame.status or self.status
        entries = [read_entry(raw) for raw in frame.entries]
        assert {entry.ticket for entry in entries} <= {*self.tickets}
        self.entries += entries
        if frame.answer:
            self.answers[frame.answer] = frame.error
        self.has_ended = frame.has_ended

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until frames have made the condition true."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: bool(condition()))

    async def all_of(self, run: Room, after: int = 0) -> None:
        """Wait until it was given what the run delivered behind that place, and check that."""
        await self.until(lambda: self.places[-1:] == [run.seen[-1].place])
        due = [entry for entry in run.seen if entry.place > after]
        assert self.entries == [msgspec.structs.replace(entry, saved=True) for entry in due]

    async def do(self, command: Command) -> str:
        """Have it done; return why it was not, or ""."""
        number = len(self.answers) + 1
        self.watching.send(FromViewer(number, command))
        await self.until(lambda: number in self.answers)
        return self.answers[number]


@asynccontextmanager
async def viewer(
    run: str, after: int = 0, name: str = "ann@here", *, reads: bool = True
) -> AsyncIterator[Seen]:
    """Somebody who watches the run from that place on; without `reads`, once they `begin`."""
    watching = await watch(run, after, name)
    seen = Seen(watching)
    if reads:
        seen.begin()
    try:
        yield seen
    finally:
        await seen.leave()
