"""A run that is over gets an entry more, and is no less over."""

from lfgtui.history.recording.late_entries import add_late
from lfgtui.history.storage import leases
from lfgtui.model import events as e
from tests.history.conftest import Recording
from tests.history.story import BEGIN

DISCARDED = e.WorktreeDiscarded("lfg/r/a")


def test_it_comes_last_and_the_run_stays_as_it_ended(recorder: Recording) -> None:
    run = recorder.start("a", "b")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("hi"), e.TicketDone("end")])
    recorder.finish_run(run, "failed")
    with recorder.reader() as reader:
        before = reader.run(run)
    with leases.held(recorder.path.parent / "locks", run) as is_free:
        assert is_free
        (added,) = add_late(recorder.path, run, "a", DISCARDED)
    with recorder.reader() as reader:
        assert reader.run(run) == before
        *_, ended, last = reader.entries(run, "a")
        assert (last, last.event, last.attempt) == (added, DISCARDED, ended.attempt)
        assert last.seq == ended.seq + 1
        assert reader.tickets(run, "a")[0].state == "done"


def test_of_what_the_history_does_not_have_it_takes_no_note(recorder: Recording) -> None:
    run = recorder.start("a")
    assert add_late(recorder.path, run, "b", DISCARDED) == ()
    assert add_late(recorder.path, "gone", "a", DISCARDED) == ()
    nowhere = recorder.path.with_name("none.db")
    assert add_late(nowhere, run, "a", DISCARDED) == () and not nowhere.exists()
