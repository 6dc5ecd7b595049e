"""Runs taken away: out of sight at once, what they said a little at a time.

In one short transaction a run's row goes and its tickets are put under a run
without a name, which nobody lists, searches or resumes. Their texts follow in
small transactions with rests between them: a large run's would keep other
writers waiting so long that they said history is behind. What a process that
ended left over is swept by the next.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lfgtui.history import dead_runs, leases, schema, seals

REMOVED = ""
"""The run that holds the tickets of what was taken away."""

TEXTS = 200
"""Texts that one transaction deletes: mostly 5 ms, 80 where the index merges."""

Rest = Callable[[float], bool]
"""Called after a step with the seconds it took; False ends it there."""


def delete(path: Path, runs: Sequence[str], *, before: float | None = None) -> list[str]:
    """Delete runs for good; gives those that were. One that is being run is left.

    With `before`, also what is pinned by now, or ended later than that.
    """
    with dead_runs.connected(path) as db:
        deleted = [run for run in runs if take_out(db, path, run, before=before)]
        sweep(db, _as_long)
    return deleted


def take_out(db: sqlite3.Connection, path: Path, run: str, *, before: float | None) -> bool:
    """Take a run out of sight, unless it is being run; says whether it is."""
    with leases.held(path.parent / "locks", run, patiently=True) as ours:
        if not ours:
            return False
        with schema.transaction(db):
            return _take_out(db, run, before)


def has_remains(db: sqlite3.Connection) -> bool:
    """Whether there is anything to sweep."""
    return db.execute("SELECT 1 FROM runs WHERE id = ?", (REMOVED,)).fetchone() is not None


def sweep(db: sqlite3.Connection, rest: Rest, texts: int = TEXTS) -> None:
    """Delete what was said in runs that were taken out, so many texts at a time."""
    while has_remains(db):
        began = time.monotonic()
        with schema.transaction(db):
            _delete_some(db, texts)
        if not rest(time.monotonic() - began):
            return


def _take_out(db: sqlite3.Connection, run: str, before: float | None) -> bool:
    known = db.execute(
        "SELECT 1 FROM runs WHERE id = :run AND (:before IS NULL"
        " OR (ended_at < :before AND state <> 'running' AND NOT pinned))",
        {"run": run, "before": before},
    ).fetchone()
    if known is None:
        return False
    db.execute(
        "INSERT OR IGNORE INTO runs (id, title, state, started_at) VALUES (?, '', 'done', 0)",
        (REMOVED,),
    )
    db.execute("UPDATE tickets SET run = ?, name = id WHERE run = ?", (REMOVED, run))
    db.execute("DELETE FROM runs WHERE id = ?", (run,))
    return True


def _delete_some(db: sqlite3.Connection, most: int) -> None:
    """Delete tickets until so many texts are gone; a ticket's entries go before its texts."""
    texts: list[int] = []
    emptied: list[tuple[int]] = []
    tickets = db.execute("SELECT id FROM tickets WHERE run = ?", (REMOVED,)).fetchall()
    for (ticket,) in tickets:
        db.execute(
            "DELETE FROM packs WHERE id >= ? AND id < ?",
            seals.pack_ids(ticket),
        )
        db.execute("DELETE FROM entries WHERE ticket = ?", (ticket,))
        room = most - len(texts)
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
    if len(emptied) == len(tickets):
        db.execute("DELETE FROM runs WHERE id = ?", (REMOVED,))


def _as_long(taken: float) -> bool:
    time.sleep(taken)
    return True
