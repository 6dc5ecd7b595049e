"""Where a ticket's entries are: packs of what is over, then rows of what is not."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lfgtui.history import pack
from lfgtui.history.pack import Passage, Row

AT_MOST = 4096
"""Entries a pack holds; reading one of them reads all."""

_SHIFT = 32


def seal(connection: sqlite3.Connection, ticket: int, last_seq: int) -> None:
    """Pack the ticket's entries up to that one; the caller holds the transaction.

    No segment may still be open there: its text is not written yet.
    """
    rows: list[Row] = connection.execute(
        "SELECT seq, attempt, at, body FROM entries WHERE ticket = ? AND seq <= ? ORDER BY seq",
        (ticket, last_seq),
    ).fetchall()
    for begin in range(0, len(rows), AT_MOST):
        part = rows[begin : begin + AT_MOST]
        connection.execute(
            "INSERT INTO packs (id, body) VALUES (?, ?)",
            (ticket << _SHIFT | part[0][0], pack.pack(part, _passages(connection, ticket, part))),
        )
    connection.execute("DELETE FROM entries WHERE ticket = ? AND seq <= ?", (ticket, last_seq))


def seal_all(connection: sqlite3.Connection) -> None:
    """Pack all tickets that have ended; the caller holds the transaction."""
    ended = connection.execute(
        "SELECT ticket, max(seq) FROM entries WHERE ticket IN"
        " (SELECT id FROM tickets WHERE ended_at IS NOT NULL) GROUP BY ticket"
    ).fetchall()
    for ticket, last_seq in ended:
        seal(connection, ticket, last_seq)


def stored(connection: sqlite3.Connection, ticket: int, first: int = 1) -> Iterator[Row]:
    """The ticket's entries in `seq` order, from `first` on, as they stand now.

    All of them are looked up before the first is given, since a writer may
    pack what is read here a moment later.
    """
    with _snapshot(connection):
        rows: list[Row] = connection.execute(
            "SELECT seq, attempt, at, body FROM entries WHERE ticket = ? AND seq >= ? ORDER BY seq",
            (ticket, first),
        ).fetchall()
        packs = connection.execute(
            "SELECT body FROM packs WHERE id >= coalesce((SELECT max(id) FROM packs"
            " WHERE id BETWEEN ? AND ?), ?) AND id < ? ORDER BY id",
            (
                ticket << _SHIFT,
                ticket << _SHIFT | first,
                ticket << _SHIFT,
                ticket + 1 << _SHIFT,
            ),
        ).fetchall()

    def texts_of(ids: list[int]) -> Mapping[int, str]:
        marks = ",".join("?" * len(ids))
        found = connection.execute(f"SELECT id, text FROM segments WHERE id IN ({marks})", ids)
        return dict(found.fetchall())

    for (body,) in packs:
        yield from (row for row in pack.unpack(body, texts_of) if row[0] >= first)
    yield from rows


def _passages(connection: sqlite3.Connection, ticket: int, rows: list[Row]) -> list[Passage]:
    found = connection.execute(
        "SELECT id, first_seq, last_seq, kind, text FROM segments"
        " WHERE ticket = ? AND first_seq BETWEEN ? AND ? AND last_seq <= ? ORDER BY first_seq",
        (ticket, rows[0][0], rows[-1][0], rows[-1][0]),
    )
    return [Passage(*values) for values in found]


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read in the body is of one moment."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
