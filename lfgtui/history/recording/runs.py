"""The runs of this process in a history file: started, resumed, and copied to another file.

For a copy the run's row and tickets are in memory, so only the entries have to be read back.
Those that cannot be read are left out; the others keep their numbers.
"""

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import orphaned_runs
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file, leases, rows, sealing, values
from lfgtui.history.storage.batch import Batch
from lfgtui.history.storage.leases import Lease
from lfgtui.history.storage.packing import DamagedError
from lfgtui.history.storage.ticket_state import TicketState, load
from lfgtui.model.tickets import Ticket

_A_BATCH = 1000
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class RunRecord(msgspec.Struct, frozen=True):
    """A run as it was started, and the states of its tickets, in the same order."""

    run: str
    title: str
    source: Path | None
    started_at: float
    tickets: Sequence[Ticket]
    states: Sequence[TicketState]
    pinned: bool = False
    note: str = ""


def start(
    db: sqlite3.Connection,
    path: Path,
    now: float,
    title: str,
    tickets: Sequence[Ticket],
    source: Path | None,
) -> tuple[RunRecord, Lease]:
    """Store a new run and its tickets, all queued; return it with its lease."""
    run, lease = _new_lease(db, path.parent / "locks", now)
    try:
        states = [TicketState(0, run, ticket.id) for ticket in tickets]
        record = RunRecord(run, title, source, now, tickets, states)
        with file.transaction(db):
            for state, key in zip(states, insert(db, record), strict=True):
                state.rowid = key
    except BaseException:
        lease.release()
        raise
    return record, lease


def resume(db: sqlite3.Connection, path: Path, now: float, run: str) -> tuple[RunRecord, Lease]:
    """Say that a stored run is running; return it with its lease. Raises `HistoryError`."""
    lease = leases.take_patiently(path.parent / "locks", run)
    if lease is None:
        raise HistoryError(f"run {run} is being run by another lfg")
    try:
        with file.transaction(db):
            return _revive(db, path, now, run), lease
    except BaseException:
        lease.release()
        raise


def _revive(db: sqlite3.Connection, path: Path, now: float, run: str) -> RunRecord:
    row = db.execute(
        "SELECT state, title, source, started_at, pinned, note FROM runs WHERE id = ?", (run,)
    ).fetchone()
    if row is None:
        raise HistoryError(f"{path}: no run {run}")
    state, title, source, started_at, pinned, note = row
    if state == "running":  # its process died while this one was running
        orphaned_runs.interrupt(db, run, now, None)
    db.execute("UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (run,))
    specs = db.execute("SELECT spec FROM tickets WHERE run = ? ORDER BY position", (run,))
    tickets = [rows.requested_ticket(run, values.text(spec)) for (spec,) in specs]
    from_file = None if source is None else Path(values.text(source))
    try:
        states = load(db, run)
    except DamagedError as error:
        raise HistoryError(f"{path}: run {run}: {error}: {file.DAMAGED}") from None
    title, note = values.text(title), values.text(note)
    at = values.moment(started_at)
    return RunRecord(run, title, from_file, at, tickets, states, bool(pinned), note)


def _new_lease(db: sqlite3.Connection, locks: Path, now: float) -> tuple[str, Lease]:
    while True:
        run = _new_id(now)
        taken = db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone()
        lease = leases.take(locks, run) if taken is None else None
        if lease is not None:
            return run, lease


def _new_id(now: float) -> str:
    """Return `20261121-034212-x7k2`: sorts by time (UTC), and its last four are quick to type."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    suffix = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(4))
    return f"{moment}-{suffix}"


def insert(target: sqlite3.Connection, record: RunRecord) -> list[int]:
    """Store the run and its tickets, all queued; return the tickets' keys."""
    target.execute(
        "INSERT INTO runs (id, title, state, source, started_at, pinned, note)"
        " VALUES (?, ?, 'running', ?, ?, ?, ?)",
        (
            record.run,
            record.title,
            str(record.source) if record.source else None,
            record.started_at,
            record.pinned,
            record.note,
        ),
    )
    return [
        rows.insert_ticket(target, record.run, position, ticket)
        for position, ticket in enumerate(record.tickets)
    ]


def copy_run(
    source: sqlite3.Connection, target: sqlite3.Connection, record: RunRecord
) -> tuple[list[int], list[str]]:
    """Copy what the target lacks of the run, within the caller's transaction.

    Return the tickets' keys there, and the names of the tickets that could not
    be read in full. Raises `HistoryError` where the target has a newer state of
    the run.
    """
    known = {state.ticket: state for state in load(target, record.run)}
    if not known:
        keys = insert(target, record)
        names = [state.ticket for state in record.states]
        copies = [TicketState(key, record.run, name) for key, name in zip(keys, names, strict=True)]
    else:
        target.execute(
            "UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (record.run,)
        )
        copies = [known[state.ticket] for state in record.states if state.ticket in known]
        if len(copies) < len(record.states):
            raise HistoryError(f"there is another run {record.run}")
    torn = []
    for state, copy in zip(record.states, copies, strict=True):
        if copy.last_seq > state.stored_seq:
            raise HistoryError(f"run {record.run} was continued there by another lfg")
        if not _copy_entries(source, target, state, copy):
            torn.append(f"{record.run}/{state.ticket}")
    return [copy.rowid for copy in copies], torn


def _copy_entries(
    source: sqlite3.Connection, target: sqlite3.Connection, state: TicketState, copy: TicketState
) -> bool:
    """Copy the entries after the copy's last one; return whether none is missing."""
    expected = state.stored_seq - copy.last_seq
    taken = 0
    batch = Batch()
    for row in sealing.readable(source, state.rowid):
        if not copy.last_seq < row[0] <= state.stored_seq:
            continue
        try:
            entry = rows.entry(copy.run, copy.ticket, row)
        except HistoryError:
            continue
        batch.take(copy, entry, row[3], copy.apply(entry))
        taken += 1
        if len(batch.entries) >= _A_BATCH:
            batches.write(target, batch)
            batch = Batch()
    batches.write(target, batch)
    return taken == expected
