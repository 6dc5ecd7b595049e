"""Old runs deleted in the background, a little at a time.

Other threads and processes write to the same file meanwhile, and a writer
that waits for a quarter of a second says that history is behind. So a run
goes in small transactions with pauses between them that are longer than they
are. While a large one goes, its last tickets are still there; one that was
left half deleted by a process that ended is finished by the next.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lfgtui.errors import HistoryError
from lfgtui.history import dead_runs, leases, schema, upkeep

SEGMENTS = 200
"""Texts that one transaction deletes: mostly 5 ms, 80 where the index merges."""

_REST = 0.05
"""Seconds between two transactions, at least."""

_log = logging.getLogger(__name__)


class Retention:
    """Deletes what ended so many seconds ago, in a thread of its own; pinned runs stay."""

    def __init__(self, path: Path, seconds: int) -> None:
        self.deleted: list[str] = []
        self._path = path
        self._before = time.time() - seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._main, name="lfg-retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, done or not; what is left is the next one's."""
        self._stopped.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _main(self) -> None:
        try:
            self._delete(upkeep.older_than(self._path, self._before))
        except (HistoryError, OSError, sqlite3.Error) as error:  # it is tried again with every run
            _log.info("retention: %s", error)

    def _delete(self, runs: list[str]) -> None:
        if not runs:
            return
        with dead_runs.connected(self._path) as db:
            for run in runs:
                with leases.held(self._path.parent / "locks", run) as ours:
                    if ours and delete_gently(db, run, self._before, self._rest):
                        self.deleted.append(run)
                if self._stopped.is_set():
                    return

    def _rest(self, taken: float) -> bool:
        return not self._stopped.wait(max(_REST, 2 * taken))


def delete_gently(
    db: sqlite3.Connection,
    run: str,
    before: float,
    rest: Callable[[float], bool],
    segments: int = SEGMENTS,
) -> bool:
    """Delete a run in small steps, if it ended before that moment; says whether it is gone.

    `rest` is called after each with the seconds it took; False ends it there.
    """
    while True:
        began = time.monotonic()
        with schema.transaction(db):
            known = db.execute(
                "SELECT 1 FROM runs WHERE id = ? AND ended_at < ? AND state <> 'running'"
                " AND NOT pinned",
                (run, before),
            ).fetchone()
            if known is None:  # it was pinned, or taken up again
                return False
            is_gone = upkeep.delete_some(db, run, segments)
        if not rest(time.monotonic() - began) or is_gone:
            return is_gone
