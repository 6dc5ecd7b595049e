"""A run watched from its own machine: first from the history, then from what it sends.

The history is read here, in the viewer's process, so that a viewer who comes late or reads slowly
costs the run nothing. Entries come in the run's order, each exactly once. All that were committed
come, even if the run is killed, since they are in the history.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from lfgtui import __version__
from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.reader import Reader, StoredTicket
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.clock import now
from lfgtui.model.event_json import entry_json
from lfgtui.model.events import Entry
from lfgtui.model.fold.states import ENDED
from lfgtui.processes.waiting import finish
from lfgtui.server.control.client import BrokenError, Lines, RunOverError, connect, is_at_work
from lfgtui.server.control.feed import raw_tickets
from lfgtui.server.control.messages import (
    PROTOCOL,
    Frame,
    FromViewer,
    Hello,
    Status,
    line,
    read_frame,
)
from lfgtui.settings import paths

_T = TypeVar("_T")

STALLED = 60.0
"""Seconds in which a run has to take a viewer's line."""

_FRAME_BYTES = 1 << 16
"""Bytes of stored entries after which a frame is full."""


async def watch(run: str, after: int, viewer: str) -> "Watching":
    """Begin to watch the run after the place `after`, even if it is over.

    Raises `UsageError` if there is no such run or the two versions cannot talk, `BrokenError` if
    it is at work but cannot be reached.
    """
    with suppress(RunOverError):
        return Watching(run, after, *await connect(run, viewer))
    return Watching(run, after, await asyncio.to_thread(_stored_hello, run))


class Watching:
    """A run that is watched from its own machine: a `remote_run.Watched`; `close` it in the end.

    `place` is that of the newest entry that `frames` has yielded. `hello` is the run's first line,
    or one made from the history, with `pid` 0, if the run is over; then nothing can be sent.
    """

    def __init__(
        self,
        run: str,
        after: int,
        hello: Hello,
        lines: Lines | None = None,
        writer: asyncio.StreamWriter | None = None,
    ) -> None:
        self.hello = hello
        self.place = after
        self._run = run
        self._lines = lines
        self._writer = writer

    def send(self, message: FromViewer) -> None:
        """Send a line to the run, if it is at work."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line(message))

    async def hand_on(self, message: FromViewer) -> None:
        """Pass on a client's line, and wait until the run takes it; raises `BrokenError`.

        So a client that sends faster than the run reads is slowed down, and fills no memory.
        """
        self.send(message)
        if self._writer is None:
            return
        try:
            async with asyncio.timeout(STALLED):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise BrokenError(f"run {self._run} is not responding to commands") from None
        except OSError:  # the run's process has ended, which `frames` notices
            pass

    def close(self) -> None:
        """Leave the run."""
        if self._writer is not None:
            self._writer.close()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield all that is new until the run's process has ended, and at last `has_ended`.

        Raises `BrokenError` if the connection breaks before, `HistoryError`, and `UsageError` if
        the run's lfg cannot be understood.
        """
        has_ended = self._lines is None
        if self._lines is not None:
            stored = self._stored(Path(self.hello.file), self.hello.stored_to)
            async with aclosing(stored), aclosing(self._sent(self._lines)) as sent:
                async for frame in stored:
                    yield frame
                async for frame in sent:
                    has_ended = has_ended or frame.has_ended
                    if not frame.has_ended:
                        yield frame
        if not has_ended and await asyncio.to_thread(is_at_work, self._run):
            raise BrokenError(f"the connection to run {self._run} broke")
        await asyncio.to_thread(_end_orphaned_runs)
        if self._lines is not None:
            # Tickets may have been added since the last frame.
            tickets = await asyncio.to_thread(_stored_tickets, self._run)
            yield Frame(tickets=raw_tickets([one.ticket for one in tickets]))
        async with aclosing(self._stored(paths.history_file(), None)) as stored:
            async for frame in stored:
                yield frame
        yield Frame(has_ended=True)

    async def _sent(self, lines: Lines) -> AsyncGenerator[Frame, None]:
        """Yield what the run sends and, from the history, the entries that it left out."""
        async for sent in lines:
            try:
                frame = read_frame(sent)
            except msgspec.MsgspecError as error:
                raise UsageError(
                    f"run {self._run} sent a line that cannot be read: {error}"
                ) from None
            if frame.stored_to:
                async with aclosing(self._stored(Path(frame.file), frame.stored_to)) as left_out:
                    async for stored in left_out:
                        yield stored
                continue
            self.place = frame.place or self.place
            yield frame

    async def _stored(self, file: Path, until: int | None) -> AsyncGenerator[Frame, None]:
        """Yield the file's entries after `place`, up to the place `until`; None: to the end."""
        if until is not None and until <= self.place:
            return
        reader = await _to_its_end(partial(Reader, file))
        try:
            read = partial(reader.entries_after, self._run, self.place, until)
            entries = await _to_its_end(read)
            while frame := await _to_its_end(partial(_frame, entries)):
                self.place = frame.place
                yield frame
        finally:
            await _to_its_end(reader.close)


async def _to_its_end(work: Callable[[], _T]) -> _T:
    """Do the work in a thread, and wait for it even if cancelled.

    A thread cannot be stopped, and closing a connection of SQLite while another thread reads from
    it crashes the process.
    """
    # A future, not a task: the end of the loop would cancel a task.
    return await finish(asyncio.get_running_loop().run_in_executor(None, work))


def _frame(entries: Iterator[Entry]) -> Frame | None:
    """Return the next entries as a frame; None if there are none."""
    texts: list[msgspec.Raw] = []
    place = size = 0
    for entry in entries:
        texts.append(msgspec.Raw(entry_json(entry).encode()))
        place, size = entry.place, size + len(texts[-1])
        if size >= _FRAME_BYTES:
            break
    return Frame(tuple(texts), place) if texts else None


def _end_orphaned_runs() -> None:
    """Mark runs whose process was killed as interrupted, as each `Recorder` does when it opens."""
    path = paths.history_file()
    with suppress(HistoryError, OSError):  # a history that cannot be written may still be read
        if path.exists():
            Recorder(path).close()


def _stored_tickets(run: str) -> list[StoredTicket]:
    with Reader(paths.history_file()) as reader:
        return reader.tickets(run)


def _stored_hello(run: str) -> Hello:
    """Return the first line for a run that no process works on."""
    _end_orphaned_runs()
    with Reader(paths.history_file()) as reader:
        title, tickets = reader.run(run).title, reader.tickets(run)
    return Hello(
        PROTOCOL,
        __version__,
        run,
        title,
        now=now(),
        tickets=raw_tickets([one.ticket for one in tickets]),
        status=Status(unfinished=tuple(t.ticket.id for t in tickets if t.state not in ENDED)),
    )
