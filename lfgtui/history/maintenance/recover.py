"""Recovery of a damaged history: all that can still be read, in a new file.

Each table is read from the front as far as it goes, then from the back. A pack
whose text is gone is left out, and counted. The damaged file is not touched.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.storage import entries, file, migrations, packing, values


class Recovered(NamedTuple):
    """Rows that were read, by table; tickets (`run/ticket`) with holes, and runs without any."""

    rows: dict[str, int]
    torn: list[str]
    empty: list[str]


_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter: SQLite quotes the file
_TABLES = ("runs", "tickets", "segments", "packs", "entries")


def recover(path: Path, target: Path) -> Recovered:
    """Write what can still be read into a new file and count it.

    Raises `UsageError` where the target exists, `HistoryError` where nothing
    can be read at all.
    """
    if target.exists():
        raise UsageError(f"{target} exists already; name a new file")
    try:
        with (
            closing(file.plain(path, "ro")) as damaged,
            closing(file.connect(target)) as db,
            file.opening(target),
        ):
            damaged.text_factory = values.decode
            damaged.execute("PRAGMA writable_schema = ON")  # one table's damage is not all tables'
            db.execute("PRAGMA foreign_keys = OFF")
            with file.transaction(db):
                copied = {table: _copy(damaged, db, table) for table in _TABLES}
                torn = _drop_unreadable(db)
                empty = db.execute(
                    "SELECT id FROM runs WHERE id <> '' AND id NOT IN (SELECT run FROM tickets)"
                ).fetchall()
                db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('rebuild')")
        if not any(copied.values()):
            raise HistoryError(f"{path}: nothing in it can be read")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Recovered(copied, torn, [run for (run,) in empty])


def _copy(damaged: sqlite3.Connection, db: sqlite3.Connection, table: str) -> int:
    columns = _columns(db, table)
    try:
        if not migrations.has_table(damaged, table):  # a view in its place could go on for ever
            return 0
        columns = [name for name in _columns(damaged, table) if name in columns]
    except _DAMAGE:
        return 0
    if not columns:
        return 0
    marks = ",".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({','.join(columns)}) VALUES ({marks})"
    copied = 0
    for row in _readable(damaged, table, columns):
        with suppress(sqlite3.DatabaseError):  # a value that damage made impossible
            db.execute(insert, row)
            copied += 1
    return copied


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]


def _readable(
    damaged: sqlite3.Connection, table: str, columns: Sequence[str]
) -> Iterator[tuple[object, ...]]:
    """Yield the table's rows from the front as far as they go, then from the back."""
    keys = ("ticket", "seq") if table == "entries" else ("rowid",)
    seen: set[object] = set()
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{key} {order}" for key in keys)
        try:
            for row in damaged.execute(
                f"SELECT {', '.join((*keys, *columns))} FROM {table} ORDER BY {by}"
            ):
                if (place := row[: len(keys)]) in seen:
                    break
                seen.add(place)
                yield row[len(keys) :]
        except _DAMAGE:
            continue
        else:
            return


def _drop_unreadable(db: sqlite3.Connection) -> list[str]:
    """Drop packs that are damaged or whose text is gone; return their tickets."""
    torn: dict[str, None] = {}
    names: dict[int, str] = dict(db.execute("SELECT id, run || '/' || name FROM tickets"))
    for id_, body in db.execute("SELECT id, body FROM packs").fetchall():
        try:
            packing.unpack(body, lambda ids: entries.texts_of(db, ids))
        except packing.DamagedError:
            db.execute("DELETE FROM packs WHERE id = ?", (id_,))
            if (ticket := id_ >> entries.SHIFT) in names:
                torn[names[ticket]] = None
    return list(torn)
