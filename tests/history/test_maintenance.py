"""Upkeep of the file: notes and pins, its size, backups, and its room."""

import stat
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError, UsageError
from lfgtui.history import deletion, maintenance
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from tests.history.conftest import Recording
from tests.history.story import STORY


def test_pins_and_notes_are_kept_until_taken_away(recorder: Recording) -> None:
    run, other = recorder.play_run(STORY), recorder.play_run(STORY)

    def marked(run: str) -> tuple[bool, str]:
        with Reader(recorder.path) as reader:
            return reader.run(run).pinned, reader.run(run).note

    maintenance.pin(recorder.path, run, True)
    maintenance.annotate(recorder.path, run, "  the one that worked\n")
    assert (marked(run), marked(other)) == ((True, "the one that worked"), (False, ""))
    maintenance.pin(recorder.path, run, False)
    maintenance.annotate(recorder.path, run, "")
    assert marked(run) == (False, "")


def test_a_note_that_is_too_long_and_an_unknown_run_are_refused(recorder: Recording) -> None:
    with pytest.raises(UsageError, match="2,001 characters; the limit is 2,000"):
        maintenance.annotate(recorder.path, recorder.start("a"), "x" * 2001)
    with pytest.raises(UsageError, match='no run "nope"'):
        maintenance.pin(recorder.path, "nope", True)


def test_vacuum_gives_the_room_of_deleted_runs_back(recorder: Recording) -> None:
    text = "".join(f"word{n} " for n in range(60_000))
    run = recorder.play_run([*STORY[:4], e.TextDelta(text), e.TicketCancelled()])
    deletion.delete(recorder.path, [run])
    recorder.close()
    before, after = maintenance.vacuum(recorder.path)
    assert after < before / 4


def test_a_backup_is_a_history_of_its_own(recorder: Recording, tmp_path: Path) -> None:
    run = recorder.play_run(STORY)
    copy = tmp_path / "copy.db"
    maintenance.back_up(recorder.path, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Reader(copy) as reader:
        assert [hit.run for hit in reader.search("tokeniser")] == [run]
    with pytest.raises(UsageError, match="already exists"):
        maintenance.back_up(recorder.path, copy)
    with pytest.raises(UsageError, match="no history yet"):
        maintenance.back_up(tmp_path / "none.db", tmp_path / "b.db")
    (tmp_path / "noise.db").write_bytes(b"noise " * 1000)
    with pytest.raises(HistoryError, match="not an lfg history"):
        maintenance.back_up(tmp_path / "noise.db", tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()


def test_size_counts_runs_tickets_and_text(recorder: Recording) -> None:
    recorder.play_run(STORY)
    found = maintenance.size(recorder.path)
    assert (found.runs, found.tickets) == (1, 1)
    assert found.text > 200 and found.file > found.text
