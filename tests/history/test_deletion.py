"""Deleted runs are out of sight at once and leave in small steps that nobody else notices."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from lfgtui.errors import UsageError
from lfgtui.history import deletion, maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.storage import file, leases
from lfgtui.model import events as e
from tests.history.conftest import Recording, check_index, run_ids
from tests.history.story import STORY

DAY = 86_400


def ended(recorder: Recording, at: float, *tickets: str) -> str:
    """A run that ended then."""
    recorder.set_clock(at)
    run = recorder.start(*(tickets or ("a",)))
    for name in tickets or ("a",):
        recorder.play(run, name, STORY)
    recorder.finish_run(run, "failed")
    return run


def found(recorder: Recording) -> set[str]:
    """The runs that any kind of search finds."""
    kinds = (
        recorder.search("parser"),
        recorder.search("parser", ranked=True),
        recorder.search("parser", code=True),
        recorder.search("state:failed"),
    )
    return {hit.run for hits in kinds for hit in hits}


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        tables = ("runs", "tickets", "segments", "packs", "entries")
        return {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def test_a_deleted_run_is_gone_and_the_others_are_whole(recorder: Recording) -> None:
    first, second = ended(recorder, 100.0), ended(recorder, 200.0)
    one_run = {table: count // 2 for table, count in rows(recorder.path).items()}
    running = recorder.start("a")
    assert deletion.delete(recorder.path, [second, running]) == [second]
    assert run_ids(recorder.path) == {first, running}
    assert found(recorder) == {first}
    assert recorder.stored(first) == recorder.of("a", first)
    left = rows(recorder.path)
    assert left == {**one_run, "runs": 2, "tickets": 2}
    check_index(recorder.path)
    assert maintenance.damage(recorder.path) == []


def test_retention_deletes_what_ended_long_ago_and_nothing_else(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000 * DAY
    old = [ended(recorder, now - 40 * DAY), ended(recorder, now - 31 * DAY, "a", "b")]
    pinned, resumed, used = (ended(recorder, now - 40 * DAY) for _ in range(3))
    maintenance.pin(recorder.path, pinned, True)
    recorder.resume_run(resumed)
    new = ended(recorder, now - 29 * DAY)
    assert deletion.older_than(recorder.path, now - 30 * DAY) == [old[0], used, old[1]]
    monkeypatch.setattr("time.time", lambda: now)
    with leases.held(recorder.path.parent / "locks", used):  # another process runs it again
        assert sorted(deletion.delete_old(recorder.path, 30 * DAY, Event())) == sorted(old)
    assert run_ids(recorder.path) == {pinned, resumed, used, new}
    assert found(recorder) == {pinned, resumed, used, new}
    assert maintenance.damage(recorder.path) == []


def test_a_run_is_out_of_sight_at_once_and_leaves_in_steps(recorder: Recording) -> None:
    run, other = ended(recorder, 100.0, "a", "b", "c"), ended(recorder, 150.0)
    texts: list[int] = []

    def look(taken: float) -> bool:
        texts.append(rows(recorder.path)["segments"])
        assert run_ids(recorder.path) == found(recorder) == {other}
        return True

    with closing(file.connect(recorder.path)) as db:
        assert deletion.hide(db, recorder.path, run, before=None)
        assert run_ids(recorder.path) == found(recorder) == {other}
        with pytest.raises(UsageError, match="no run"), Reader(recorder.path) as reader:
            reader.find_run(run)
        deletion.sweep(db, look, texts=2)
    assert len(texts) > 4
    assert texts == sorted(texts, reverse=True)
    deletion.delete(recorder.path, [other])
    assert set(rows(recorder.path).values()) == {0}
    check_index(recorder.path)


def test_a_deletion_that_was_stopped_is_finished_by_the_next(recorder: Recording) -> None:
    run = ended(recorder, 100.0, "a", "b", "c")
    with closing(file.connect(recorder.path)) as db:
        assert deletion.hide(db, recorder.path, run, before=None)
        deletion.sweep(db, lambda _: False, texts=2)
        assert deletion.has_remains(db)
    assert deletion.delete_old(recorder.path, None, Event()) == []
    assert set(rows(recorder.path).values()) == {0}


def test_a_run_that_is_pinned_meanwhile_stays(recorder: Recording) -> None:
    run = ended(recorder, 100.0)
    assert deletion.older_than(recorder.path, 200.0) == [run]
    maintenance.pin(recorder.path, run, True)
    assert deletion.delete(recorder.path, [run], before=200.0) == []
    assert run_ids(recorder.path) == {run}


def test_writing_goes_on_during_a_deletion_and_history_is_never_behind(recorder: Recording) -> None:
    for _ in range(5):
        ended(recorder, 100.0, "a", "b")
    run = recorder.start("a")
    recorder.play(run, "a", STORY[:4])
    with ThreadPoolExecutor() as pool:
        deleting = pool.submit(deletion.delete_old, recorder.path, DAY, Event())
        for number in range(200):
            recorder.play(run, "a", [e.TextDelta(f"word {number} ")])
    assert len(deleting.result()) == 5
    assert recorder.behind.empty()


def test_retention_leaves_a_missing_or_unreadable_file_alone(path: Path) -> None:
    assert deletion.delete_old(path, DAY, Event()) == []
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 1000)
    assert deletion.delete_old(path, DAY, Event()) == []
    assert path.read_bytes() == b"no database " * 1000
