"""Rows of the history and the values stored in them.

A file may hold what another version of lfg wrote. Its tables are held against
the schema's number when it is opened; its events and tickets only here.
"""

import sqlite3

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.storage import sealing, values
from lfgtui.history.storage.packing import Row
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket


def entry(run: str, ticket: str, row: Row) -> e.Entry:
    """Return the stored entry; raises `HistoryError` if this version cannot read it."""
    seq, attempt, at, body = row
    if not 0 < values.count(seq) < 1 << sealing.SHIFT:
        raise HistoryError(f"an entry of {run}/{ticket} has an impossible number: {seq!r:.40}")
    try:
        event = e.decode_event(body)
    except (msgspec.MsgspecError, RecursionError, TypeError) as error:
        raise _unknown(f"entry {seq} of {run}/{ticket}", error) from None
    return e.Entry(run, ticket, max(1, values.count(attempt)), seq, values.moment(at), event)


def insert_ticket(db: sqlite3.Connection, run: str, position: int, ticket: Ticket) -> int:
    """Store a ticket of the run, queued; return its key."""
    key = db.execute(
        "INSERT INTO tickets (run, position, name, spec, state) VALUES (?, ?, ?, ?, 'queued')",
        (run, position, ticket.id, msgspec.json.encode(ticket).decode()),
    ).lastrowid
    assert key is not None
    return key


def requested_ticket(run: str, spec: str) -> Ticket:
    """Return the ticket as requested; raises `HistoryError` if this version cannot read it."""
    try:
        return _tickets.decode(spec)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unknown(f"a ticket of run {run}", error) from None


def _unknown(what: str, error: Exception) -> HistoryError:
    return HistoryError(
        f"{what} cannot be read: {error}; another version of lfg may have written it"
    )


_tickets = msgspec.json.Decoder(Ticket)
