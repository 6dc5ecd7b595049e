"""What is left of a damaged history."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import housekeeping, recover
from lfgtui.history.reader import Reader
from lfgtui.history.storage import file
from tests.history.conftest import Recorder
from tests.history.maintenance.test_housekeeping import finished, of


@pytest.mark.parametrize("seed", range(6))
def test_of_a_damaged_file_the_rest_is_saved(recorder: Recorder, tmp_path: Path, seed: int) -> None:
    runs = [finished(recorder, f"word{n} " + "filler " * 400) for n in range(12)]
    recorder.history.close()
    with closing(sqlite3.connect(recorder.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (roots,) = db.execute("SELECT max(rootpage) FROM sqlite_schema").fetchone()
    body = bytearray(recorder.path.read_bytes())
    dice = random.Random(seed)
    page = dice.randrange(roots, len(body) // file.PAGE)  # the roots say what the others are
    body[page * file.PAGE : (page + 1) * file.PAGE] = dice.randbytes(file.PAGE)
    recorder.path.write_bytes(body)
    assert housekeeping.damage(recorder.path)
    target = tmp_path / "rescued.db"
    rescued = recover.recover(recorder.path, target)
    assert housekeeping.damage(target) == []
    with Reader(target) as reader:
        known = [run.run for run in reader.runs()]
        whole = 0
        assert rescued.empty == [run for run in known[::-1] if not reader.tickets(run)]
        for run in known:
            for ticket in reader.tickets(run):
                whole += list(reader.entries(run, ticket.ticket.id)) == of(recorder, run)
    assert len(known) >= 1 and set(known) <= set(runs)
    assert whole >= 1


def test_a_truncated_file_is_said_to_be_damaged_and_how_to_save_it(recorder: Recorder) -> None:
    for n in range(30):
        finished(recorder, f"word{n} " + "filler " * 200)
    recorder.history.close()
    body = recorder.path.read_bytes()
    recorder.path.write_bytes(body[: len(body) // 2 // file.PAGE * file.PAGE])
    assert housekeeping.damage(recorder.path)
    with pytest.raises(HistoryError, match="lfg history repair"), Reader(recorder.path) as reader:
        for run in reader.runs(limit=99):
            list(reader.entries(run.run, "a"))


def test_what_is_no_database_cannot_be_rescued(tmp_path: Path) -> None:
    noise = tmp_path / "noise.db"
    noise.write_bytes(random.Random(1).randbytes(20_000))
    assert housekeeping.damage(noise) == ["file is not a database"]
    with pytest.raises(HistoryError, match="nothing in it can be read"):
        recover.recover(noise, tmp_path / "rescued.db")
    assert not (tmp_path / "rescued.db").exists()


def test_a_table_whose_definition_is_damaged_does_not_take_the_others_with_it(
    recorder: Recorder, tmp_path: Path
) -> None:
    run = finished(recorder, "alpha")
    recorder.history.close()
    body = recorder.path.read_bytes()
    recorder.path.write_bytes(
        body.replace(b"CREATE INDEX runs_by_state", b"CREATE xNDEX runs_by_state")
    )
    with pytest.raises(HistoryError, match=r"malformed .*lfg history repair"):
        Reader(recorder.path).runs()
    recover.recover(recorder.path, tmp_path / "rescued.db")
    with Reader(tmp_path / "rescued.db") as reader:
        assert list(reader.entries(run, "a")) == of(recorder, run)


def test_text_that_is_none_any_more_is_kept_with_its_holes(
    recorder: Recorder, tmp_path: Path
) -> None:
    run = finished(recorder, "alpha")
    recorder.history.close()
    body = recorder.path.read_bytes()
    recorder.path.write_bytes(body.replace(b"says alpha", b"says \xfflpha"))
    with Reader(recorder.path) as reader:
        assert "says �lpha" in reader.transcript(run, "a").attempts[0].text
    recover.recover(recorder.path, tmp_path / "rescued.db")
    with Reader(tmp_path / "rescued.db") as reader:
        text = reader.transcript(run, "a").attempts[0].text
        assert "says �lpha" in text


def test_what_could_not_be_rescued_leaves_no_file(recorder: Recorder, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="nothing in it can be read"):
        recover.recover(recorder.path, tmp_path / "rescued.db")
    assert list(tmp_path.glob("rescued*")) == []
