"""Commands: the files that they changed, and the branch that they checked out or moved.

The system does not say which process wrote a file. So a change counts as a command's if none of
lfg's tools wrote the file at that moment; if commands of several tickets were running then, it
counts as a change by one of these, and they are not reported as conflicting with each other.
"""

import asyncio
import os
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from lfgtui.engine.conflicts.accesses import Accesses
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.errors import too_many_files
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.processes.waiting import finish
from lfgtui.workspace.changed_files import changed_since, file_clock
from lfgtui.workspace.head import Head, head_of

_CUT = (
    "this folder has too many files to see all that commands change:"
    " conflicts by them may be missed"
)
_MISSED = "{}; conflicts by this command may be missed"
_SLACK = 20_000_000
"""Nanoseconds by which the clock that stamps files may lag: it ticks every few milliseconds."""

_REMEMBERED = 500
"""Most commands that are remembered."""

_MOST_KNOWN, _MOST_SEEN = 2_000, 50_000
"""Most files of `_Command.known`, and of `CommandWatch._seen`."""


class Interval(NamedTuple):
    """The time in which a tool wrote a file, in nanoseconds since the epoch."""

    began: int
    ended: int

    @classmethod
    def of_call(cls, began: float, ended: float) -> "Interval":
        return cls(_stamp(began), _stamp(ended) + _SLACK)


@dataclass(eq=False)
class _Command:
    """A command of a ticket; times are nanoseconds since the epoch.

    `head` is HEAD of its folder before the command, `ended` is None while it runs.
    """

    ticket: str
    folder: Path
    began: int
    text: str = ""
    head: Head | None = None
    known: Collection[str] = ()
    """Files that tickets have read or changed, if they were there before the command."""
    own: Collection[str] = ()
    """Files that had the content that the ticket's tools gave them."""
    ended: int | None = None

    def ran_at(self, moment: int) -> bool:
        return self.began <= moment and (self.ended is None or moment <= self.ended)


