"""Recovery of a damaged history."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.storage import file
from lfgtui.model import events as e
from tests.history.conftest import Recording, stored
from tests.history.story import STORY


def finish(recorder: Recording, words: Sequence[str]) -> list[str]:
    """Runs with these words in title and text, all in the file itself, the log gone."""
    story = [[*STORY[:4], e.TextDelta(f"says {word} "), *STORY[4:]] for word in words]
    runs = [recorder.play_run(*one) for one in zip(story, words, strict=True)]
    recorder.close()
    return runs


def replace(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.mark.parametrize("seed", range(6))
def test_all_but_the_damaged_is_recovered(recorder: Recording, tmp_path: Path, seed: int) -> None:
    runs = finish(recorder, [f"word{n} " + "filler " * 400 for n in range(12)])
    with closing(sqlite3.connect(recorder.path)) as db:
        (roots,) = db.execute("SELECT max(rootpage) FROM sqlite_schema").fetchone()
    body = bytearray(recorder.path.read_bytes())
    dice = random.Random(seed)
    page = dice.randrange(roots, len(body) // file.PAGE)  # the roots say what the others are
    body[page * file.PAGE : (page + 1) * file.PAGE] = dice.randbytes(file.PAGE)
    recorder.path.write_bytes(body)
    assert maintenance.damage(recorder.path)
    target = tmp_path / "recovered.db"
    recovered = maintenance.recover(recorder.path, target)
    assert maintenance.damage(target) == []
    with Reader(target) as reader:
        known = [run.run for run in reader.runs()]
        assert recovered.empty == [run for run in known[::-1] if not reader.tickets(run)]
        with_tickets = [run for run in known if reader.tickets(run)]
    assert known and set(known) <= set(runs)
    assert any(stored(target, run) == recorder.of("a", run) for run in with_tickets)


def test_a_truncated_file_is_reported_as_damaged_with_the_remedy(recorder: Recording) -> None:
    finish(recorder, [f"word{n} " + "filler " * 200 for n in range(30)])
    body = recorder.path.read_bytes()
    recorder.path.write_bytes(body[: len(body) // 2 // file.PAGE * file.PAGE])
    assert maintenance.damage(recorder.path)
    with pytest.raises(HistoryError, match="lfg history repair"), Reader(recorder.path) as reader:
        for run in reader.runs(limit=99):
            list(reader.entries(run.run, "a"))


def test_a_damaged_definition_costs_no_other_table(recorder: Recording, tmp_path: Path) -> None:
    (run,) = finish(recorder, ["alpha"])
    replace(recorder.path, b"CREATE INDEX runs_by_state", b"CREATE xNDEX runs_by_state")
    with pytest.raises(HistoryError, match=r"malformed .*lfg history repair"):
        Reader(recorder.path).runs()
    maintenance.recover(recorder.path, tmp_path / "recovered.db")
    assert stored(tmp_path / "recovered.db", run) == recorder.of("a")


def test_damaged_text_is_kept_with_its_holes(recorder: Recording, tmp_path: Path) -> None:
    (run,) = finish(recorder, ["alpha"])
    replace(recorder.path, b"says alpha", b"says \xfflpha")
    maintenance.recover(recorder.path, tmp_path / "recovered.db")
    for path in (recorder.path, tmp_path / "recovered.db"):
        with Reader(path) as reader:
            assert "says �lpha" in reader.transcript(run, "a").attempts[0].text


def test_where_nothing_can_be_recovered_no_file_is_left(path: Path, tmp_path: Path) -> None:
    file.connect(path).close()
    noise = tmp_path / "noise.db"
    noise.write_bytes(random.Random(1).randbytes(20_000))
    assert maintenance.damage(noise) == ["file is not a database"]
    for source in (path, noise):
        with pytest.raises(HistoryError, match="nothing in it can be read"):
            maintenance.recover(source, tmp_path / "recovered.db")
    assert list(tmp_path.glob("recovered*")) == []
