"""The conflicts of a run's tickets, found in their entries and around their commands."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from lfgtui.engine.conflicts.accesses import Accesses
from lfgtui.engine.conflicts.agents_files import AgentsFiles
from lfgtui.engine.conflicts.commands import CommandWatch, Interval
from lfgtui.engine.conflicts.ports import PortWatch
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.call_summary import program
from lfgtui.model.fold.items import ToolItem

WRITING = ("write_file", "edit_file")
_MATCH = re.compile(r"^(.+?):\d+: ", re.MULTILINE)
"""A line of the output of search_files: `FILE:LINE: text`."""

_WATCHED = frozenset(
    {
        e.ToolCallFinished, e.ToolRunStarted, e.ToolCallRequested, e.FileChange,
        e.ToolCallStarted, e.TicketQueued,
    }
)  # fmt: skip
"""Events that `take` looks at: each of its cases has to be here."""


class Conflicts:
    """Watches `runs`, all tickets of a run by id: their `ChangeWatch`. `take` is a sink."""

    def __init__(self, runs: Mapping[str, TicketRun], session: Session) -> None:
        self._runs = runs
        self._accesses = Accesses(runs)
        self.commands = CommandWatch(runs, self._accesses, session)
        self.watching = self.commands.watching
        self._ports = PortWatch(runs, self._accesses, session)
        self._agents_files = AgentsFiles()
        self.kept = self._agents_files.kept

    def take(self, entries: Sequence[e.Entry]) -> None:
        """Note what tickets have read and changed, and report conflicts."""
        for entry in entries:
            event = entry.event
            if type(event) not in _WATCHED:  # most events are pieces of text
                continue
            if isinstance(event, e.ToolCallFinished):
                if (
                    call := self._runs[entry.ticket].transcript.calls.get(event.call_id)
                ) is not None:
                    self._ended(entry, event, call)
            elif isinstance(event, e.ToolRunStarted):
                self._began(entry, event)
            elif isinstance(event, e.ToolCallRequested):
                if event.reads:
                    self._accesses.read(entry.ticket, os.path.normpath(event.reads))
            elif isinstance(event, e.FileChange):
                self._agents_files.reported(self._runs[entry.ticket], event)
            elif isinstance(event, e.ToolCallStarted):
                if event.origin == "agent":
                    self.commands.begin_agents(entry.ticket, event.call_id, entry.at)
            elif isinstance(event, e.TicketQueued) and event.starts_over:
                self._accesses.start_over(entry.ticket)

    def recall(self, entry: e.Entry) -> None:
        """Note an entry of an earlier process, without a report."""
        if isinstance(entry.event, e.ConflictDetected):
            self._accesses.recall(entry.ticket, entry.event)
        elif not isinstance(entry.event, e.ToolCallStarted | e.FileChange):
            self._accesses.is_silent = True
            self.take((entry,))
            self._accesses.is_silent = False

    async def close(self) -> None:
        """Wait until all look-ups are done."""
        await self.commands.close()
        await self._ports.close()
        await self._agents_files.close()

    def _began(self, entry: e.Entry, event: e.ToolRunStarted) -> None:
        call = self._runs[entry.ticket].transcript.calls.get(event.call_id)
        if call is not None and call.name in WRITING:
            for file in self._files(entry.ticket, call):
                self.commands.open_writes[entry.ticket, call.call_id] = file, entry.at

    def _ended(self, entry: e.Entry, event: e.ToolCallFinished, call: ToolItem) -> None:
        """Note the files that an ended call has read or changed."""
        ticket = entry.ticket
        self.commands.open_writes.pop((ticket, call.call_id), None)
        if not self._accesses.is_silent and (call.is_agent_call or call.name == "run_command"):
            self._look_after(ticket, event, call)
        if event.error is not None:
            return
        if call.name == "read_file" and not call.is_agent_call:
            for file in self._files(ticket, call):
                self._accesses.read(ticket, file)
        elif call.name == "search_files" and not call.is_agent_call:
            for name in dict.fromkeys(_MATCH.findall(event.output)):
                self._accesses.read(ticket, self._absolute(ticket, name))
        elif call.name in WRITING or call.is_agent_call:
            for file in self._files(ticket, call):
                began = call.started_at or entry.at - event.seconds
                self.commands.writes[file].append(Interval.of_call(began, entry.at))
                self._accesses.wrote((ticket,), file)

    def _look_after(self, ticket: str, event: e.ToolCallFinished, call: ToolItem) -> None:
        """Look at what a command, or a call by an installed agent, has changed and printed."""
        given = call.arguments if isinstance(call.arguments, dict) else {}
        command = str(given["command"]) if program(given) else ""
        if call.is_agent_call:
            self._agents_files.ended(self._runs[ticket], event)
            self.commands.end_agents(ticket, call.call_id, command)
        if command:
            self._ports.read(ticket, event.output, command)

    def _files(self, ticket: str, call: ToolItem) -> Iterator[str]:
        """Yield the files that the call is about; for an agent's call, those that it changed."""
        if call.is_agent_call:
            yield from (os.path.normpath(path) for path in call.changes)
        elif isinstance(call.arguments, dict):
            yield self._absolute(ticket, str(call.arguments.get("path", "")))

    def _absolute(self, ticket: str, name: str) -> str:
        folder = self._runs[ticket].transcript.workspace
        return os.path.normpath(PurePath(folder, name))  # resolve() would read the disk
