"""Housekeeping: how large the history is, what may go, and copies.

Nothing here is done by itself, but for what `retention` is asked to do. Each
takes the file's write lock only for as long as it writes, so runs that are
going on wait and lose nothing.
"""

import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import UsageError
from lfgtui.history import dead_runs, leases, schema, seals

_SHIFT = seals.SHIFT


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
        runs, oldest = db.execute("SELECT count(*), min(started_at) FROM runs").fetchone()
        (tickets,) = db.execute("SELECT count(*) FROM tickets").fetchone()
        (text,) = db.execute("SELECT coalesce(sum(length(text)), 0) FROM segments").fetchone()
    parts = (path, path.with_name(f"{path.name}-wal"))
    file = sum(part.stat().st_size for part in parts if part.exists())
    return Size(file, runs, tickets, text, oldest)


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


def delete(path: Path, runs: Sequence[str]) -> list[str]:
    """Delete runs for good; gives those that were. One that is being run is left."""
    deleted = []
    with dead_runs.connected(path) as db:
        for run in runs:
            with leases.held(path.parent / "locks", run) as ours:
                if ours:
                    with schema.transaction(db):
                        delete_some(db, run, sys.maxsize)
                    deleted.append(run)
    return deleted


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
    """What is wrong with the file, in SQLite's words; empty where it is sound."""
    try:
        with closing(schema.plain(path, "ro")) as db:
            found = [str(line) for (line,) in db.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return [line for line in found if line != "ok"]


def delete_some(db: sqlite3.Connection, run: str, segments: int) -> bool:
    """Delete tickets of the run until so many segments are gone; says whether the run is.

    The caller holds the transaction. A ticket's entries go first: without its
    texts they could not be read.
    """
    texts: list[int] = []
    emptied: list[tuple[int]] = []
    tickets = db.execute("SELECT id FROM tickets WHERE run = ?", (run,)).fetchall()
    for (ticket,) in tickets:
        db.execute(
            "DELETE FROM packs WHERE id >= ? AND id < ?", (ticket << _SHIFT, ticket + 1 << _SHIFT)
        )
        db.execute("DELETE FROM entries WHERE ticket = ?", (ticket,))
        room = segments - len(texts)
        found = db.execute("SELECT id FROM segments WHERE ticket = ? LIMIT ?", (ticket, room))
        own = [id_ for (id_,) in found]
        texts += own
        if len(own) == room:  # there may be more
            break
        emptied.append((ticket,))
    chosen = json.dumps(texts)
    these = "WHERE id IN (SELECT value FROM json_each(?))"
    db.execute(  # in order: the index writes itself out each time it is told of an earlier text
        "INSERT INTO segments_fts (segments_fts, rowid, text)"
        f" SELECT 'delete', id, text FROM segments {these} ORDER BY id",
        (chosen,),
    )
    db.execute(f"DELETE FROM segments {these}", (chosen,))
    db.executemany("DELETE FROM tickets WHERE id = ?", emptied)
    if len(emptied) < len(tickets):
        return False
    db.execute("DELETE FROM runs WHERE id = ?", (run,))
    return True
