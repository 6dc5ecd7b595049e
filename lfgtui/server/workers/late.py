"""Entries that a worker sends after its ticket was taken from it.

A worker that was cut off works on until its lease ends, and sends what it did once it can. By then
the ticket has gone on without these entries, perhaps with another worker, so they cannot have their
own numbers. They become one event of the ticket, which says whose they are and changes no state.
"""

from itertools import groupby

import msgspec

from lfgtui.model import events as e
from lfgtui.model.pieces import joined
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.hand_out import HandOut


class TakenBack:
    """The tickets of a run that were taken from workers, which may still send entries of them."""

    def __init__(self) -> None:
        self._outs: dict[tuple[str, int], HandOut] = {}

    def add(self, out: HandOut) -> None:
        """Note that the ticket was taken back."""
        out.job = b""  # it has all earlier entries, and is not offered again
        self._outs[out.run.ticket.id, out.fence] = out

    def take(self, record: p.Record, at: float) -> None:
        """Add the record's new entries to the ticket; any other record says nothing any more.

        `at` is when Redis got it. Raises `msgspec.MsgspecError` for another version's events.
        """
        out = self._outs.get((record.ticket, record.fence))
        if out is None or not isinstance(record.what, p.Happened):
            return
        if out.worker not in ("", record.worker):
            return
        new = out.take(record.what, at)
        for attempt, entries in groupby(new, key=lambda one: one.attempt):
            events = joined(p.event_of(one.event) for one in entries)
            late = [msgspec.to_builtins(event) for event in events]
            out.run.emit(e.LateEntries(record.worker, attempt, late))
        out.last = new[-1].seq if new else out.last
