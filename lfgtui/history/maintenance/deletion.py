"""Deletion of runs: out of sight at once, their texts a little at a time.

In one short transaction a run's row goes and its tickets are put under a run
without a name, which nobody lists, searches or resumes. Their texts follow in
small transactions with pauses between them: a large run's would keep other
writers waiting so long that they reported history as behind. What a process
that ended left over is swept by the next.
"""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import orphaned_runs
from lfgtui.history.storage import entries, file, leases

DELETED = ""
"""The run that holds the tickets of deleted runs."""

TEXTS = 200
"""Texts that one transaction deletes: mostly 5 ms, 80 where the index merges."""

_PAUSE = 0.05
"""Shortest pause between two steps in the background, in seconds."""

Pause = Callable[[float], bool]
"""Called after a step with the seconds it took; False ends it there."""

_log = logging.getLogger(__name__)


def older_than(path: Path, moment: float) -> list[str]:
    """Return the runs that ended before that moment (seconds since the epoch), oldest first.

    Pinned ones are not among them.
    """
    with closing(file.connect_to_read(path)) as db, file.opening(path):
        rows = db.execute(
            "SELECT id FROM runs WHERE ended_at < ? AND state <> 'running' AND NOT pinned"
            " ORDER BY started_at",
            (moment,),
        )
        return [run for (run,) in rows]


def delete(path: Path, runs: Sequence[str], *, before: float | None = None) -> list[str]:
    """Delete runs for good; return those that were. One in progress is left.

    With `before`, a run is left too if it is pinned by now, or ended later than that.
    """
    with orphaned_runs.connected(path) as (db, _):
        deleted = [run for run in runs if hide(db, path, run, before=before)]
        sweep(db, _as_long)
    return deleted


def hide(db: sqlite3.Connection, path: Path, run: str, *, before: float | None) -> bool:
    """Take a run out of sight unless it is in progress; return whether it was."""
    with leases.held(path.parent / "locks", run, patiently=True) as ours:
        if not ours:
            return False
        with file.transaction(db):
            return _hide(db, run, before)


def has_remains(db: sqlite3.Connection) -> bool:
    """Return whether there is anything to sweep."""
    return db.execute("SELECT 1 FROM runs WHERE id = ?", (DELETED,)).fetchone() is not None


def sweep(db: sqlite3.Connection, pause: Pause, texts: int = TEXTS) -> None:
    """Delete the texts of hidden runs, so many at a time."""
    while has_remains(db):
        began = time.monotonic()
        with file.transaction(db):
            _delete_some(db, texts)
        if not pause(time.monotonic() - began):
            return


class Retention:
    """Deletes runs that ended so many seconds ago (None: none), in a thread of its own.

    Pinned runs stay. What other deletions left over is swept in any case.
    """

    def __init__(self, path: Path, seconds: int | None) -> None:
        self.deleted: list[str] = []
        self._path = path
        self._before = None if seconds is None else time.time() - seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._main, name="lfg-retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, done or not; what is left is the next one's."""
        self._stopped.set()
        self.join()

    def join(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _main(self) -> None:
        try:
            self._delete()
        except (HistoryError, OSError, sqlite3.Error) as error:  # it is tried again with every run
            _log.info("retention: %s", error)

    def _delete(self) -> None:
        old = [] if self._before is None else older_than(self._path, self._before)
        if not self._path.exists():
            return
        with orphaned_runs.connected(self._path) as (db, _):
            for run in old:
                if self._stopped.is_set():
                    return
                if hide(db, self._path, run, before=self._before):
                    self.deleted.append(run)
            sweep(db, self._pause)

    def _pause(self, taken: float) -> bool:
        return not self._stopped.wait(max(_PAUSE, 2 * taken))


def _hide(db: sqlite3.Connection, run: str, before: float | None) -> bool:
    known = db.execute(
        "SELECT 1 FROM runs WHERE id = :run AND (:before IS NULL"
        " OR (ended_at < :before AND state <> 'running' AND NOT pinned))",
        {"run": run, "before": before},
    ).fetchone()
    if known is None:
        return False
    db.execute(
        "INSERT OR IGNORE INTO runs (id, title, state, started_at) VALUES (?, '', 'done', 0)",
        (DELETED,),
    )
    db.execute("UPDATE tickets SET run = ?, name = id WHERE run = ?", (DELETED, run))
    db.execute("DELETE FROM runs WHERE id = ?", (run,))
    return True


def _delete_some(db: sqlite3.Connection, most: int) -> None:
    """Delete tickets until so many texts are gone; a ticket's entries go before its texts."""
    texts: list[int] = []
    emptied: list[tuple[int]] = []
    tickets = db.execute("SELECT id FROM tickets WHERE run = ?", (DELETED,)).fetchall()
    for (ticket,) in tickets:
        db.execute("DELETE FROM packs WHERE id >= ? AND id < ?", entries.pack_ids(ticket))
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
    db.execute(  # in order: the index writes itself out each time it gets an earlier text
        "INSERT INTO segments_fts (segments_fts, rowid, text)"
        f" SELECT 'delete', id, text FROM segments {these} ORDER BY id",
        (chosen,),
    )
    db.execute(f"DELETE FROM segments {these}", (chosen,))
    db.executemany("DELETE FROM tickets WHERE id = ?", emptied)
    if len(emptied) == len(tickets):
        db.execute("DELETE FROM runs WHERE id = ?", (DELETED,))


def _as_long(taken: float) -> bool:
    time.sleep(taken)
    return True
