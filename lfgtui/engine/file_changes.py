"""The files that the tickets of a run change, and remarks where several change the same."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from lfgtui.engine.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.needs import with_needs


class FileChanges:
    """Which tickets of a run changed each file. `runs` are all of them, by id."""

    def __init__(self, runs: Mapping[str, TicketRun]) -> None:
        self._runs = runs
        self._changed_by: defaultdict[Path, list[str]] = defaultdict(list)

    def note(self, run: TicketRun, file: Path) -> None:
        """Remark that other tickets changed the file before; once for each pair."""
        changed_by = self._changed_by[file]
        if run.ticket.id in changed_by:
            return
        by_id = {ticket: one.ticket for ticket, one in self._runs.items()}
        known = with_needs(by_id, [run.ticket.id])  # it has their answers: no surprise
        others = tuple(ticket for ticket in changed_by if ticket not in known)
        changed_by.append(run.ticket.id)
        if others:
            inside = file.is_relative_to(run.ticket.workspace)  # not if it was named by a link
            name = file.relative_to(run.ticket.workspace) if inside else file
            run.emit(e.ConflictDetected(str(name), others))
