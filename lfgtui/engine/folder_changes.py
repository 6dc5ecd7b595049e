"""The folders of a run's tickets as they were when work began, and how much has changed since.

Changes are counted after tool calls, never while nothing happens. A folder has one count at a time,
and the next begins a second after it at the earliest.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import UNSET

from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.settings.config import Config, programs_of
from lfgtui.workspace.diff_git import Base, record
from lfgtui.workspace.diff_reading import read_changes
from lfgtui.workspace.git import GitError

REST = 1.0
"""Least seconds between two counts in a folder."""

_CHANGING = frozenset({e.ToolCallFinished, e.FileChange})
"""Events after which files may have changed."""

_PATIENCE = 10.0
"""Most seconds that a ticket waits until the state of its folder is recorded."""

_LAST = 5.0
"""Most seconds that the last count may take when the run ends."""


class FolderChanges:
    """Records folders, and counts their changes, for `runs`: all tickets of a run, by id.

    `take` is a sink of the run's entries; `record` is to be awaited before a ticket's work.
    """

    def __init__(self, runs: Mapping[str, TicketRun], config: Config) -> None:
        self._runs = runs
        self._config = config
        self._bases: dict[str, asyncio.Task[Base | None]] = {}
        """The recorded states, by folder."""
        self._due: dict[str, set[str]] = {}
        """Tickets that are to be told a new count, by folder."""
        self._counting: dict[str, asyncio.Task[None]] = {}
        """The tasks that count, by folder."""
        self._is_closing = asyncio.Event()

    async def record(self, run: TicketRun) -> None:
        """Record the state of the ticket's folder before it begins, once for all tickets there.

        A folder that git does not know, or cannot read in time, is not recorded.
        """
        folder = run.ticket.workspace
        may_write = run.ticket.may_write or programs_of(self._config, run.ticket)
        if folder in run.transcript.bases or not may_write:
            return
        if (known := self._known(folder)) is not None:
            run.emit(known)
            return
        if folder not in self._bases:
            self._bases[folder] = asyncio.create_task(_record(folder))
        if (base := await asyncio.shield(self._bases[folder])) is not None:
            run.emit(e.BaseRecorded(folder, *base))

    def _known(self, folder: str) -> e.BaseRecorded | None:
        """Return the folder's state as it was recorded before the run was resumed."""
        bases = (run.transcript.bases.get(folder) for run in self._runs.values())
        return next((base for base in bases if base), None)

    def take(self, entries: Sequence[e.Entry]) -> None:
        """Have changes counted soon in the folders of tickets whose calls have ended."""
        for entry in entries:
            if type(entry.event) in _CHANGING:
                run = self._runs[entry.ticket]
                base = run.transcript.base
                # Without a recorded folder the changes are the ticket's own, from its events.
                folder = base.folder if base else f"\0{entry.ticket}"
                self._due.setdefault(folder, set()).add(entry.ticket)
                if folder not in self._counting and not self._is_closing.is_set():
                    self._counting[folder] = asyncio.create_task(self._count_on(folder))

    async def close(self) -> None:
        """Make the counts that are due now, within `_LAST`, and end."""
        self._is_closing.set()
        if self._counting:
            await asyncio.wait(self._counting.values(), timeout=_LAST)
        left = [*self._counting.values(), *self._bases.values()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _count_on(self, folder: str) -> None:
        """Count, and count again after `REST` as long as calls ended in the meantime."""
        try:
            while tickets := self._due.pop(folder, None):
                with suppress(GitError):
                    await self._count(sorted(tickets))
                with suppress(TimeoutError):
                    async with asyncio.timeout(REST):
                        await self._is_closing.wait()
        finally:
            del self._counting[folder]

    async def _count(self, tickets: Sequence[str]) -> None:
        """Emit, for each of the tickets in a folder, how much has changed in it, if that is new."""
        transcript = self._runs[tickets[0]].transcript
        changes = (await read_changes(transcript, has_lines=False)).changes
        base = transcript.base
        sharing = [run for run in self._runs.values() if base and run.transcript.base == base]
        shared = len(sharing) > 1 or UNSET
        counted = e.ChangesCounted(len(changes.files), changes.added, changes.removed, shared)
        for ticket in tickets:
            run = self._runs[ticket]
            if counted != run.transcript.changes and (counted.files or run.transcript.changes):
                run.emit(counted)


async def _record(folder: str) -> Base | None:
    with suppress(GitError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            return await record(folder)
    return None
