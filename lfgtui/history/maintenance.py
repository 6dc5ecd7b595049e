"""Maintenance: pins, notes, size, damage, backup, vacuum and recovery, as `lfg history` offers.

Nothing here happens unless a person asks for it. Each function holds the file's
write lock only while it writes, so runs in progress wait a moment and lose nothing.

Recovery writes all that can still be read of a damaged history into a new file. It
reads each table from the front as far as possible, then from the back. A pack whose
text cannot be read is left out and reported. The damaged file is not changed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import HistoryError, UsageError, no_run
from lfgtui.history import orphaned_runs
from lfgtui.history.deletion import DELETED
from lfgtui.history.storage import entries, file, migrations, packing, values

NOTE_LENGTH = 2000
"""Most characters of a note: it is a remark, not a document."""

CHECKED_BYTES = 256 * 1024 * 1024
"""Bytes of the largest file that is checked for damage: a larger one would take seconds."""


class Size(NamedTuple):
    """Size of a history: `file` in bytes, `text` in characters. `oldest` is when its first run
    started, in seconds since the epoch."""

    file: int
    runs: int
    tickets: int
    text: int
    oldest: float | None


class Health(NamedTuple):
    """State of the file, whose `size` is in bytes; `damage` is SQLite's first error message.

    `is_checked` is False for a file larger than `CHECKED_BYTES`; its damage is unknown.
    """

    size: int
    runs: int
    is_checked: bool
    damage: str | None


def pin(path: Path, run: str, pinned: bool) -> None:
    """Pin the run, so that pruning leaves it, or unpin it; raises `UsageError` for no such run."""
    _set(path, run, "pinned", int(pinned))


def annotate(path: Path, run: str, note: str) -> None:
    """Set the run's note, "" for none.

    Raises `UsageError` if there is no such run, or the note is too long.
    """
    note = note.encode(errors="replace").decode().strip()  # arguments may be invalid UTF-8
    if len(note) > NOTE_LENGTH:
        raise UsageError(f"the note has {len(note):,} characters; the limit is {NOTE_LENGTH:,}")
    _set(path, run, "note", note)


def _set(path: Path, run: str, column: str, value: int | str) -> None:
    with orphaned_runs.connected(path) as (db, _), file.transaction(db):
        if not db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, run)).rowcount:
            raise no_run(run)


def size(path: Path) -> Size:
    """Return how much the history holds."""
    with closing(file.connect_to_read(path)) as db, file.opening(path):
        runs, oldest, tickets, text = db.execute(
            "SELECT count(*), min(started_at),"
            " (SELECT count(*) FROM tickets WHERE run <> :deleted),"
            " (SELECT coalesce(sum(length(text)), 0) FROM segments)"
            " FROM runs WHERE id <> :deleted",
            {"deleted": DELETED},
        ).fetchone()
    used = sum(part.stat().st_size for part in (path, file.log_of(path)) if part.exists())
    return Size(used, runs, tickets, text, values.optional_moment(oldest))


def back_up(path: Path, copy: Path) -> None:
    """Copy the history into a new file that only its owner may read; lfg may be writing meanwhile.

    Raises `UsageError` if there is no history, or `copy` exists.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no history yet")
    if copy.exists():
        raise UsageError(f"{copy} already exists; name a new file")
    with closing(file.connect_to_read(path)) as db, file.opening(copy):
        file.make(copy)
        try:
            with closing(sqlite3.connect(copy)) as target:
                db.backup(target)  # all at once: a write between two steps would restart it
        except BaseException:
            copy.unlink()
            raise


def copies(path: Path) -> list[Path]:
    """Return the copies made before a migration (`storage/file.py`)."""
    return sorted(path.parent.glob(f"{path.name}.schema-*"))


def vacuum(path: Path) -> tuple[int, int]:
    """Free the disk space of deleted runs; return the file's bytes before and after."""
    before = path.stat().st_size if path.exists() else 0
    with orphaned_runs.connected(path) as (db, _):
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('optimize')")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def damage(path: Path) -> list[str]:
    """Return the file's faults, mostly SQLite's messages; empty if it has none."""
    try:
        with closing(file.plain(path, "ro")) as db:
            if (foreign := migrations.foreign_object(db)) is not None:
                return [f"it has {foreign}"]
            lines = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return [line for line in lines if line != "ok"]


def check_health(path: Path) -> Health | None:
    """Open the file, count its runs and check it for damage; return None if there is no file.

    Raises `HistoryError` if it cannot be opened.
    """
    with file.opening(path):
        if not path.exists():
            return None
        used = path.stat().st_size
        is_checked = used <= CHECKED_BYTES
        with closing(file.connect_to_read(path)) as db:
            (runs,) = db.execute("SELECT count(*) FROM runs WHERE id <> ?", (DELETED,)).fetchone()
            (result,) = db.execute("PRAGMA quick_check(1)").fetchone() if is_checked else ("ok",)
    return Health(used, int(runs), is_checked, None if result == "ok" else str(result))


class Recovered(NamedTuple):
    """Numbers of recovered rows, by table; `torn` tickets (`run/ticket`), which lack entries;
    `empty` runs, whose tickets are lost."""

    rows: dict[str, int]
    torn: list[str]
    empty: list[str]


_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter if SQLite's message quotes text
_TABLES = ("runs", "tickets", "segments", "packs", "entries")


def recover(path: Path, target: Path) -> Recovered:
    """Write what can still be read into a new file, `target`, and count it.

    Raises `UsageError` if the target exists, `HistoryError` if nothing can be read.
    """
    if target.exists():
        raise UsageError(f"{target} already exists; name a new file")
    try:
        with (
            closing(file.plain(path, "ro")) as damaged,
            closing(file.connect(target)) as db,
            file.opening(target),
        ):
            damaged.text_factory = values.decode
            # With this, an error in one table's schema does not prevent reading the others.
            damaged.execute("PRAGMA writable_schema = ON")
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
    """Copy a table's readable rows, with the columns that both files have; return how many."""
    columns = _columns(db, table)
    try:
        if not migrations.has_table(damaged, table):  # a view of that name could be endless
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
        with suppress(sqlite3.DatabaseError):  # damage may have left an invalid value
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
    """Delete packs that are damaged or lack their text; return their tickets as `run/ticket`."""
    torn: dict[str, None] = {}
    names: dict[int, str] = dict(db.execute("SELECT id, run || '/' || name FROM tickets"))
    for id_, body in db.execute("SELECT id, body FROM packs").fetchall():
        try:
            packing.unpack(body, lambda ids: entries.texts_of(db, ids))
        except values.DamagedError:
            db.execute("DELETE FROM packs WHERE id = ?", (id_,))
            if (ticket := id_ >> entries.SHIFT) in names:
                torn[names[ticket]] = None
    return list(torn)
