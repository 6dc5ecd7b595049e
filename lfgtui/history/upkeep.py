"""Housekeeping: how large the history is, what may go, and copies.

Nothing here is done by itself, but for what `retention` is asked to do. Each
takes the file's write lock only for as long as it writes, so runs that are
going on wait and lose nothing.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import UsageError
from lfgtui.history import dead_runs, schema, values
from lfgtui.history.own_schema import foreign_object
from lfgtui.history.removal import REMOVED


class Size(NamedTuple):
    """What a history holds. `text` is in characters, `file` in bytes."""

    file: int
    runs: int
    tickets: int
    text: int
    oldest: float | None


def size(path: Path) -> Size:
    """Count it."""
    with closing(schema.connect_to_read(path)) as db, schema.opening(path):
        runs, oldest = db.execute(
            "SELECT count(*), min(started_at) FROM runs WHERE id <> ?", (REMOVED,)
        ).fetchone()
        (tickets,) = db.execute(
            "SELECT count(*) FROM tickets WHERE run <> ?", (REMOVED,)
        ).fetchone()
        (text,) = db.execute("SELECT coalesce(sum(length(text)), 0) FROM segments").fetchone()
    parts = (path, path.with_name(f"{path.name}-wal"))
    file = sum(part.stat().st_size for part in parts if part.exists())
    return Size(file, runs, tickets, text, values.optional_moment(oldest))


def older_than(path: Path, moment: float) -> list[str]:
    """The runs that ended before that moment (seconds since the epoch), oldest first.

    Pinned ones are not among them.
    """
    with closing(schema.connect_to_read(path)) as db, schema.opening(path):
        rows = db.execute(
            "SELECT id FROM runs WHERE ended_at < ? AND state <> 'running' AND NOT pinned"
            " ORDER BY started_at",
            (moment,),
        )
        return [run for (run,) in rows]


def back_up(path: Path, copy: Path) -> None:
    """A copy as of now, in a new file for its owner alone; lfg may go on meanwhile.

    Raises `UsageError` where there is nothing to copy, or a file in its place.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no history yet")
    if copy.exists():
        raise UsageError(f"{copy} exists already; name a new file")
    with schema.opening(copy):
        schema.make(copy)
        with (
            closing(schema.connect_to_read(path)) as db,
            closing(sqlite3.connect(copy)) as target,
        ):
            db.backup(target)  # in one step: between two, a writer would begin it anew


def copies(path: Path) -> list[Path]:
    """The copies that were made before the file was brought to a new schema."""
    return sorted(path.parent.glob(f"{path.name}.schema-*"))


def vacuum(path: Path) -> tuple[int, int]:
    """Give back the room of what was deleted; bytes before and after."""
    before = path.stat().st_size if path.exists() else 0
    with dead_runs.connected(path) as db:
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('optimize')")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def damage(path: Path) -> list[str]:
    """Return the faults of the file, mostly in SQLite's words; empty if it is sound."""
    try:
        with closing(schema.plain(path, "ro")) as db:
            if (foreign := foreign_object(db)) is not None:
                return [f"it has {foreign}"]
            found = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return [line for line in found if line != "ok"]
