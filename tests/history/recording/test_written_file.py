"""The file that is written goes away, is replaced or spoiled: real files, nothing is lost."""

import errno
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording import written_file
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import batch, file
from lfgtui.model import events as e
from lfgtui.model.fold.states import RunState
from tests.helpers.waiting import until
from tests.history.conftest import Recording, check_index, run_ids, spoil, start, stored
from tests.history.story import BEGIN, END

# What SQLite does first when it copies the log into the file: the first page, which says
# how many pages there are, before there are as many.
BEGIN_TO_COPY = """
import struct, sys
from pathlib import Path
log = Path(sys.argv[1] + "-wal").read_bytes()
(size,) = struct.unpack(">I", log[8:12])
for at in range(32, len(log), 24 + size):
    if struct.unpack(">I", log[at : at + 4]) == (1,):
        page = log[at + 24 : at + 24 + size]
with open(sys.argv[1], "r+b") as file:
    file.write(page)
"""


Spoil: TypeAlias = Callable[[Path], object]


def delete_file(path: Path) -> None:
    for part in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{part}").unlink(missing_ok=True)


def delete_file_and_log(path: Path) -> None:
    path.unlink()
    file.log_of(path).unlink()


def replace_by_copy(path: Path, *, without_runs: bool = False) -> None:
    copy = path.with_name("copy.db")
    maintenance.back_up(path, copy)
    if without_runs:
        for table in ("entries", "packs", "segments", "tickets", "runs"):
            spoil(copy, f"DELETE FROM {table}")
        file.connect(copy).close()
    delete_file(path)
    copy.rename(path)


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def delete_locks(path: Path) -> None:
    shutil.rmtree(path.parent / "locks")


MENDED: dict[str, Spoil] = {
    "file deleted": delete_file,
    "all but the log deleted": Path.unlink,
    "all but the shared memory deleted": delete_file_and_log,
    "folder deleted": delete_folder,
    "folder moved": lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
    "an older copy restored": lambda path: replace_by_copy(path, without_runs=True),
    "moved to another disk": replace_by_copy,
    "log deleted": lambda path: file.log_of(path).unlink(),
    "shared memory deleted": lambda path: path.with_name("history.db-shm").unlink(),
    "locks deleted": delete_locks,
}


def make_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
        db.executemany("INSERT INTO theirs VALUES (?)", [("x" * 5000,)] * 50)
        db.commit()


def write_diary(path: Path) -> None:
    path.write_text("Dear diary")


def overwrite_in_place(path: Path) -> None:
    make_foreign(path.with_name("other.db"))
    path.write_bytes(path.with_name("other.db").read_bytes())


def dangle(path: Path) -> None:
    path.parent.symlink_to(path.parent.with_name("nowhere") / "deep")


# What is taken away, and what somebody else puts there.
SPOILED: dict[str, tuple[Spoil, Spoil]] = {
    "another database": (delete_file, make_foreign),
    "a text": (delete_file, write_diary),
    "a text beside the log": (Path.unlink, write_diary),
    "a folder": (delete_file, Path.mkdir),
    "a file for the folder": (delete_folder, lambda path: write_diary(path.parent)),
    "a dangling link": (delete_folder, dangle),
    "nothing but a name": (lambda path: os.truncate(path, 0), lambda _: None),
    "overwritten in place": (overwrite_in_place, lambda _: None),
}


def assert_whole(path: Path, run: str, recorder: Recording) -> None:
    """Check that everything delivered is in that file, and can be found."""
    assert maintenance.damage(path) == []
    tickets = {entry.ticket for entry in recorder.entries if entry.run == run}
    with Reader(path) as reader:
        assert reader.run(run).state == "done"
        for word in ("early", "late"):
            assert {hit.ticket for hit in reader.search(word)} == tickets
    for ticket in tickets:
        numbered = [(one.seq, one.event) for one in stored(path, run, ticket)]
        assert numbered == [(one.seq, one.event) for one in recorder.of(ticket)]
    check_index(path)


def play_around(recorder: Recording, spoil: Spoil) -> str:
    """A run of two tickets in the middle of which something happens to the file."""
    other = recorder.start("x")  # so that keys differ between the files
    recorder.play(other, "x", BEGIN)
    run = recorder.start("a", "b")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("early "), e.ResponseFinished(1, "end")])
    recorder.play(run, "a", [e.RequestSent(2), e.TextDelta("and more, ")])
    recorder.play(run, "b", [*BEGIN, e.TextDelta("early, "), e.ReasoningDelta("hm")])
    recorder.finish_run(other, "interrupted")
    spoil(recorder.path)
    recorder.add(run, "c")
    recorder.play(run, "c", [*BEGIN, e.TextDelta("early and late"), *END])
    recorder.play(run, "a", [e.TextDelta("late"), *END])
    recorder.play(run, "b", [e.TextDelta("late"), *END])
    assert recorder.flush(saved=True).result(30)
    recorder.finish_run(run, "done")
    assert all(entry.saved for entry in recorder.entries)
    return run


