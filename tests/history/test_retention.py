"""Old runs go in the background, in small steps, and nobody else notices."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui import events as e
from lfgtui.history import History, Reader, leases, marks, schema, upkeep
from lfgtui.history.retention import Retention, delete_gently

from .conftest import Recorder
from .test_search import STORY

DAY = 86_400


def ended(recorder: Recorder, at: float, *tickets: str) -> str:
    """A run that ended then."""
    recorder.history._clock = lambda: at
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
    marks.pin(recorder.path, pinned, True)
    resumed = ended(recorder, now - 40 * DAY)
    recorder.history.resume_run(resumed)
    new = ended(recorder, now - 29 * DAY)
    running = recorder.start("a")
    monkeypatch.setattr("time.time", lambda: now)
    gone = Retention(recorder.path, 30 * DAY)
    gone.join()
    assert sorted(gone.deleted) == sorted(old)
    assert runs(recorder.path) == {pinned, resumed, new, running}
    assert upkeep.damage(recorder.path) == []


def test_a_large_run_goes_in_steps_that_leave_what_is_left_readable(recorder: Recorder) -> None:
    run = ended(recorder, 100.0, "a", "b", "c")
    seen: list[int] = []

    def look(taken: float) -> bool:
        seen.append(rows(recorder.path)["segments"])
        with Reader(recorder.path) as reader:
            for ticket in reader.tickets(run) if run in runs(recorder.path) else ():
                list(reader.entries(run, ticket.ticket.id))
        return True

    assert rows(recorder.path)["segments"] > 4
    with closing(schema.connect(recorder.path)) as db:
        assert delete_gently(db, run, 200.0, look, segments=2)
    assert len(seen) > 2
    assert seen == sorted(seen, reverse=True)
    assert set(rows(recorder.path).values()) == {0}
    with closing(sqlite3.connect(recorder.path)) as db:
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('integrity-check')")


def test_one_that_is_stopped_half_way_is_finished_by_the_next(recorder: Recorder) -> None:
    run = ended(recorder, 100.0, "a", "b", "c")
    with closing(schema.connect(recorder.path)) as db:
        assert not delete_gently(db, run, 200.0, lambda _: False, segments=2)
        assert run in runs(recorder.path)
    gone = Retention(recorder.path, DAY)
    gone.join()
    assert gone.deleted == [run]


def test_a_pin_stops_it_between_two_steps(recorder: Recorder) -> None:
    run = ended(recorder, 100.0, "a", "b", "c")

    def pin(taken: float) -> bool:
        marks.pin(recorder.path, run, True)
        return True

    with closing(schema.connect(recorder.path)) as db:
        assert not delete_gently(db, run, 200.0, pin, segments=2)
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
