"""A run whose process was killed, and whose write-ahead log somebody took away."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import file
from lfgtui.model import events as e
from tests.history.conftest import events
from tests.history.test_processes import ENDLESS, writer


@contextmanager
def killed(path: Path) -> Iterator[str]:
    """The id of a run whose process is killed as soon as the body is over."""
    with writer(path, ENDLESS) as process:
        assert process.stdout is not None
        run = [process.stdout.readline() for _ in range(60)][-1].split()[0]
        try:
            yield run
        finally:
            process.kill()


def lose_log(path: Path) -> None:
    file.log_of(path).unlink()
    path.with_name("history.db-shm").unlink(missing_ok=True)


def lose_end(path: Path) -> str:
    """A killed run of which the beginning is in the file, and the rest was in the log."""
    with killed(path) as run:
        db = sqlite3.connect(path)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    with closing(db):  # so that the log is not folded in before it goes
        db.execute("SELECT count(*) FROM runs").fetchone()
        file.log_of(path).rename(path.with_name("taken-away"))
    path.with_name("history.db-shm").unlink(missing_ok=True)
    return run


def gaps(path: Path, run: str, ticket: str) -> list[str]:
    found = events(path, run, ticket)
    assert found[-1] == e.TicketInterrupted()
    return [event.message for event in found if isinstance(event, e.GuardTripped)]


def test_a_run_that_went_with_its_log_is_reported_once(path: Path) -> None:
    with killed(path) as run:
        pass
    lose_log(path)
    for lost in ([run], []):
        with Recorder(path) as history:
            assert (history.recovered, history.lost) == ([], lost)


@pytest.mark.parametrize("is_read_first", [False, True])
def test_a_run_whose_end_went_with_the_log_shows_the_gap(path: Path, is_read_first: bool) -> None:
    run = lose_end(path)
    if is_read_first:  # which makes an empty log
        with Reader(path) as reader:
            assert reader.run(run).state == "running"
        assert file.log_of(path).exists()
    with Recorder(path) as history:
        assert (history.recovered, history.lost) == ([run], [])
    for name in "abc":
        (gap,) = gaps(path, run, name)
        assert "history.db-wal) is gone" in gap
    assert maintenance.damage(path) == []


def test_maintenance_ends_orphaned_runs_first(path: Path) -> None:
    with killed(path) as run:
        pass
    maintenance.vacuum(path)  # the log goes with it: it is all in the file
    assert gaps(path, run, "a") == []


def test_the_last_to_close_ends_runs_orphaned_meanwhile(path: Path) -> None:
    with Recorder(path) as last:
        with killed(path) as run:
            pass
        assert last.recovered == []
    assert not file.log_of(path).exists()  # folded into the file by the last to close it
    assert gaps(path, run, "a") == []
    with Recorder(path) as history:
        assert history.recovered == []