@pytest.mark.parametrize("spoil", MENDED.values(), ids=MENDED.keys())
def test_a_run_goes_on_in_the_file_that_is_there_now(recorder: Recording, spoil: Spoil) -> None:
    run = play_around(recorder, spoil)
    recorder.close()
    assert recorder.failure is None and recorder.file.remedy is None
    assert_whole(recorder.path, run, recorder)
    assert (recorder.file.remarks == []) == (spoil is delete_locks)
    assert not list((recorder.path.parent / "locks").glob("*"))


def test_what_happens_twice_is_remarked_once(recorder: Recording) -> None:
    run = recorder.start("a")
    for events in (BEGIN, (e.TextDelta("more"),), END):
        recorder.play(run, "a", events)
        assert recorder.flush(saved=True).result(30)
        delete_file(recorder.path)
    (remark,) = recorder.file.remarks
    assert remark.endswith("; this run is in the file that is there now")


@pytest.mark.parametrize(("take_away", "put"), SPOILED.values(), ids=SPOILED.keys())
def test_what_somebody_else_put_there_is_left_alone_and_the_run_saved_elsewhere(
    recorder: Recording, take_away: Spoil, put: Spoil
) -> None:
    theirs: dict[Path, bytes] = {}

    def spoil(path: Path) -> None:
        take_away(path)
        put(path)
        theirs.update((one, one.read_bytes()) for one in (path, path.parent) if one.is_file())

    run = play_around(recorder, spoil)
    line = str(recorder.file.remedy)
    recorder.close()
    found = re.search("LFG_DATA_DIR=(.*) lfg history$", line)
    assert found is not None and str(recorder.path) in line
    trouble = recorder.behind.get(timeout=30)
    assert trouble is not None and trouble.is_saved and trouble.reason.startswith(found[1])
    assert_whole(Path(found[1]) / "history.db", run, recorder)
    assert {path: path.read_bytes() for path in theirs} == theirs
    shutil.rmtree(found[1])


