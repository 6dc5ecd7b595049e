"""Old runs go in the background, in small steps, and nobody else notices."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import UsageError
from lfgtui.history.maintenance import annotations, deletion, housekeeping
from lfgtui.history.maintenance.deletion import Retention
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.history.storage import file, leases
from lfgtui.model import events as e
from tests.history.conftest import Recorder
from tests.history.search.test_search import STORY

DAY = 86_400


def ended(recorder: Recorder, at: float, *tickets: str) -> str:
    """A run that ended then."""
    recorder.history._clock = lambda: at
    recorder._at = at - 100
    names = tickets or ("a",)
    run = recorder.start(*names, title=f"ended {at}")
    for name in names:
        recorder.play(run, name, STORY)
    recorder.history.finish_run(run, "failed")
    return run


def runs(path: Path) -> set[str]:
    with Reader(path) as reader:
        return {run.run for run in reader.runs()}


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        tables = ("runs", "tickets", "segments", "packs", "entries")
        return {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def test_what_ended_long_ago_goes_and_all_else_stays(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000 * DAY
    old = [ended(recorder, now - 40 * DAY), ended(recorder, now - 31 * DAY, "a", "b")]
    pinned = ended(recorder, now - 40 * DAY)
    annotations.pin(recorder.path, pinned, True)
    resumed = ended(recorder, now - 40 * DAY)
    recorder.history.resume_run(resumed)
    new = ended(recorder, now - 29 * DAY)
    running = recorder.start("a")
    monkeypatch.setattr("time.time", lambda: now)
    gone = Retention(recorder.path, 30 * DAY)
    gone.join()
    assert sorted(gone.deleted) == sorted(old)
    assert runs(recorder.path) == {pinned, resumed, new, running}
    assert housekeeping.damage(recorder.path) == []


def test_it_is_out_of_sight_at_once_and_goes_in_steps(recorder: Recorder) -> None:
    run, other = ended(recorder, 100.0, "a", "b", "c"), ended(recorder, 150.0)
    seen: list[int] = []

    def look(taken: float) -> bool:
        seen.append(rows(recorder.path)["segments"])
        assert runs(recorder.path) == {other}
        assert found(recorder.path) == {other}
        return True

    with closing(file.connect(recorder.path)) as db:
        assert deletion.hide(db, recorder.path, run, before=None)
        assert runs(recorder.path) == found(recorder.path) == {other}
        with pytest.raises(UsageError, match="no run"), Reader(recorder.path) as reader:
            reader.find_run(run)
        deletion.sweep(db, look, texts=2)
    assert len(seen) > 4
    assert seen == sorted(seen, reverse=True)
    deletion.delete(recorder.path, [other])
    assert set(rows(recorder.path).values()) == {0}
    with closing(sqlite3.connect(recorder.path)) as db:
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('integrity-check')")


def found(path: Path) -> set[str]:
    """The runs that any way of searching finds."""
    with Reader(path) as reader:
        ways = [
            reader.search("parser"),
            reader.search("parser", ranked=True),
            reader.search("parser", code=True),
            reader.search("state:failed"),
        ]
    return {hit.run for hits in ways for hit in hits}


def test_what_was_stopped_half_way_is_swept_by_the_next(recorder: Recorder) -> None:
    run = ended(recorder, 100.0, "a", "b", "c")
    with closing(file.connect(recorder.path)) as db:
        assert deletion.hide(db, recorder.path, run, before=None)
        deletion.sweep(db, lambda _: False, texts=2)
        assert deletion.has_remains(db)
    Retention(recorder.path, None).join()
    assert set(rows(recorder.path).values()) == {0}


def test_what_is_pinned_meanwhile_stays(recorder: Recorder) -> None:
    run = ended(recorder, 100.0)
    old = deletion.older_than(recorder.path, 200.0)
    annotations.pin(recorder.path, run, True)
    assert old == [run]
    assert deletion.delete(recorder.path, old, before=200.0) == []
    assert runs(recorder.path) == {run}


def test_what_another_process_runs_is_left(recorder: Recorder) -> None:
    run = ended(recorder, 100.0)
    with leases.held(recorder.path.parent / "locks", run):
        gone = Retention(recorder.path, DAY)
        gone.join()
    assert gone.deleted == []
    assert runs(recorder.path) == {run}


def test_writing_goes_on_and_history_is_never_behind(recorder: Recorder) -> None:
    for _ in range(5):
        ended(recorder, 100.0, "a", "b")
    run = recorder.start("a")
    recorder.play(run, "a", STORY[:4])
    gone = Retention(recorder.path, DAY)
    for number in range(200):
        recorder.history.submit(run, "a", 1, 5_000.0, e.TextDelta(f"word {number} "))
        assert recorder.history.flush().result(10)
    gone.join()
    assert len(gone.deleted) == 5
    assert recorder.behind.empty()


def test_where_there_is_no_history_nothing_happens(path: Path) -> None:
    gone = Retention(path, DAY)
    gone.stop()
    assert gone.deleted == []


def test_a_file_that_cannot_be_read_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 1000)
    gone = Retention(path, DAY)
    gone.join()
    assert path.read_bytes() == b"no database " * 1000


def test_the_history_is_whole_afterwards(recorder: Recorder) -> None:
    kept = ended(recorder, 10_000_000_000.0)
    ended(recorder, 100.0)
    Retention(recorder.path, DAY).join()
    recorder.history.close()
    with History.open(recorder.path) as history, history.reader() as reader:
        assert [run.run for run in reader.runs()] == [kept]
        assert {hit.run for hit in reader.search("parser")} == {kept}
