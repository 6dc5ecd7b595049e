"""Maintenance: pins and notes; the file's size, its health, copies, unused room and recovery.

Nothing here happens unasked. Each function takes the file's write lock only while
it writes, so runs in progress wait for a moment and lose nothing.

Recovery writes all that can still be read of a damaged history into a new file. It
reads each table from the front as far as possible, then from the back. A pack whose
text is gone is left out, and counted. The damaged file is not touched.
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
"""Bytes of the largest file that is read through: a larger one would take seconds."""


class Size(NamedTuple):
    """Size of a history. `text` is in characters, `file` in bytes."""

    file: int
    runs: int
    tickets: int
    text: int
    oldest: float | None


class Health(NamedTuple):
    """State of the file; `damage` is SQLite's first complaint, None if there is none.

    A file that is too large is not checked for damage.
    """

    size: int
    runs: int
    is_checked: bool
    damage: str | None


def pin(path: Path, run: str, pinned: bool) -> None:
    """Keep the run from pruning, or no longer; raises `UsageError` if there is no such run."""
    _set(path, run, "pinned", int(pinned))


def annotate(path: Path, run: str, note: str) -> None:
    """Set the run's note, "" for none.

    Raises `UsageError` if there is no such run, or the note is too long.
    """
    note = note.encode(errors="replace").decode().strip()  # the shell may give half a letter
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
    """Copy the history into a new file for its owner alone; lfg may be writing meanwhile.

    Raises `UsageError` where there is nothing to copy, or a file in its place.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no history yet")
    if copy.exists():
        raise UsageError(f"{copy} already exists; name a new file")
    with closing(file.connect_to_read(path)) as db, file.opening(copy):
        file.make(copy)
        try:
            with closing(sqlite3.connect(copy)) as target:
                db.backup(target)  # in one step: a write between two steps would restart it
        except BaseException:
            copy.unlink()
            raise


def copies(path: Path) -> list[Path]:
    """Return the copies made before the file was brought to a new schema."""
    return sorted(path.parent.glob(f"{path.name}.schema-*"))


def vacuum(path: Path) -> tuple[int, int]:
    """Give back the room of deleted runs; return the file's bytes before and after."""
    before = path.stat().st_size if path.exists() else 0
    with orphaned_runs.connected(path) as (db, _):
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('optimize')")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def damage(path: Path) -> list[str]:
    """Return the faults of the file, mostly in SQLite's words; empty if it is sound."""
    try:
        with closing(file.plain(path, "ro")) as db:
            if (foreign := migrations.foreign_object(db)) is not None:
                return [f"it has {foreign}"]
            lines = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return [line for line in lines if line != "ok"]


def check_health(path: Path) -> Health | None:
    """Open the file, count its runs and read it through; return None where there is no file.

    Raises `HistoryError` where it cannot be opened.
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
    """Rows that were read, by table; tickets (`run/ticket`) with holes; runs without tickets."""

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
        raise UsageError(f"{target} already exists; name a new file")
    try:
        with (
            closing(file.plain(path, "ro")) as damaged,
            closing(file.connect(target)) as db,
            file.opening(target),
        ):
            damaged.text_factory = values.decode
            damaged.execute("PRAGMA writable_schema = ON")  # so one damaged table spares the others
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
        if not migrations.has_table(damaged, table):  # a view of its name could go on for ever
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
        except values.DamagedError:
            db.execute("DELETE FROM packs WHERE id = ?", (id_,))
            if (ticket := id_ >> entries.SHIFT) in names:
                torn[names[ticket]] = None
    return list(torn)
