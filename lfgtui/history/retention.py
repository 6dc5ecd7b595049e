"""Old runs deleted in the background, and what was left of others."""

import logging
import sqlite3
import threading
import time
from pathlib import Path

from lfgtui.errors import HistoryError
from lfgtui.history import dead_runs, removal, upkeep

_REST = 0.05
"""Seconds between two steps, at least."""

_log = logging.getLogger(__name__)


class Retention:
    """Deletes what ended so many seconds ago (None: nothing), in a thread of its own.

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
        old = [] if self._before is None else upkeep.older_than(self._path, self._before)
        if not self._path.exists():
            return
        with dead_runs.connected(self._path) as db:
            for run in old:
                if self._stopped.is_set():
                    return
                if removal.take_out(db, self._path, run, before=self._before):
                    self.deleted.append(run)
            removal.sweep(db, self._rest)

    def _rest(self, taken: float) -> bool:
        return not self._stopped.wait(max(_REST, 2 * taken))
