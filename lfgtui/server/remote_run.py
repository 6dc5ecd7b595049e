"""A run in another process, on this machine or another, as the screen sees it.

Entries are folded here just as the run's own process folds them. Commands go to that process, and
their effects come back as entries; `on_refusal` gets those that were refused. A broken connection
is replaced by a new one, which continues after the newest entry.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from typing import Protocol

import msgspec

from lfgtui.engine.commands import Command
from lfgtui.errors import LfgError, UsageError
from lfgtui.model.clock import now
from lfgtui.model.event_json import read_entry
from lfgtui.model.events import Entry, Sink
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.server.control.client import BrokenError
from lfgtui.server.control.messages import Frame, FromViewer, Hello, Status, read_ticket

SILENCE = 20.0
"""Seconds of silence after which the run counts as lost. A live one sends its status at least every
5 s (`control.listening.HEARTBEAT`)."""

_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each attempt to reach the run again; the last one repeats."""

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """A run that is being watched: a `control.watching.Watching` or a `host.HostConnection`."""

    @property
    def hello(self) -> Hello:
        """The first line that the run sent."""
        ...

    def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield what is new until the run's process has ended; raises `LfgError`.

        That is a `BrokenError` if another connection may reach the run.
        """
        ...

    def send(self, message: FromViewer) -> None:
        """Send a line to the run."""
        ...

    def close(self) -> None:
        """Leave the run."""
        ...


class Source(Protocol):
    """A machine with runs: this one (`at_work.Here`), or another (`host.Host`)."""

    @property
    def host(self) -> str:
        """Name of the machine; "" for this one."""
        ...

    async def watch(self, run: str, after: int = 0) -> Watched:
        """Begin to watch the run after the place `after`; raises `LfgError`, as `frames` does."""
        ...


def _log_refusal(command: Command, refusal: str) -> None:
    _log.info("%s: %s", type(command).__name__, refusal)


class RemoteRun:
    """The screen's view of a watched run: an `ui.run_view.AttachedRun`.

    `has_ended` is True once the run's process has ended and all that it committed is folded here.
    `on_refusal`, which the screen sets, gets each command that was not carried out, and why.
    """

    def __init__(self, source: Source, watched: Watched) -> None:
        hello = watched.hello
        self.run = hello.run
        self.title = hello.title
        self.host = source.host
        self.is_simulated = hello.is_simulated
        self.has_ended = False
        self.on_refusal: Callable[[Command, str], object] = _log_refusal
        self.place = 0
        """The place of the newest entry."""
        self._source = source
        self._watched = watched
        self._lost = ""
        """Why the run cannot be reached; "" while it can."""
        self._tickets: dict[str, Ticket] = {}
        self._folds: dict[str, tuple[Transcript, Meter]] = {}
        self._status = Status()
        self._in_view: frozenset[str] = frozenset()
        self._sent: dict[int, Command] = {}
        """Commands that are not answered yet, by their numbers."""
        self._number = 0
        self._sinks: list[Sink] = []
        self.subscribe = self._sinks.append
        """Add a sink for new entries, called on the loop; an empty batch: only `health` changed."""
        self._following: asyncio.Task[None] | None = None
        self._greet(hello)

    # What the screen reads

    @property
    def tickets(self) -> Sequence[Ticket]:
        return tuple(self._tickets.values())

    @property
    def health(self) -> Health:
        health = self._status.health
        return msgspec.structs.replace(health, lost=self._lost) if self._lost else health

    @property
    def unfinished(self) -> Sequence[str]:
        return self._status.unfinished

    def transcript(self, ticket: str) -> Transcript:
        return self._folds[ticket][0]

    def meter(self, ticket: str) -> Meter:
        return self._folds[ticket][1]

    def clock(self) -> float:
        """Return the time by the run's clock, which its entries have."""
        return now() + self._ahead

    # What the screen does

    def start(self) -> None:
        """Begin to read entries. Call once, from the running loop."""
        self._following = asyncio.create_task(self._follow())

    async def wait(self) -> None:
        """Wait until nothing more comes: the run `has_ended`, or is lost for good."""
        if self._following is not None:
            await self._following

    async def shutdown(self) -> None:
        """Leave the run, which goes on."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        self._watched.close()

    def watch(self, tickets: Collection[str]) -> None:
        """Tell the run which tickets are in view here."""
        if self._in_view != frozenset(tickets):
            self._in_view = frozenset(tickets)
            self._tell_view()

    def painted(self, tickets: Collection[str]) -> None:
        """Do nothing: the time until a frame is painted is measured on the run's own screen."""

    def send(self, command: Command) -> None:
        """Send a command; it is refused at once if the run has ended or is lost."""
        if self.has_ended:
            where = f", on {self.host}" if self.host else ""
            why = f"the run has ended; to continue{where}: lfg resume {self.run}"
            self.on_refusal(command, why)
        elif self._lost:
            self.on_refusal(command, f"not sent: {self._lost}")
        else:
            self._number += 1
            self._sent[self._number] = command
            self._watched.send(FromViewer(self._number, command))

    # Frames from the run

    async def _follow(self) -> None:
        """Take in frames, over one connection after another, until the run ends for good."""
        while True:
            try:
                async with aclosing(_until_silent(self._watched.frames())) as frames:
                    async for frame in frames:
                        self._take(frame)
                return
            except BrokenError as error:
                self._lose(f"{error}; trying again")
            except LfgError as error:
                self._lose(str(error))
                return
            finally:
                self._watched.close()
            if not await self._find_again():
                return

    async def _find_again(self) -> bool:
        """Reconnect, however long that takes; return False if the run cannot be watched again."""
        for delay in _delays():
            await asyncio.sleep(delay)
            try:
                self._watched = await self._source.watch(self.run, self.place)
                self._greet(self._watched.hello)
            except BrokenError as error:
                self._lose(f"{error}; trying again")
            except LfgError as error:
                self._lose(str(error))
                return False
            else:
                self._lost = ""  # first, since `_tell_view` sends nothing while the run is lost
                self._tell_view()
                self._show(())
                return True
        raise AssertionError("the delays have no end")

    def _greet(self, hello: Hello) -> None:
        """Take the run's clock, status and tickets from the first line of a connection."""
        self._ahead = hello.now - now()
        """Seconds by which the run's clock is ahead of this machine's."""
        self._status = hello.status
        self._take_tickets(hello.tickets)

    def _take(self, frame: Frame) -> None:
        """Take in a frame: tickets first, since entries may be of a new one."""
        if frame.tickets:
            self._take_tickets(frame.tickets)
        if frame.status is not None:
            self._status = frame.status
        entries = self._read(frame.entries)
        for entry in entries:
            self._apply(entry)
        command = self._sent.pop(frame.answer, None)
        if command is not None and frame.error:
            self.on_refusal(command, frame.error)
        self.has_ended = frame.has_ended
        if entries or frame.status or frame.has_ended:
            self._show(entries)

    def _take_tickets(self, tickets: Sequence[msgspec.Raw]) -> None:
        try:
            self._tickets = {one.id: one for one in map(read_ticket, tickets)}
        except msgspec.MsgspecError as error:
            raise self._unreadable("a ticket", str(error)) from None
        for name, ticket in self._tickets.items():
            if name not in self._folds:
                self._folds[name] = Transcript(ticket.workspace), Meter()

    def _read(self, raw: Sequence[msgspec.Raw]) -> list[Entry]:
        """Read entries of known tickets; raises `UsageError`."""
        try:
            entries = [read_entry(one) for one in raw]
        except msgspec.MsgspecError as error:
            raise self._unreadable("an entry", str(error)) from None
        for entry in entries:
            if entry.ticket not in self._folds:
                raise self._unreadable("an entry", f'unknown ticket "{entry.ticket}"')
        return entries

    def _unreadable(self, what: str, why: str) -> UsageError:
        sender = self.host or f"run {self.run}"
        return UsageError(f"{sender} sent {what} that cannot be read: {why}")

    def _apply(self, entry: Entry) -> None:
        transcript, meter = self._folds[entry.ticket]
        self.place = entry.place
        try:
            transcript.apply(entry)
            meter.apply(entry)
        except Exception as error:  # a bug in this process: the run itself is well
            _log.warning("cannot fold %r", entry, exc_info=error)

    def _lose(self, why: str) -> None:
        """Show why the run is lost, and refuse the commands that it has not answered."""
        self._lost = why
        unanswered, self._sent = self._sent, {}
        for command in unanswered.values():
            self.on_refusal(command, f"it may not have arrived: {why}")
        self._show(())

    def _tell_view(self) -> None:
        if not self._lost:
            self._watched.send(FromViewer(in_view=tuple(self._in_view)))

    def _show(self, entries: Sequence[Entry]) -> None:
        """Call the sinks; without entries, since the run's status or `_lost` has changed."""
        for sink in self._sinks:
            sink(entries)


async def _until_silent(frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[Frame, None]:
    """Yield the frames; raises `BrokenError` when none comes for `SILENCE`."""
    async with aclosing(frames):
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    frame = await anext(frames)
            except TimeoutError:
                raise BrokenError(f"nothing heard of the run for {SILENCE:.0f} s") from None
            except StopAsyncIteration:
                return
            yield frame


def _delays() -> Iterator[float]:
    yield from _DELAYS
    while True:
        yield _DELAYS[-1]
