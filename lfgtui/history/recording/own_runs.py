"""The runs of this process: starts them, resumes them, and copies them to another file.

A run's row and tickets are kept in memory, so that for a copy only the entries have to be read
back. Those that cannot be read are left out; the others keep their numbers.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history import orphaned_runs
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import entries, file, leases
from lfgtui.history.storage.batch import Batch, HandOut, RequestedTickets, RunMark
from lfgtui.history.storage.leases import Lease
from lfgtui.history.storage.runs import (
    RunClock,
    RunRow,
    TicketState,
    hand_outs,
    insert_run,
    load,
    store_ticket,
)
from lfgtui.model.tickets import Ticket

_A_BATCH = 1000  # entries
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without characters that look alike


class OwnRun:
    """A run of this process: what a copy to another file needs, and its leases.

    `row` is the run as it began. `tickets` are the requests as JSON, by name, `states` the states
    of these tickets in the same order, `mark` is the state of the run: all three as last committed,
    set by `WrittenFile`. `request` and `state` are called from other threads than that one's.
    """

    def __init__(
        self,
        row: RunRow,
        tickets: Sequence[tuple[str, str]],
        states: Sequence[TicketState],
        lease: Lease,
    ) -> None:
        self.row = row
        self.tickets = dict(tickets)
        self.mark = RunMark(row.id, "running", None)
        self.states = {state.ticket: state for state in states}
        self._requested = dict(tickets)
        self._added: dict[str, TicketState] = {}
        self._clock = states[0].clock if states else RunClock()
        self._leases = [lease]
        self._lock = Lock()

    def state(self, ticket: str) -> TicketState | None:
        """Return the ticket's state, also if the ticket is not committed yet; None if unknown."""
        return self.states.get(ticket) or self._added.get(ticket)

    def request(self, tickets: Sequence[Ticket]) -> RequestedTickets:
        """Accept events of these tickets from now on; return what must be committed before those.

        That is the new tickets, and those whose request has changed.
        """
        changed = []
        for ticket in tickets:
            spec = msgspec.json.encode(ticket).decode()
            if spec != self._requested.get(ticket.id):
                self._requested[ticket.id] = spec
                if (state := self.state(ticket.id)) is None:
                    state = TicketState(0, self.row.id, ticket.id, self._clock)
                    self._added[ticket.id] = state
                changed.append((state, spec))
        return RequestedTickets(changed)

    def claim(self, path: Path) -> None:
        """Take the run's lease beside that file, too, if it is not held; raises `HistoryError`."""
        folder = path.parent / "locks"
        with self._lock:
            if not self._leases or any(lease.is_in(folder) for lease in self._leases):
                return
            # Leases beside other files are kept, so that nobody ends the run there.
            self._leases.append(_take(folder, self.row.id))

    def release(self) -> None:
        """Release the run's leases; from any thread."""
        with self._lock:
            for lease in self._leases:
                lease.release()
            self._leases.clear()


def start(
    db: sqlite3.Connection,
    path: Path,
    now: float,
    title: str,
    tickets: Sequence[Ticket],
    source: Path | None,
) -> OwnRun:
    """Store a new run and its tickets, all queued."""
    run, lease = _new_lease(db, path.parent / "locks", now)
    try:
        row = RunRow(run, title, "running", str(source) if source else None, now)
        specs = [(ticket.id, msgspec.json.encode(ticket).decode()) for ticket in tickets]
        with file.transaction(db):
            insert_run(db, row)
            return OwnRun(row, specs, _store(db, run, specs), lease)
    except BaseException:
        lease.release()
        raise


