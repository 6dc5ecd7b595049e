"""Entries that a worker sends after its ticket was taken from it.

A worker that cannot reach Redis works on until its lease ends, and sends its entries once it can.
By then the ticket has gone on without them, perhaps with another worker, so their numbers may be
taken. Those of one record and attempt become one event of the ticket, `LateEntries`, which names
the worker and changes no state.
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
        out.job = b""  # frees memory, as it holds all entries: this is not offered again
        self._outs[out.run.ticket.id, out.fence] = out

    def take(self, record: p.Record, at: float) -> None:
        """Add the new entries of a late record to the ticket; ignore a record of another kind.

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
