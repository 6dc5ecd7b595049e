"""Tickets that workers have: their entries come numbered, and nobody ends them meanwhile."""

import msgspec
import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage.file import connect_to_read
from lfgtui.history.storage.runs import hand_outs
from lfgtui.model import events as e
from tests.history.conftest import Recording

BEGUN = [e.TicketQueued()]


def from_worker(run: str, first: int, *events: e.Event) -> list[e.Entry]:
    return [e.Entry(run, "a", 1, first + n, 5000.0 + n, one) for n, one in enumerate(events)]


def test_numbered_entries_keep_their_numbers_and_are_not_merged(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", BEGUN)
    recorder.hand_out(run, "a", 1, is_out=True)
    words = [e.AttemptStarted("p", "m"), e.RequestSent(1), e.TextDelta("so "), e.TextDelta("on")]
    recorder.submit_numbered(from_worker(run, 2, *words[:3]))
    recorder.submit_numbered(from_worker(run, 5, *words[3:]))
    recorder.flush().result(30)
    assert [(one.seq, one.event) for one in recorder.of("a")[1:]] == list(enumerate(words, 2))
    assert recorder.stored(run) == recorder.entries


def test_an_entry_out_of_order_is_told_and_takes_no_other_number(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", BEGUN)
    recorder.submit_numbered(from_worker(run, 3, e.AttemptStarted("p", "m")))
    recorder.flush().result(30)
    (_, refused) = recorder.of("a")
    assert isinstance(refused.event, e.GuardTripped)
    assert "entry 3 came after 1" in refused.event.message


def test_entries_of_another_run_are_refused(recorder: Recording) -> None:
    with pytest.raises(HistoryError, match="not being written here"):
        recorder.submit_numbered(from_worker("20260101-000000-aaaa", 1, *BEGUN))


def test_what_a_worker_has_outlives_the_process_that_handed_it_out(recorder: Recording) -> None:
    run = recorder.start("a", "b")
    recorder.play(run, "a", BEGUN)
    recorder.play(run, "b", BEGUN)
    recorder.hand_out(run, "a", 7, is_out=True)
    recorder.close()  # as after a kill
    with Recorder(recorder.path) as again:
        assert again.recovered == [run]
        with Reader(again.path) as reader:
            states = {one.ticket.id: one.state for one in reader.tickets(run)}
        assert states == {"a": "queued", "b": "interrupted"}
        again.resume_run(run, with_workers=True)
        again.submit_numbered(from_worker(run, 2, e.AttemptStarted("p", "m")))
        assert again.flush().result(30)
        with Reader(again.path) as reader:
            assert [one.seq for one in reader.entries(run, "a")] == [1, 2]
        assert hand_outs(connect_to_read(again.path), run) == {"a": (7, True)}


def test_a_resume_without_workers_takes_it_back(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", BEGUN)
    recorder.hand_out(run, "a", 7, is_out=True)
    recorder.close()
    with Recorder(recorder.path) as again:
        again.resume_run(run)
        with Reader(again.path) as reader:
            assert reader.tickets(run)[0].state == "interrupted"
        assert hand_outs(connect_to_read(again.path), run) == {"a": (7, False)}


def test_hand_outs_go_along_to_another_file(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", BEGUN)
    recorder.hand_out(run, "a", 7, is_out=True)
    assert recorder.flush().result(30)
    recorder.path.unlink()
    recorder.play(run, "a", [e.Status("there is a new file now")])
    assert hand_outs(connect_to_read(recorder.path), run) == {"a": (7, True)}
    kept = [msgspec.structs.replace(one, saved=True) for one in recorder.entries]
    assert recorder.stored(run) == kept
