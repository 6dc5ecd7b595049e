"""A run and its workers in one process: real engines, a real Redis, a simulator over HTTP."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lfgtui.cli.launching.remote.worker import Jobs
from lfgtui.engine.session import Session
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers.connection import Connection
from lfgtui.server.workers.run_workers import RunWorkers
from lfgtui.server.workers.worker import Worker
from lfgtui.settings.config import Config
from tests.engine.harness import Room, room


def workers_of(url: str, lease: float = 30.0) -> Callable[[Session], RunWorkers]:
    """What makes the workers of a run."""

    def make(session: Session) -> RunWorkers:
        out = session.recorder.hand_outs(session.run)
        return RunWorkers(session, "Test", Connection(url), lease, out, "origin")

    return make


@asynccontextmanager
async def run_of(
    folder: Path, tickets: Sequence[Ticket], url: str, *, lease: float = 30.0, **how: Any
) -> AsyncIterator[Room]:
    """A run that has workers."""
    async with room(folder, tickets, remote=workers_of(url, lease), **how) as here:
        yield here


class Said(list[str]):
    """The lines that a worker says."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def add(self, line: str) -> None:
        self.append(line)
        self._more.set()

    async def until(self, part: str) -> None:
        """Wait until a line has that in it."""
        async with asyncio.timeout(60):
            while not any(part in line for line in self):
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def worker(
    url: str, config: Config, name: str = "one", slots: int = 2, labels: Sequence[str] = ()
) -> AsyncIterator[Said]:
    """A worker at work, and what it says; at the end it gives back what it has."""
    said = Said()
    jobs = Jobs(config, name, slots)
    stopped: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    worker = Worker(Connection(url), name, jobs.open, slots=slots, labels=labels, say=said.add)
    task = asyncio.create_task(worker.run(stopped))
    try:
        yield said
    finally:
        stopped.set_result(signal.SIGTERM)
        await task
        await jobs.servers.aclose()


async def assert_whole(here: Room) -> None:
    """Check that the history has what was shown, each entry once and in order."""
    await asyncio.to_thread(_assert_whole, here)


def _assert_whole(here: Room) -> None:
    with Reader(here.history) as history:
        for ticket in here.engine.tickets:
            stored = list(history.whole_entries(here.engine.run, ticket.id))
            seen = [one for one in here.seen if one.ticket == ticket.id]
            assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
            assert stored[-len(seen) :] == seen
            faults = [one.event for one in stored if isinstance(one.event, e.GuardTripped)]
            assert [one for one in faults if one.guard == "history"] == []
