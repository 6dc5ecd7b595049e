"""Reads and packs a ticket's entries: packs of finished turns, then rows of the open turn.

The `ticket` here is a key in the table `tickets`. Another version of lfg may have
written a file: its tables are checked by the schema's number when it is opened, its
events only here.
"""

import logging
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.storage import file, packing, values
from lfgtui.history.storage.packing import Passage, Row
from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event

AT_MOST = 4096
"""Most entries of a pack: to read one of them, all are unpacked."""

_AT_ONCE = 500  # values in a statement; every build of SQLite allows more

_log = logging.getLogger(__name__)

_DAMAGE = (sqlite3.Error, HistoryError, UnicodeDecodeError)

SHIFT = 32
"""A pack's id is its ticket's key, shifted by so many bits, plus the number of its first entry."""


def entry(run: str, ticket: str, row: Row) -> e.Entry:
    """Return the stored entry; raises `HistoryError` if this version cannot read it."""
    seq, attempt, at, body = row
    if not 0 < values.count(seq) < 1 << SHIFT:
        raise HistoryError(f"an entry of {run}/{ticket} has an impossible number: {seq!r:.40}")
    try:
        event = decode_event(body)
    except (msgspec.MsgspecError, RecursionError, TypeError) as error:
        raise unreadable(f"entry {seq} of {run}/{ticket}", error) from None
    return e.Entry(run, ticket, max(1, values.count(attempt)), seq, values.moment(at), event)


def unreadable(what: str, error: Exception) -> HistoryError:
    """Return the error for a value that does not decode."""
    return HistoryError(
        f"{what} cannot be read: {error}; another version of lfg may have written it"
    )


def pack_ids(ticket: int) -> tuple[int, int]:
    """Return the range of ids [first, end) that packs of the ticket can have.

    It is empty for a ticket whose key is too large; its entries stay rows.
    """
    first, end = ticket << SHIFT, ticket + 1 << SHIFT
    return (first, end) if first > 0 and end < 1 << 63 else (0, 0)


def seal(connection: sqlite3.Connection, ticket: int, last_seq: int) -> None:
    """Pack the ticket's entries up to number `last_seq`, in the caller's transaction.

    No segment may be open among them, since a pack takes their texts from stored segments.
    """
    before, end = pack_ids(ticket)
    last_seq = min(last_seq, end - before - 1)
    try:
        packs = [
            (before | part[0][0], packing.pack(part, _passages(connection, ticket, part)))
            for part in _parts(list(unpacked(connection, ticket, 1, last_seq)))
        ]
    except (ValueError, TypeError) as error:  # the entries stay rows, which are only larger
        _log.warning("ticket %d is not packed: %s", ticket, error)
        return
    connection.executemany("INSERT INTO packs (id, body) VALUES (?, ?)", packs)
    which = "ticket = ? AND seq BETWEEN 1 AND ?"
    connection.execute(f"DELETE FROM entries WHERE {which}", (ticket, last_seq))


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    """Yield stretches of entries without a gap in their numbers, each at most `AT_MOST` long."""
    begin = 0
    for end in range(1, len(rows) + 1):
        is_dense = end < len(rows) and rows[end][0] == rows[end - 1][0] + 1
        if not is_dense or end - begin == AT_MOST:
            yield rows[begin:end]
            begin = end


def stored(connection: sqlite3.Connection, ticket: int, first: int = 1) -> Iterator[Row]:
    """Yield the ticket's entries in `seq` order, from number `first` on, as of now.

    All are read before the first is yielded: later a writer may have packed rows, or deleted the
    run. Raises `DamagedError`.
    """
    before, end = pack_ids(ticket)
    with file.snapshot(connection):
        rows = list(unpacked(connection, ticket, first))
        packs = connection.execute(
            "SELECT body FROM packs WHERE id >= coalesce((SELECT max(id) FROM packs"
            " WHERE id BETWEEN ? AND ?), ?) AND id < ? ORDER BY id",
            (before, before | first, before, end),
        ).fetchall()

        texts = partial(texts_of, connection)
        packed = [
            row for (body,) in packs for row in packing.unpack(body, texts) if row[0] >= first
        ]
    yield from packed
    yield from rows