@pytest.mark.parametrize("refusals", [0, 2])
def test_another_that_copies_its_log_is_not_taken_for_an_intruder(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    """Nor is a system that has no files or memory left for the check: it is made again."""
    run = recorder.start("a")
    recorder.play(run, "a", BEGIN)
    left = [sqlite3.OperationalError("disk I/O error") for _ in range(refusals)]
    check = file.check_unlogged

    def checked(path: Path) -> None:
        if left:
            left[-1].sqlite_errorcode = sqlite3.SQLITE_IOERR_SHORT_READ
            with file.opening(path):
                raise left.pop()
        check(path)

    monkeypatch.setattr(file, "check_unlogged", checked)
    subprocess.run([sys.executable, "-c", BEGIN_TO_COPY, recorder.path], check=True)
    for event in (e.TextDelta("early and late"), *END):
        recorder.play(run, "a", [event])
    assert recorder.flush(saved=True).result(30)
    assert not left and not recorder.file.remarks and recorder.file.remedy is None
    assert not list(recorder.path.parent.glob("*aside*"))


def test_a_file_that_cannot_be_opened_again_at_once_is_waited_for(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorder.start("a", "b")
    for ticket in "ab":
        recorder.play(run, ticket, [*BEGIN, e.TextDelta("early ")])
    left = [OSError(errno.EMFILE, "no files left")] * 2
    connect = file.connect

    def connected(path: Path, durability: file.Durability = "process") -> sqlite3.Connection:
        if left and threading.current_thread().name == "lfg-history":
            with file.opening(path):
                raise left.pop()
        return connect(path, durability)

    monkeypatch.setattr(file, "connect", connected)
    file.log_of(recorder.path).unlink()
    for ticket in "ab":
        recorder.play(run, ticket, [e.TextDelta("late"), *END])
    recorder.finish_run(run, "done")
    assert not left and recorder.file.remedy is None
    assert_whole(recorder.path, run, recorder)


@pytest.mark.parametrize("moment", ["plain", "connect"])
def test_a_file_that_goes_while_its_log_is_renewed_takes_nothing_with_it(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It is deleted before and after our connection to it is closed."""
    run = recorder.start("a", "b")
    for ticket in "ab":
        recorder.play(run, ticket, [*BEGIN, e.TextDelta("early ")])
    losses = [delete_file]
    open_file = getattr(file, moment)

    def opened(path: Path, how: file.Durability) -> sqlite3.Connection:
        if losses and threading.current_thread().name == "lfg-history":
            losses.pop()(recorder.path)
        connection: sqlite3.Connection = open_file(path, how)
        return connection

    monkeypatch.setattr(file, moment, opened)
    file.log_of(recorder.path).unlink()
    recorder.mark_run(run, "running")
    assert recorder.flush(saved=True).result(30) and not losses
    monkeypatch.undo()
    for ticket in "ab":
        recorder.play(run, ticket, [e.TextDelta("late"), *END])
    recorder.finish_run(run, "done")
    assert recorder.file.remedy is None
    assert_whole(recorder.path, run, recorder)


def test_an_idle_run_is_followed_too(recorder: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lfgtui.history.recording.recorder.WATCH", 0.01)
    run = recorder.start("a")
    recorder.play(run, "a", BEGIN)
    delete_folder(recorder.path)
    until(lambda: recorder.file.remarks, "the deletion is not noticed")
    assert len(recorder.stored(run)) == len(BEGIN)
    assert (recorder.path.parent / "locks" / f"{run}.lock").exists()


def test_a_run_comes_home_once_it_can(recorder: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_file, "HOMING", 0.0)
    run = recorder.start("a", "b")
    for ticket in ("a", "b"):
        recorder.play(run, ticket, [*BEGIN, e.TextDelta("early ")])
    delete_file(recorder.path)
    write_diary(recorder.path)
    recorder.play(run, "a", [e.TextDelta("meanwhile ")])
    recorder.add(run, "c")
    recorder.play(run, "c", [*BEGIN, e.TextDelta("early ")])
    assert "this run is saved in" in str(recorder.file.remedy)
    recorder.path.unlink()
    for ticket in ("a", "b", "c"):
        recorder.play(run, ticket, [e.TextDelta("late"), *END])
    assert recorder.file.remedy is None
    recorder.finish_run(run, "done")
    recorder.close()
    assert_whole(recorder.path, run, recorder)


def test_tickets_that_cannot_be_read_back_in_full_are_named(recorder: Recording) -> None:
    run = recorder.start("a", "b")
    for ticket in ("a", "b"):
        recorder.play(run, ticket, [*BEGIN, e.TextDelta("early "), *END])
    with closing(file.connect(recorder.path)) as db:
        db.execute("UPDATE packs SET body = x'00' WHERE id < ?", (2 << 32,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    delete_folder(recorder.path)
    recorder.play(run, "b", [e.TicketQueued()])
    (remark,) = recorder.file.remarks
    assert f"parts of {run}/a are lost" in remark and "/b" not in remark


def test_a_run_that_ended_stays_ended_in_the_file_that_is_there_now(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("early "), *END])
    ended_at = recorder.entries[-1].at

    def state_after_deletion() -> tuple[str, float | None]:
        delete_file(recorder.path)
        recorder.play(recorder.start("x"), "x", BEGIN)
        with recorder.reader() as reader:
            return reader.run(run).state, reader.run(run).ended_at

    marks: list[tuple[RunState, float | None]]
    marks = [("running", None), ("done", ended_at), ("running", None)]
    for state, at in marks:
        recorder.mark_run(run, state)
        recorder.flush().result(30)
        assert state_after_deletion() == (state, at)


@pytest.mark.parametrize("lose", [delete_file, MENDED["log deleted"]], ids=["file", "log"])
def test_what_happens_during_a_commit_is_noticed_after_it(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch, lose: Spoil
) -> None:
    run = recorder.start("a", "b")
    for ticket in "ab":
        recorder.play(run, ticket, [*BEGIN, e.TextDelta("early and late"), *END])
    write = batch.write
    losses = [lose]

    def written(connection: sqlite3.Connection, some: batch.Batch) -> None:
        write(connection, some)
        if losses:
            losses.pop()(recorder.path)

    monkeypatch.setattr(batch, "write", written)
    recorder.mark_run(run, "done")
    assert recorder.flush(saved=True).result(30)
    assert not losses and recorder.file.remarks
    assert_whole(recorder.path, run, recorder)


def test_only_the_runs_of_this_process_come_back(recorder: Recording) -> None:
    old = recorder.start("x")
    recorder.play(old, "x", BEGIN)
    recorder.finish_run(old, "interrupted")
    run = recorder.start("a")
    recorder.play(run, "a", BEGIN)
    delete_file(recorder.path)
    recorder.play(run, "a", [e.TextDelta("late")])
    assert run_ids(recorder.path) == {run}


def test_two_processes_whose_file_goes_away_meet_in_the_new_one(recorder: Recording) -> None:
    second = Recorder(recorder.path)
    run = recorder.start("a")
    other = start(second, "b")
    delete_folder(recorder.path)
    recorder.play(run, "a", BEGIN)
    second.submit(other, "b", 1, 0.0, e.TicketQueued())
    assert second.flush().result(30)
    second.close()
    assert run_ids(recorder.path) == {run, other}


def test_a_run_that_another_ended_meanwhile_is_not_mixed_up(recorder: Recording) -> None:
    """The locks were deleted, and another lfg took the run for dead."""
    run = recorder.start("a")
    recorder.play(run, "a", BEGIN)
    delete_locks(recorder.path)
    with Recorder(recorder.path) as other:
        assert other.recovered == [run]
    recorder.play(run, "a", [e.TextDelta("late"), *END])
    assert recorder.flush(saved=True).result(30)
    assert recorder.file.remedy is not None
    with recorder.reader() as reader:
        entries = list(reader.entries(run, "a"))
        assert [x.seq for x in entries] == list(range(1, len(BEGIN) + 4))
        assert e.TicketInterrupted() not in [x.event for x in entries]


def test_a_history_without_a_run_follows_its_file_too(recorder: Recording) -> None:
    delete_folder(recorder.path)
    with pytest.raises(HistoryError):
        recorder.resume_run("nothing")
    run = recorder.start("a")
    assert recorder.play(run, "a", BEGIN) == recorder.stored(run)
