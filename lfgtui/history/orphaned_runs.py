"""Orphaned runs: runs whose process died. They are ended as interrupted.

All code that writes connects by `connected`, which does this first and again at the
end: when the last connection closes, SQLite copies the write-ahead log into the file
and deletes it. So that never happens while a run is orphaned, and an orphaned run
without a log has lost it. SQLite finds nothing wrong with such a file, although it
is older than what was on the screen.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import HistoryError
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file, leases
from lfgtui.history.storage.batch import Batch, Submission
from lfgtui.history.storage.runs import hand_outs, load
from lfgtui.model import events as e

LOG_GONE = "the history's write-ahead log ({log}) is gone: the end of the run may be missing"


class Ended(NamedTuple):
    """The runs that were ended, and those that were `lost`: only their lease was found."""

    interrupted: list[str]
    lost: list[str]


@contextmanager
def connected(path: Path) -> Iterator[tuple[sqlite3.Connection, Ended]]:
    """Connect to write, ending orphaned runs before and afterwards; raises `HistoryError`.

    Yield the connection and the runs that were ended before.
    """
    with file.opening(path):
        log = file.log_of(path)  # a reader may have made an empty one
        had_log = log.exists() and log.stat().st_size > 0
        with closing(file.connect(path)) as db:
            yield db, _end(db, path, had_log=had_log)
            _end(db, path, had_log=True)


def _end(db: sqlite3.Connection, path: Path, *, had_log: bool) -> Ended:
    """End the tickets of orphaned runs. `had_log`: as it was before `db` was opened."""
    locks = path.parent / "locks"
    ended, lost = [], []
    killed = set(leases.left_behind(locks))  # a process that ends normally removes its leases
    for run in _running(db) | killed:
        # A run of another version of lfg that cannot be read is left as it is.
        with suppress(HistoryError), leases.held(locks, run) as ours:
            if not ours:
                continue
            with file.transaction(db):
                missing = None if had_log or run not in killed else file.log_of(path).name
                if run in _running(db):
                    interrupt(db, run, time.time(), missing)
                    ended.append(run)
                elif missing is not None and not _is_stored(db, run):
                    lost.append(run)
    return Ended(sorted(ended), sorted(lost))


def interrupt(db: sqlite3.Connection, run: str, now: float, missing_log: str | None) -> None:
    """End the run and its open tickets, at the time of its last entry, in the caller's transaction.

    `now` is for a run without entries. `missing_log` is the name of the write-ahead log if it is
    gone, which the tickets then note. A ticket that a worker has is not ended: the worker goes on,
    and a resume fetches its results.
    """
    away = {ticket for ticket, (_, is_out) in hand_outs(db, run).items() if is_out}
    batch = Batch()
    states = load(db, run)
    at = max((one.last_at for one in states if one.last_at is not None), default=now)
    for state in states:
        attempt = max(state.attempt, 1)
        if state.ticket in away:
            continue
        if state.state is None:
            batch.add(Submission(state, attempt, at, e.TicketQueued(), 0))
        if not state.has_ended:
            if missing_log is not None:
                gone = e.GuardTripped("history", LOG_GONE.format(log=missing_log))
                batch.add(Submission(state, attempt, at, gone, 0))
            batch.add(Submission(state, attempt, at, e.TicketInterrupted(), 0))
    batches.write(db, batch)
    db.execute("UPDATE runs SET state = 'interrupted', ended_at = ? WHERE id = ?", (at, run))


def _running(db: sqlite3.Connection) -> set[str]:
    running = "SELECT id FROM runs WHERE state = 'running' AND typeof(id) = 'text'"
    return {run for (run,) in db.execute(running)}


def _is_stored(db: sqlite3.Connection, run: str) -> bool:
    return db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None
