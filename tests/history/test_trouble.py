"""What others need to know when the history is in trouble, and when."""

import re
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.history.storage import file
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recorder


def test_who_is_given_entries_finds_their_bytes_no_longer_pending(path: Path) -> None:
    pending: list[int] = []
    history = History.open(path, on_entries=lambda _: pending.append(history.pending_bytes))
    run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
    history.submit(run, "a", 1, 0.0, e.TextDelta("x" * 1000))
    assert history.flush().result(30)
    history.close()
    assert pending == [0]


def test_marks_of_a_search_cannot_be_forged(recorder: Recorder) -> None:
    run = recorder.start("a")
    text = "\x02] needle \x02[ in \x02a hay\x02]"
    recorder.play(run, "a", [e.TicketQueued(), e.UserMessage(text)])
    with recorder.history.reader() as reader:
        (hit,) = reader.search("needle")
    assert hit.snippet == text
    assert [hit.snippet[start:end] for start, end in hit.matches] == ["needle"]


def spoil(path: Path, sql: str) -> None:
    connection = file.connect(path)
    connection.execute(sql)
    connection.close()


def test_an_event_of_another_version_is_an_error_that_says_so(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [e.TicketQueued()])
    recorder.history.finish_run(run, "interrupted")
    body = '{"type":"teleported","to":"Mars"}'
    spoil(
        recorder.path, f"INSERT INTO entries (ticket,seq,attempt,at,body) VALUES (1,2,1,0,'{body}')"
    )
    told = rf"entry 2 of {run}/a cannot be read: .*teleported.*another version of lfg"
    with Reader(recorder.path) as reader:
        with pytest.raises(HistoryError, match=told):
            list(reader.whole_entries(run, "a"))
        first, gap = reader.entries(run, "a")
    assert (first.seq, gap.seq) == (1, 2)
    assert isinstance(gap.event, e.GuardTripped)
    assert re.match(f"entry 2 cannot be read: {told}", gap.event.message)
    with pytest.raises(HistoryError, match=told):
        recorder.history.resume_run(run)


def test_a_dead_run_that_cannot_be_read_does_not_keep_others_from_running(
    recorder: Recorder,
) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [e.TicketQueued()])
    recorder.history.close()
    spoil(recorder.path, 'UPDATE entries SET body = \'{"type":"teleported"}\'')
    with History.open(recorder.path) as history:
        assert history.recovered == []
        other = history.start_run("t", [Ticket(id="b", prompt="p", workspace="/")], None)
        history.finish_run(other, "done")
        with history.reader() as reader:
            assert {summary.run: summary.state for summary in reader.runs()} == {
                run: "running",
                other: "done",
            }


def test_a_ticket_of_another_version_is_an_error_that_says_so(recorder: Recorder) -> None:
    run = recorder.start("a")
    spoil(recorder.path, "UPDATE tickets SET spec = '{\"id\": 7}'")
    with recorder.history.reader() as reader:
        (ticket,) = reader.tickets(run)
    assert ticket.ticket.id == "a" and "another version" in str(ticket.fault)


def test_numbers_that_json_has_not_are_null_live_as_stored(recorder: Recorder) -> None:
    run = recorder.start("a")
    odd: dict[str, object] = {"x": [float("nan"), float("inf"), 2**70, (1, 2.5)]}
    recorder.play(run, "a", [e.ToolCallRequested("c", "n", odd), e.ProviderItem("w", odd)])
    plain: dict[str, object] = {"x": [None, None, 2**70, [1, 2.5]]}
    assert [entry.event for entry in recorder.entries] == [
        e.ToolCallRequested("c", "n", plain),
        e.ProviderItem("w", plain),
    ]
    with recorder.history.reader() as reader:
        assert list(reader.entries(run, "a")) == recorder.entries
