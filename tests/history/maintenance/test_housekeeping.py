"""What keeps a history in order, and what is left of a damaged one."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import UsageError
from lfgtui.history.maintenance import deletion, housekeeping
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from tests.history.conftest import Recorder
from tests.history.search.test_search import STORY


def finished(recorder: Recorder, word: str) -> str:
    run = recorder.start("a", title=word)
    recorder.play(run, "a", [*STORY[:4], e.TextDelta(f"says {word} "), *STORY[4:]])
    recorder.history.finish_run(run, "failed")
    return run


def of(recorder: Recorder, run: str) -> list[e.Entry]:
    """What was delivered of the run."""
    return [entry for entry in recorder.entries if entry.run == run]


def test_what_is_deleted_is_gone_and_the_rest_is_whole(recorder: Recorder) -> None:
    runs = [finished(recorder, word) for word in ("alpha", "beta", "gamma")]
    running = recorder.start("a")
    assert deletion.delete(recorder.path, [runs[1], running]) == [runs[1]]
    with recorder.history.reader() as reader:
        assert {run.run for run in reader.runs()} == {runs[0], runs[2], running}
        assert reader.search("beta") == []
        assert [hit.run for hit in reader.search("alpha")] == [runs[0]]
        assert list(reader.entries(runs[2], "a")) == of(recorder, runs[2])
    with closing(sqlite3.connect(recorder.path)) as db:
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('integrity-check')")
        for table in ("packs", "entries", "segments"):
            found = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert found % 2 == 0  # of two runs alike
    assert housekeeping.damage(recorder.path) == []


def test_old_runs_are_those_that_ended_before(recorder: Recorder) -> None:
    old = finished(recorder, "old")
    recorder._at = 5000.0
    finished(recorder, "new")
    recorder.start("a")
    assert deletion.older_than(recorder.path, 2000.0) == [old]


def test_vacuum_gives_the_room_back(recorder: Recorder) -> None:
    run = recorder.start("a")
    text = "".join(f"word{n} " for n in range(60_000))
    recorder.play(run, "a", [*STORY[:4], e.TextDelta(text), e.TicketCancelled()])
    recorder.history.finish_run(run, "failed")
    deletion.delete(recorder.path, [run])
    recorder.history.close()
    before, after = housekeeping.vacuum(recorder.path)
    assert after < before / 4


def test_a_backup_is_a_history_of_its_own(recorder: Recorder, tmp_path: Path) -> None:
    run = finished(recorder, "alpha")
    copy = tmp_path / "copy.db"
    housekeeping.back_up(recorder.path, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Reader(copy) as reader:
        assert [hit.run for hit in reader.search("alpha")] == [run]
    with pytest.raises(UsageError, match="exists already"):
        housekeeping.back_up(recorder.path, copy)
    with pytest.raises(UsageError, match="no history yet"):
        housekeeping.back_up(tmp_path / "none.db", tmp_path / "b.db")


def test_its_size_is_told(recorder: Recorder) -> None:
    finished(recorder, "alpha")
    found = housekeeping.size(recorder.path)
    assert (found.runs, found.tickets) == (1, 1)
    assert found.text > 200 and found.file > found.text