def some(connection: sqlite3.Connection, ticket: int, first: int) -> list[Row]:
    """Return the ticket's next entries from number `first` on, those of one pack or the open turn.

    With repeated calls a long ticket is read in parts, while others write: entries that are packed
    meanwhile are found in their pack. An empty list means that there are no more.
    """
    before, end = pack_ids(ticket)
    with file.snapshot(connection):
        packs = connection.execute(
            "SELECT body FROM packs WHERE id >= coalesce((SELECT max(id) FROM packs"
            " WHERE id BETWEEN ? AND ?), ?) AND id < ? ORDER BY id LIMIT 2",
            (before, before | first, before, end),
        )
        for (body,) in packs:
            rows = packing.unpack(body, partial(texts_of, connection))
            if rows := [row for row in rows if row[0] >= first]:
                return rows
        return list(islice(unpacked(connection, ticket, first), AT_MOST))


def first_after(connection: sqlite3.Connection, ticket: int, at: float) -> int:
    """Return the number of the ticket's first entry after the time `at`, or that of its next."""
    found = 0
    with file.snapshot(connection):
        for times in _times(connection, ticket):
            later = [seq for seq, then in times if then > at]
            found = later[0] if later else found
            if len(later) < len(times):
                return found or times[-1][0] + 1
    return found or 1


def last_at(connection: sqlite3.Connection, ticket: int) -> float | None:
    """Return the time of the ticket's newest entry; None if it has none."""
    with file.snapshot(connection):
        each = (times[-1][1] for times in _times(connection, ticket) if times)
        return next(each, None)


def _times(connection: sqlite3.Connection, ticket: int) -> Iterator[list[tuple[int, float]]]:
    """Yield (number, time) of the open turn's entries, then of each pack's, newest pack first."""
    rows = connection.execute(
        "SELECT seq, at FROM entries WHERE ticket = ? ORDER BY seq", (ticket,)
    )
    yield rows.fetchall()
    packs = "SELECT id, body FROM packs WHERE id >= ? AND id < ? ORDER BY id DESC"
    before, end = pack_ids(ticket)
    for key, body in connection.execute(packs, (before, end)):
        yield list(enumerate(packing.times_of(body), key - before))


def unpacked(
    connection: sqlite3.Connection, ticket: int, first: int | None = None, last: int | None = None
) -> Iterator[Row]:
    """Return the ticket's entries that are still rows, from `first` to `last`, in `seq` order."""
    after = "" if first is None else " AND seq >= :first"
    before = "" if last is None else " AND seq <= :last"
    return connection.execute(
        f"SELECT seq, attempt, at, body FROM entries WHERE ticket = :ticket{after}{before}"
        " ORDER BY seq",
        {"ticket": ticket, "first": first, "last": last},
    )


def readable(connection: sqlite3.Connection, ticket: int) -> list[Row]:
    """Return the ticket's entries in `seq` order; in a damaged file, those that can be read."""
    try:
        return list(stored(connection, ticket))
    except _DAMAGE:
        pass
    by_seq: dict[int, Row] = {}
    texts = partial(texts_of, connection)
    packs = "SELECT body FROM packs WHERE id >= ? AND id < ? ORDER BY id"
    with suppress(*_DAMAGE):
        for (body,) in connection.execute(packs, pack_ids(ticket)):
            with suppress(*_DAMAGE):
                by_seq.update((row[0], row) for row in packing.unpack(body, texts))
    with suppress(*_DAMAGE):
        by_seq.update((row[0], row) for row in unpacked(connection, ticket))
    # In a damaged file `seq` may be of any type.
    return sorted(by_seq.values(), key=lambda row: values.amount(row[0]) or math.inf)


def last_packed(connection: sqlite3.Connection, ticket: int) -> float:
    """Return the number of the first entry of the ticket's last pack, even if it is damaged.

    It is 0 without packs, infinity if damage prevents the query.
    """
    packs = "SELECT coalesce(max(id), ?) FROM packs WHERE id >= ? AND id < ?"
    before, end = pack_ids(ticket)
    try:
        (last,) = connection.execute(packs, (before, before, end)).fetchone()
    except _DAMAGE:
        return math.inf
    return int(last) - before


def texts_of(connection: sqlite3.Connection, ids: list[int]) -> Mapping[int, str]:
    """Return the texts of the segments with these ids."""
    texts: dict[int, str] = {}
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids[begin : begin + _AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT id, text FROM segments WHERE id IN ({marks})", some)
        texts.update(rows.fetchall())
    return texts


def _passages(connection: sqlite3.Connection, ticket: int, rows: list[Row]) -> list[Passage]:
    """Return the stored segments within these rows."""
    segments = connection.execute(
        "SELECT id, first_seq, last_seq, kind, text FROM segments"
        " WHERE ticket = ? AND first_seq BETWEEN ? AND ? AND last_seq <= ? ORDER BY first_seq",
        (ticket, rows[0][0], rows[-1][0], rows[-1][0]),
    )
    return [Passage(*values) for values in segments]