def resume(
    db: sqlite3.Connection, path: Path, now: float, run: str, *, with_workers: bool
) -> OwnRun:
    """Set a stored run to running and take its lease; raises `HistoryError` if that is impossible.

    Tickets that workers have are interrupted, unless the run continues `with_workers`.
    """
    lease = _take(path.parent / "locks", run)
    try:
        with file.transaction(db):
            columns = ", ".join(RunRow._fields)
            values = db.execute(f"SELECT {columns} FROM runs WHERE id = ?", (run,)).fetchone()
            if values is None:
                raise HistoryError(f"{path}: no run {run}")
            row = RunRow(*values)
            is_cut = row.state == "running"  # its process has died since this one started
            if not with_workers:
                taken = "UPDATE hand_outs SET is_out = 0 WHERE run = ? AND is_out"
                is_cut = db.execute(taken, (run,)).rowcount > 0 or is_cut
            if is_cut:
                orphaned_runs.interrupt(db, run, now, None)
            db.execute("UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (run,))
            tickets = "SELECT name, spec FROM tickets WHERE run = ? ORDER BY position"
            specs = db.execute(tickets, (run,)).fetchall()
            row = row._replace(state="running", ended_at=None)
            return OwnRun(row, specs, load(db, run), lease)
    except BaseException:
        lease.release()
        raise


def copy(
    own: OwnRun, source: sqlite3.Connection, target: sqlite3.Connection
) -> tuple[list[int], list[str]]:
    """Copy what the target lacks of the run, within the caller's transaction.

    Return the tickets' keys in the target, in the order of `own.states`, and the names
    (`run/ticket`) of tickets that could not be read in full. Raises `HistoryError` if the
    target has a newer state of the run.
    """
    run, known = own.row.id, load(target, own.row.id)
    if not known:
        insert_run(target, own.row)
    copies = [*known, *_store(target, run, own.tickets.items())[len(known) :]]
    if [copy.ticket for copy in copies] != list(own.states):
        raise HistoryError(f"there is another run {run}")
    torn = []
    for state, copy in zip(own.states.values(), copies, strict=True):
        if copy.last_seq > state.stored_seq:
            raise HistoryError(f"run {run} was continued there by another lfg")
        if not _copy_entries(source, target, state, copy):
            torn.append(f"{run}/{state.ticket}")
    given = [HandOut(run, name, *one) for name, one in hand_outs(source, run).items()]
    batches.write(target, Batch(marks={run: own.mark}, hand_outs=given))
    return [copy.rowid for copy in copies], torn


def _copy_entries(
    source: sqlite3.Connection, target: sqlite3.Connection, state: TicketState, copy: TicketState
) -> bool:
    """Copy the entries after the copy's last one; return whether all could be read."""
    expected = state.stored_seq - copy.last_seq
    taken = 0
    batch = Batch()
    for row in entries.readable(source, state.rowid):
        if not copy.last_seq < row[0] <= state.stored_seq:
            continue
        try:
            entry = entries.entry(copy.run, copy.ticket, row)
        except HistoryError:
            continue
        batch.take(copy, entry, row[3], copy.apply(entry))
        taken += 1
        if len(batch.rows) >= _A_BATCH:
            batches.write(target, batch)
            batch = Batch()
    batches.write(target, batch)
    return taken == expected


def _store(
    db: sqlite3.Connection, run: str, tickets: Iterable[tuple[str, str]]
) -> list[TicketState]:
    clock = RunClock()
    return [store_ticket(db, run, *ticket, clock) for ticket in tickets]


def _take(folder: Path, run: str) -> Lease:
    lease = leases.take(folder, run, patiently=True)
    if lease is None:
        raise HistoryError(f"run {run} is in progress in another lfg")
    return lease


def _new_lease(db: sqlite3.Connection, locks: Path, now: float) -> tuple[str, Lease]:
    """Return a new run's id, as `20261121-034212-x7k2`, and its lease.

    Ids sort by time (UTC); the last four characters are quick to type.
    """
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    while True:
        run = f"{moment}-{''.join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(4))}"
        taken = db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone()
        if taken is None and (lease := leases.take(locks, run)) is not None:
            return run, lease
