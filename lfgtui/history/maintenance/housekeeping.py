"""Housekeeping: pins and notes; the file's size, its health, copies of it, its unused room."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import UsageError, no_run
from lfgtui.history.maintenance import orphaned_runs
from lfgtui.history.maintenance.deletion import DELETED
from lfgtui.history.storage import file, migrations, values

NOTE_LENGTH = 2000
"""Characters of a note: a remark, no document."""

CHECKED_BYTES = 256 * 1024 * 1024
"""A larger file is opened and not read through: that would take seconds."""


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
    """Keep the run when old ones are pruned, or stop doing so; raises `UsageError` for no run."""
    _set(path, run, "pinned", int(pinned))


def annotate(path: Path, run: str, note: str) -> None:
    """Set the run's note, empty for none; raises `UsageError` for no run or too long a note."""
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
        runs, oldest = db.execute(
            "SELECT count(*), min(started_at) FROM runs WHERE id <> ?", (DELETED,)
        ).fetchone()
        (tickets,) = db.execute(
            "SELECT count(*) FROM tickets WHERE run <> ?", (DELETED,)
        ).fetchone()
        (text,) = db.execute("SELECT coalesce(sum(length(text)), 0) FROM segments").fetchone()
    used = sum(part.stat().st_size for part in (path, file.log_of(path)) if part.exists())
    return Size(used, runs, tickets, text, values.optional_moment(oldest))


def back_up(path: Path, copy: Path) -> None:
    """Copy the history into a new file for its owner alone; lfg may be writing meanwhile.

    Raises `UsageError` where there is nothing to copy, or a file in its place.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no history yet")
    if copy.exists():
        raise UsageError(f"{copy} exists already; name a new file")
    with closing(file.connect_to_read(path)) as db, file.opening(copy):
        file.make(copy)
        try:
            with closing(sqlite3.connect(copy)) as target:
                db.backup(target)  # in one step: between two, a writer would begin it anew
        except BaseException:
            copy.unlink()
            raise


def copies(path: Path) -> list[Path]:
    """Return the copies made before the file was brought to a new schema."""
    return sorted(path.parent.glob(f"{path.name}.schema-*"))


def vacuum(path: Path) -> tuple[int, int]:
    """Give the room of deleted runs back; return the bytes before and after."""
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
            found = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return [line for line in found if line != "ok"]


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
