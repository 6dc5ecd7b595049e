import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording import recorder as recorders
from lfgtui.model import events as e
from tests.history.conftest import Recording, locked


def test_a_locked_history_falls_behind_and_catches_up(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.submit(run, "a", 1, 0.0, e.TicketQueued())
    assert recorder.flush().result(30) is True
    with locked(recorder.path):
        recorder.submit(run, "a", 1, 1.0, e.Status("one"))
        assert recorder.flush().result(30) is False
        recorder.submit(run, "a", 1, 2.0, e.Status("two"))
        settled = recorder.flush(saved=True)
        assert recorder.flush().result(30) is False
        assert [entry.saved for entry in recorder.entries] == [True, False, False]
        assert "another program is using it" in str(recorder.behind.get(timeout=30))
        assert recorder.queued_bytes > 0 and not recorder.is_full
        assert not settled.done()
        assert len(recorder.stored(run)) == 1
    assert settled.result(30) is True
    assert recorder.behind.get(timeout=30) is None
    assert recorder.queued_bytes == 0
    recorder.submit(run, "a", 1, 3.0, e.Status("three"))
    assert recorder.flush().result(30) is True
    entries = recorder.stored(run)
    assert [(x.seq, x.event) for x in entries] == [(x.seq, x.event) for x in recorder.entries]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert recorder.behind.empty()


@pytest.mark.parametrize("is_freed_in_time", [False, True])
def test_a_backlog_and_the_end_of_its_run_are_saved_when_closing_or_given_up(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch, is_freed_in_time: bool
) -> None:
    monkeypatch.setattr(recorders, "SETTLING_PATIENCE", 0.0)
    run = recorder.start("a")
    with locked(recorder.path):
        recorder.submit(run, "a", 1, 0.0, e.TicketQueued())
        saved = recorder.flush(saved=True)
        assert recorder.flush().result(30) is False
        with pytest.raises(HistoryError, match=r"the end of run .* another program is using it"):
            recorder.finish_run(run, "failed")
        if not is_freed_in_time:
            monkeypatch.setattr(recorders, "CLOSING_PATIENCE", 0.0)
            recorder.close()
    recorder.close()
    assert [entry.saved for entry in recorder.entries] == [False]
    if is_freed_in_time:
        assert saved.result(30) is True and recorder.failure is None
        assert len(recorder.stored(run)) == 1
        with Reader(recorder.path) as reader:
            assert reader.run(run).state == "failed"
    else:
        assert "1 entries could not be saved" in str(recorder.failure)
        assert "could not be saved" in str(saved.exception(30))
