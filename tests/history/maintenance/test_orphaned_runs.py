"""A run whose process was killed, and whose write-ahead log somebody took away."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from lfgtui.history.maintenance import housekeeping
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.history.storage import file
from lfgtui.model import events as e
from tests.history.test_processes import writer


def killed(path: Path, *, checkpointed: bool) -> str:
    """The id of a run that was killed while it wrote."""
    process = writer(path, -1)
    assert process.stdout is not None and process.stderr is not None
    run = [process.stdout.readline() for _ in range(60)][-1].split()[0]
    if checkpointed:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            os.kill(process.pid, signal.SIGKILL)  # before we close: the last one tidies up
            process.communicate(timeout=30)
            db.execute("SELECT count(*) FROM runs").fetchone()
            file.log_of(path).rename(path.with_name("taken-away"))
    else:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        file.log_of(path).unlink()
    path.with_name("history.db-shm").unlink(missing_ok=True)
    return run


def test_a_run_that_went_with_its_log_is_said_to_be_missing_once(path: Path) -> None:
    run = killed(path, checkpointed=False)
    with History.open(path) as history:
        assert (history.recovered, history.lost) == ([], [run])
    with History.open(path) as history:
        assert (history.recovered, history.lost) == ([], [])


def test_a_run_whose_end_went_with_the_log_says_so(path: Path) -> None:
    run = killed(path, checkpointed=True)
    with History.open(path) as history:
        assert (history.recovered, history.lost) == ([run], [])
        with history.reader() as reader:
            for name in "abc":
                *_, warning, end = reader.entries(run, name)
                assert isinstance(warning.event, e.GuardTripped)
                assert "history.db-wal) is gone" in warning.event.message
                assert end.event == e.TicketInterrupted()
    assert housekeeping.damage(path) == []


def test_maintenance_ends_orphaned_runs_first(path: Path) -> None:
    process = writer(path, -1)
    assert process.stdout is not None
    run = process.stdout.readline().split()[0]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    housekeeping.vacuum(path)  # the log goes with it: it is all in the file
    with Reader(path) as reader:
        assert reader.run(run).state == "interrupted"
        events = [entry.event for entry in reader.entries(run, "a")]
    assert not any(isinstance(event, e.GuardTripped) for event in events)


def test_who_closes_last_ends_those_that_died_meanwhile(path: Path) -> None:
    with History.open(path) as last:
        process = writer(path, -1)
        assert process.stdout is not None
        run = [process.stdout.readline() for _ in range(60)][-1].split()[0]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        assert last.recovered == []
    assert not file.log_of(path).exists()  # folded into the file by the last to close it
    with History.open(path) as history, history.reader() as reader:
        assert (history.recovered, reader.run(run).state) == ([], "interrupted")
        events = [entry.event for entry in reader.entries(run, "a")]
        assert not any(isinstance(event, e.GuardTripped) for event in events)


def test_a_log_is_missed_also_after_somebody_has_read(path: Path) -> None:
    run = killed(path, checkpointed=True)
    with Reader(path) as reader:
        assert reader.run(run).state == "running"
    assert file.log_of(path).exists()
    with History.open(path) as history, history.reader() as reader:
        assert history.recovered == [run]
        assert isinstance(list(reader.entries(run, "a"))[-2].event, e.GuardTripped)
