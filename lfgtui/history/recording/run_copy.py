"""A copy of a running run in another history file, with all that was committed of it.

Its row and tickets are in memory, so only the entries have to be read back.
Those that cannot be read are left out; the others keep their numbers.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import rows, sealing
from lfgtui.history.storage.batch import Batch
from lfgtui.history.storage.ledger import Ledger, load
from lfgtui.model.tickets import Ticket

_A_BATCH = 1000


class RunRecord(msgspec.Struct, frozen=True):
    """A run as it was started, and the ledgers of its tickets, in the same order."""

    run: str
    title: str
    source: Path | None
    started_at: float
    tickets: Sequence[Ticket]
    ledgers: Sequence[Ledger]
    pinned: bool = False
    note: str = ""


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
    keys = []
    for position, ticket in enumerate(record.tickets):
        cursor = target.execute(
            "INSERT INTO tickets (run, position, name, spec, state) VALUES (?, ?, ?, ?, 'queued')",
            (record.run, position, ticket.id, msgspec.json.encode(ticket).decode()),
        )
        assert cursor.lastrowid is not None
        keys.append(cursor.lastrowid)
    return keys


def copy_run(
    source: sqlite3.Connection, target: sqlite3.Connection, record: RunRecord
) -> tuple[list[int], list[str]]:
    """Copy what the target lacks of the run, within the caller's transaction.

    Return the tickets' keys there, and the names of the tickets that could not
    be read in full. Raises `HistoryError` where the target has a newer state of
    the run.
    """
    known = {ledger.ticket: ledger for ledger in load(target, record.run)}
    if not known:
        keys = insert(target, record)
        names = [ledger.ticket for ledger in record.ledgers]
        copies = [Ledger(key, record.run, name) for key, name in zip(keys, names, strict=True)]
    else:
        target.execute(
            "UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (record.run,)
        )
        copies = [known[ledger.ticket] for ledger in record.ledgers if ledger.ticket in known]
        if len(copies) < len(record.ledgers):
            raise HistoryError(f"there is another run {record.run}")
    torn = []
    for ledger, copy in zip(record.ledgers, copies, strict=True):
        if copy.last_seq > ledger.stored_seq:
            raise HistoryError(f"run {record.run} was continued there by another lfg")
        if not _copy_entries(source, target, ledger, copy):
            torn.append(f"{record.run}/{ledger.ticket}")
    return [copy.rowid for copy in copies], torn


def _copy_entries(
    source: sqlite3.Connection, target: sqlite3.Connection, ledger: Ledger, copy: Ledger
) -> bool:
    """Copy the entries after the copy's last one; return whether none is missing."""
    expected = ledger.stored_seq - copy.last_seq
    taken = 0
    batch = Batch()
    for row in sealing.readable(source, ledger.rowid):
        if not copy.last_seq < row[0] <= ledger.stored_seq:
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
