"""Deletion of runs: they are hidden at once, their texts deleted a little at a time.

One short transaction deletes a run's row and moves its tickets to a run with the id
"" (`DELETED`), which every other query must leave out. Their texts are deleted in
small transactions with pauses between them: a single one for a large run would keep
other writers waiting so long that they report the history as behind. If the process
ends before that, the next deletion continues.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from threading import Event

from lfgtui.errors import HistoryError
from lfgtui.history import orphaned_runs
from lfgtui.history.storage import entries, file, leases
from lfgtui.workspace.kept import KeptFiles

DELETED = ""
"""The id of the run that holds the tickets of deleted runs."""

TEXTS = 200
"""Texts that one transaction deletes: mostly in 5 ms, in 80 if FTS5 merges its index."""

_PAUSE = 0.05
"""Shortest pause between two steps in the background, in seconds."""

Pause = Callable[[float], bool]
"""Called after each step with the seconds it took; returns False to stop."""

_OLD = "(ended_at < ? AND state <> 'running' AND NOT pinned)"  # condition on the table `runs`

_log = logging.getLogger(__name__)


def older_than(path: Path, moment: float) -> list[str]:
    """Return the runs that ended before that moment (seconds since the epoch), oldest first.

    Pinned runs are left out.
    """
    with closing(file.connect_to_read(path)) as db, file.opening(path):
        rows = db.execute(f"SELECT id FROM runs WHERE {_OLD} ORDER BY started_at", (moment,))
        return [run for (run,) in rows]


def delete(path: Path, runs: Iterable[str], *, before: float | None = None) -> list[str]:
    """Delete runs permanently, except those in progress; return the deleted ones.

    With `before`, a run that has been pinned meanwhile, or ended later, stays, too.
    """
    return _delete(path, runs, before, _as_long)


def delete_old(path: Path, seconds: int | None, stopped: Event) -> list[str]:
    """Delete runs that ended more than `seconds` ago (None: no runs), until `stopped` is set.

    For a thread in the background: it pauses between steps. Pinned runs stay. The texts of earlier
    deletions are deleted, too. What is not done or fails is left to the next call.
    """
    before = None if seconds is None else time.time() - seconds
    try:
        old = [] if before is None else older_than(path, before)
        if path.exists():
            left = takewhile(lambda _: not stopped.is_set(), old)
            return _delete(
                path, left, before, lambda taken: not stopped.wait(max(_PAUSE, 2 * taken))
            )
    except (HistoryError, OSError, sqlite3.Error) as error:
        _log.info("retention: %s", error)
    return []


def has_remains(db: sqlite3.Connection) -> bool:
    """Return whether there are texts of deleted runs to `sweep`."""
    return db.execute("SELECT 1 FROM runs WHERE id = ?", (DELETED,)).fetchone() is not None


def hide(db: sqlite3.Connection, path: Path, run: str, *, before: float | None) -> bool:
    """Hide a run unless it is in progress; return whether it was hidden."""
    with leases.held(path.parent / "locks", run, patiently=True) as is_ours:
        if not is_ours:
            return False
        with file.transaction(db):
            known = f"SELECT 1 FROM runs WHERE id = ? AND (? IS NULL OR {_OLD})"
            if db.execute(known, (run, before, before)).fetchone() is None:
                return False
            db.execute(
                "INSERT OR IGNORE INTO runs (id, title, state, started_at)"
                " VALUES (?, '', 'done', 0)",
                (DELETED,),
            )
            db.execute("UPDATE tickets SET run = ?, name = id WHERE run = ?", (DELETED, run))
            db.execute("DELETE FROM runs WHERE id = ?", (run,))
            db.execute("DELETE FROM hand_outs WHERE run = ?", (run,))
            return True


def sweep(db: sqlite3.Connection, pause: Pause, texts: int = TEXTS) -> None:
    """Delete the texts of hidden runs, `texts` at a time."""
    while has_remains(db):
        began = time.monotonic()
        with file.transaction(db):
            _delete_some(db, texts)
        if not pause(time.monotonic() - began):
            return


def _delete(path: Path, runs: Iterable[str], before: float | None, pause: Pause) -> list[str]:
    """Hide the runs, drop their files kept for undo, and delete texts until `pause` ends it."""
    with orphaned_runs.connected(path) as (db, _):
        deleted = [run for run in runs if hide(db, path, run, before=before)]
        KeptFiles.beside(path).drop(deleted)
        sweep(db, pause)
    return deleted


def _delete_some(db: sqlite3.Connection, most: int) -> None:
    """Delete hidden tickets, entries first, until `most` texts are deleted; in a transaction."""
    texts: list[int] = []
    emptied: list[tuple[int]] = []
    tickets = db.execute("SELECT id FROM tickets WHERE run = ?", (DELETED,)).fetchall()
    for (ticket,) in tickets:
        db.execute("DELETE FROM packs WHERE id >= ? AND id < ?", entries.pack_ids(ticket))
        db.execute("DELETE FROM entries WHERE ticket = ?", (ticket,))
        room = most - len(texts)
        rows = db.execute("SELECT id FROM segments WHERE ticket = ? LIMIT ?", (ticket, room))
        own = [id_ for (id_,) in rows]
        texts += own
        if len(own) == room:  # the ticket may have more texts
            break
        emptied.append((ticket,))
    chosen = json.dumps(texts)
    these = "WHERE id IN (SELECT value FROM json_each(?))"
    db.execute(  # in order of ids: FTS5 writes its buffer out for each one out of order
        "INSERT INTO segments_fts (segments_fts, rowid, text)"
        f" SELECT 'delete', id, text FROM segments {these} ORDER BY id",
        (chosen,),
    )
    db.execute(f"DELETE FROM segments {these}", (chosen,))
    db.executemany("DELETE FROM tickets WHERE id = ?", emptied)
    if len(emptied) == len(tickets):
        db.execute("DELETE FROM runs WHERE id = ?", (DELETED,))


def _as_long(taken: float) -> bool:
    """Pause for as long as the step took, so that other writers get half of the time."""
    time.sleep(taken)
    return True
