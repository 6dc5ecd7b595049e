import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lfgtui.history.recording import writer
from lfgtui.model import events as e
from tests.history.conftest import Recorder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program in the middle of a transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def test_a_locked_history_falls_behind_and_catches_up(recorder: Recorder) -> None:
    run = recorder.start("a")
    history = recorder.history
    history.submit(run, "a", 1, 0.0, e.TicketQueued())
    assert history.flush().result(30) is True
    with locked(recorder.path):
        history.submit(run, "a", 1, 1.0, e.Status("one"))
        assert history.flush().result(30) is False
        history.submit(run, "a", 1, 2.0, e.Status("two"))
        settled = history.flush(saved=True)
        assert history.flush().result(30) is False
        assert [entry.saved for entry in recorder.entries] == [True, False, False]
        assert "another program holds it" in str(recorder.behind.get(timeout=30))
        assert history.backlog_bytes > 0 and not history.backlog_full
        assert not settled.done()
        assert len(recorder.stored(run)) == 1
    assert settled.result(30) is True
    assert recorder.behind.get(timeout=30) is None
    assert history.backlog_bytes == 0
    history.submit(run, "a", 1, 3.0, e.Status("three"))
    assert history.flush().result(30) is True
    entries = recorder.stored(run)
    assert [(x.seq, x.event) for x in entries] == [(x.seq, x.event) for x in recorder.entries]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert recorder.behind.empty()


def test_the_backlog_is_full_past_its_measure(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BACKLOG_BYTES", 1000)
    run = recorder.start("a")
    with locked(recorder.path):
        recorder.history.submit(run, "a", 1, 0.0, e.TextDelta("x" * 2000))
        recorder.history.flush().result(30)
        assert recorder.history.backlog_full
    recorder.history.flush(saved=True).result(30)
    assert not recorder.history.backlog_full


@pytest.mark.parametrize("is_freed_in_time", [False, True])
def test_a_backlog_is_saved_when_closing_or_given_up(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, is_freed_in_time: bool
) -> None:
    run = recorder.start("a")
    with locked(recorder.path):
        recorder.history.submit(run, "a", 1, 0.0, e.TicketQueued())
        saved = recorder.history.flush(saved=True)
        assert recorder.history.flush().result(30) is False
        if not is_freed_in_time:
            monkeypatch.setattr(writer, "CLOSING_PATIENCE", 0.0)
            recorder.history.close()
    recorder.history.close()
    assert [entry.saved for entry in recorder.entries] == [False]
    if is_freed_in_time:
        assert saved.result(30) is True and recorder.history.failure is None
        assert len(recorder.stored(run)) == 1
    else:
        assert "1 entries could not be saved" in str(recorder.history.failure)
        assert "could not be saved" in str(saved.exception(30))
