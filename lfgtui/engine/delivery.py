"""Stored entries on their way from the recorder to their tickets, and to the screen.

All of it happens on the event loop.
"""

import asyncio
from collections.abc import Mapping, Sequence

from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import HistoryTrouble


class Delivery:
    """Folds each entry into its ticket in `runs`, by id, then shows the batch to the sinks."""

    def __init__(self, runs: Mapping[str, TicketRun]) -> None:
        self.behind: HistoryTrouble | None = None
        """Why the history cannot be written; None when all is saved."""
        self.place = 0
        """The place in the run of the newest entry."""
        self._runs = runs
        self._sinks: list[e.Sink] = []
        self.subscribe = self._sinks.append
        """Add a sink. Sinks are called in the order in which they were added."""

    def deliver(self, entries: Sequence[e.Entry]) -> None:
        """Fold and show entries that were stored, in their order."""
        for entry in entries:
            self.apply(entry)
        self.show(entries)

    def apply(self, entry: e.Entry) -> None:
        """Fold an entry into its ticket."""
        self._runs[entry.ticket].apply(entry)
        self.place = max(self.place, entry.place)

    def show(self, entries: Sequence[e.Entry]) -> None:
        """Give the sinks the entries; an empty batch announces a change that is not an event."""
        for sink in self._sinks:
            try:
                sink(entries)
            except Exception as error:  # a sink that fails must not keep entries from the others
                context = {"message": "a sink failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    def fall_behind(self, trouble: HistoryTrouble | None) -> None:
        """Note why the history cannot be written for now; None once it has caught up."""
        self.behind = trouble
        if trouble is None or trouble.is_saved:  # entries shown before are saved now
            for run in self._runs.values():
                run.transcript.mark_saved()
        self.show(())