class CommandWatch:
    """Looks at the folders before and after the commands of `runs`, all tickets by id.

    `Conflicts` sets `writes`, the last times at which file tools wrote a file, and `open_writes`,
    the file that a call under way may be writing, and since when (by ticket and call).
    """

    def __init__(self, runs: Mapping[str, TicketRun], accesses: Accesses, session: Session) -> None:
        self.writes: defaultdict[str, deque[Interval]] = defaultdict(lambda: deque(maxlen=8))
        self.open_writes: dict[tuple[str, str], tuple[str, float]] = {}
        self._runs = runs
        self._accesses = accesses
        self._own_data = session.recorder.path.parent
        self._commands: deque[_Command] = deque(maxlen=_REMEMBERED)
        self._seen: set[tuple[str, int]] = set()
        """Changes, as file and time, that are noted already."""
        self._cut: set[Path] = set()
        """Folders whose size was remarked on."""
        self._moved: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """By git folder: the tickets that moved HEAD, and the branch that it was on then."""
        self._of_agents: dict[tuple[str, str], _Command] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def watching(self, ticket: str, text: str) -> AsyncIterator[None]:
        """Run the command `text` of the ticket in the body; then look at what it has changed."""
        command = self._begin(ticket, file_clock())
        command.text = text
        await self._begin_look(command)
        try:
            yield
        finally:
            command.ended = time.time_ns()
            await finish(self._look(command))

    def begin_agents(self, ticket: str, call_id: str, at: float) -> None:
        """Note that an agent began a call, which may be a command."""
        command = self._begin(ticket, _stamp(at))
        self._of_agents[ticket, call_id] = command
        self._do(self._begin_look(command))

    def end_agents(self, ticket: str, call_id: str, text: str) -> None:
        """Look at what an agent's call has changed, if it ran a command, which `text` is."""
        command = self._of_agents.pop((ticket, call_id), None)
        if command is not None and text:
            command.text, command.ended = text, time.time_ns()
            self._do(self._look(command))
        elif command is not None:
            self._commands.remove(command)

    async def close(self) -> None:
        """Wait until all commands have been looked at."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, ticket: str, moment: int) -> _Command:
        command = _Command(ticket, Path(self._runs[ticket].transcript.workspace), moment)
        self._commands.append(command)
        return command

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin_look(self, command: _Command) -> None:
        with self._missing(command):
            await asyncio.to_thread(self._look_before, command)

    async def _look(self, command: _Command) -> None:
        with self._missing(command):
            await self._look_after(command)

    @contextmanager
    def _missing(self, command: _Command) -> Iterator[None]:
        """Emit it if the files cannot be looked at; the command itself is not affected."""
        try:
            yield
        except OSError as error:
            reason = too_many_files(error) or error.strerror or str(error)
            self._runs[command.ticket].emit(e.Status(_MISSED.format(reason)))

    def _look_before(self, command: _Command) -> None:
        command.head = head_of(command.folder)
        below = f"{command.folder}/"
        known = [one for one in self._accesses.files if one.startswith(below)]
        command.known = [one for one in known[:_MOST_KNOWN] if os.path.lexists(one)]
        kept = self._runs[command.ticket].kept
        command.own = () if kept is None else kept.unchanged()

    async def _look_after(self, command: _Command) -> None:
        """Note the files that the command changed or removed, and compare HEAD."""
        changed = await changed_since(command.folder, command.began, self._own_data)
        gone = await asyncio.to_thread(_gone, command.known)
        await self._runs[command.ticket].settle()  # until then a write by a tool may be unknown
        if changed.is_cut and command.folder not in self._cut:
            self._cut.add(command.folder)
            self._runs[command.ticket].emit(e.Status(_CUT))
        of_it_alone = []
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        for file, moment in {**changed.files, **dict.fromkeys(gone, command.ended or 0)}.items():
            if (file, moment) not in self._seen and not self._is_a_tools(file, moment):
                self._seen.add((file, moment))
                tickets = self._running(PurePath(file), moment) or [command.ticket]
                self._accesses.wrote(tickets, file, by_command=True)
                if tickets == [command.ticket]:
                    of_it_alone.append(file)
        kept = self._runs[command.ticket].kept
        if kept is not None and of_it_alone:
            with suppress(OSError):
                await asyncio.to_thread(kept.note, command.folder, of_it_alone, command.own)
        self._compare(command, await asyncio.to_thread(head_of, command.folder))

    def _is_a_tools(self, file: str, moment: int) -> bool:
        """Return True if a file tool of lfg may have changed the file at that moment."""
        if any(one.began <= moment <= one.ended for one in self.writes.get(file, ())):
            return True
        return any(
            file == other and _stamp(at) <= moment for other, at in self.open_writes.values()
        )

    def _running(self, file: PurePath, moment: int, word: str = "") -> list[str]:
        """Return the tickets whose commands may have changed the file at that moment.

        Only commands count that contain `word` and that ran in a folder above the file.
        """
        running = (one for one in self._commands if one.ran_at(moment) and word in one.text)
        return list(dict.fromkeys(r.ticket for r in running if file.is_relative_to(r.folder)))

    def _compare(self, command: _Command, head: Head | None) -> None:
        """If the command moved HEAD, report other tickets that moved it in the same work tree."""
        if head is None or command.head is None or head == command.head:
            return
        moment = head.log[1] if head.log != command.head.log else command.ended or 0
        if self._running(PurePath(command.folder), moment, "git") != [command.ticket]:
            return  # nobody can tell which of them did it
        moved = self._moved[head.git_dir]
        branch = head.branch or "HEAD"
        others = [one for one in moved if self._runs[one].phase != "ended"]
        self._accesses.used(command.ticket, branch, others, "branch")
        moved[command.ticket] = branch


def _gone(files: Collection[str]) -> list[str]:
    return [file for file in files if not os.path.lexists(file)]


def _stamp(at: float) -> int:
    """Return the earliest time stamp, in nanoseconds, of a file that changed at the time `at`.

    That is a time of `model.clock`, in seconds.
    """
    return int((at + time.time() - now()) * 1e9) - _SLACK
