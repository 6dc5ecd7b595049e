"""Answers that may be given again: found by the fingerprint of their request, if they are whole."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import UNSET

from lfgtui.history import deletion
from lfgtui.history.answers import AnswerCache, KeptAnswer
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.redaction import EventRedactor
from lfgtui.text.redactor import Redactor
from tests.history.conftest import Recording
from tests.text.secrets import GITHUB

PRINT = sha256(b"a request").hexdigest()
BEGIN = (e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Do it."))
SENT = e.RequestSent(1, PRINT)
CALL = e.ToolCallRequested("call00001", "read_file", {"path": "x"}, "toolu_1")
SAID: tuple[e.WireEvent, ...] = (
    e.ReasoningDelta("Hm."),
    e.ProviderItem("anthropic", {"type": "thinking", "signature": "s"}),
    e.TextDelta("I look."),
    e.ToolCallStarted("call00001", "read_file"),
    e.ToolArgumentsDelta("call00001", '{"path":"x"}'),
    CALL,
    e.HostedTool("web_search", "q", "found", "call00002"),
    e.Citation("https://a.example"),
)
BESIDE: tuple[e.Event, ...] = (
    e.ResponseStarted(0.1),
    e.Heartbeat(),
    e.Status("a remark"),
    e.Usage(100, 20),
    e.UserMessage("And then?", origin="person"),
    e.GuardTripped("guard", "seen"),
)
WELL = e.ResponseFinished(1, "tool_use", commit=0.01, paint=0.02)
AFTER = (e.ToolRunStarted("call00001"), e.ToolCallFinished("call00001", "1", None, 0, 0.1))


def kept(path: Path, *, age: float = 3600.0) -> KeptAnswer | None:
    return AnswerCache(path, age).find(PRINT)


def play(recorder: Recording, *events: e.Event, begin: Sequence[e.Event] = BEGIN) -> str:
    """A run with these events; its id."""
    recorder.set_clock(now())
    run = recorder.start("a")
    redactor = EventRedactor(Redactor())
    life = [one for event in (*begin, *events) for one in redactor.feed(event)]
    recorder.play(run, "a", life)
    return run


@pytest.mark.parametrize("goes_on", [False, True], ids=["just now", "packed"])
def test_an_answer_is_what_was_said_and_nothing_beside_it(
    recorder: Recording, goes_on: bool
) -> None:
    later = (*AFTER, e.RequestSent(2), e.TextDelta("Done."), e.ResponseFinished(2, "end"))
    ends = (*later, e.TicketDone("end")) if goes_on else ()
    run = play(recorder, SENT, *BESIDE, *SAID, WELL, *ends)
    at = next(one.at for one in recorder.entries if one.event == SENT)
    assert kept(recorder.path) == KeptAnswer(run, "a", at, 120, SAID, WELL)


@pytest.mark.parametrize(
    "ends",
    [
        (),
        (e.ResponseFinished(1, "length"),),
        (e.ResponseFinished(1, e.STOPPED),),
        (e.ResponseFinished(1, "content_filter"),),
        (e.ResponseFinished(1, "pause_turn"),),
        (e.Retrying("cut", 0.0, 2, "cut"), e.AttemptStarted("p", "m", True), e.RequestSent(1)),
        (e.TicketCancelled(),),
        (e.TicketInterrupted(),),
        (e.Parked("p", 5000.0, "limit"),),
    ],
    ids=lambda ends: type(ends[0]).__name__ if ends else "open",
)
def test_one_that_did_not_end_well_is_none(recorder: Recording, ends: tuple[e.Event, ...]) -> None:
    play(recorder, SENT, e.TextDelta("I look."), *ends)
    assert kept(recorder.path) is None


@pytest.mark.parametrize(
    "said",
    [
        e.TextDelta(f"use {GITHUB} now"),
        e.ToolCallRequested("call00001", "read_file", {"path": GITHUB}),
        e.ProviderItem("anthropic", {"type": "thinking", "thinking": GITHUB}),
    ],
    ids=lambda said: type(said).__name__,
)
def test_one_from_which_something_was_redacted_is_none(recorder: Recording, said: e.Event) -> None:
    play(recorder, SENT, said, WELL)
    assert not any(GITHUB in str(one.event) for one in recorder.entries)
    assert kept(recorder.path) is None


def test_the_newest_good_one_counts_up_to_its_age(recorder: Recording) -> None:
    for text in ("old", "new"):
        play(recorder, SENT, e.TextDelta(text), WELL)
    play(recorder, SENT, e.TextDelta("broken"))
    found = kept(recorder.path)
    assert found is not None and found.events == (e.TextDelta("new"),)
    assert kept(recorder.path, age=1.0) is None  # they were sent 97 s ago, as `play` has it
    assert AnswerCache(recorder.path).unread().find(PRINT) is None
    assert AnswerCache(recorder.path).find(sha256(b"another").hexdigest()) is None
    assert AnswerCache(recorder.path.with_name("none.db")).find(PRINT) is None


def test_a_request_without_a_fingerprint_is_not_found(recorder: Recording) -> None:
    play(recorder, e.RequestSent(1), e.TextDelta("x"), WELL)
    assert AnswerCache(recorder.path).find("") is None
    assert recorder.entries[3].event == e.RequestSent(1, UNSET)


def test_no_search_finds_a_fingerprint(recorder: Recording) -> None:
    play(recorder, SENT, e.TextDelta("I look."), WELL, e.TicketDone("end"))
    with recorder.reader() as reader:
        for query, how in ((PRINT, {}), (PRINT, {"ranked": True}), (PRINT[:9], {"code": True})):
            assert reader.search(query, **how) == []
        assert reader.search(f"{PRINT[:9]}*") == []
        assert {hit.kind for hit in reader.search("ticket:a", code=True)} == {"prompt", "text"}


def test_runs_that_were_deleted_or_imported_answer_nothing(
    recorder: Recording, tmp_path: Path
) -> None:
    run = play(recorder, SENT, e.TextDelta("I look."), WELL, e.TicketDone("end"))
    recorder.finish_run(run, "done")
    with recorder.reader() as here:
        lines = list(lines_of(here, run))
    import_run(tmp_path / "other.db", lines, "a file")
    assert any(PRINT.encode() in line for line in lines)
    assert kept(tmp_path / "other.db") is None
    assert kept(recorder.path) is not None
    assert deletion.delete(recorder.path, [run]) == [run]
    assert kept(recorder.path) is None


def test_a_damaged_history_answers_nothing(recorder: Recording, tmp_path: Path) -> None:
    (tmp_path / "damaged.db").write_bytes(b"x" * 5000)
    assert kept(tmp_path / "damaged.db") is None
