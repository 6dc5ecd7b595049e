"""Figures of past requests."""

from lfgtui.history.reader import Reader
from lfgtui.history.stats import Percentiles, Request, summarize
from lfgtui.model import events as e
from tests.history.conftest import Recording, spoil

BEGIN = (e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go."))
SENT = e.RequestSent(1)
CALL = e.ToolCallRequested("1", "run_command", {"command": "make"})
ASKED = e.ApprovalRequested("1", "run_command", "$ make")
CALLED = e.ResponseFinished(1, "tool_use")
ENDED = (e.ResponseFinished(1, "end", 0.25, 0.5), e.TicketDone("end"))


def requests(recorder: Recording, *events: e.Event) -> list[Request]:
    """The requests of a ticket to which this happened, a second apart."""
    recorder.play_run([*BEGIN, *events])
    with recorder.reader() as reader:
        return reader.requests()


def test_a_request_has_its_times_tokens_and_the_waiting_that_came_of_it(
    recorder: Recording,
) -> None:
    usage = e.Usage(100, 12, 40, 0.5)
    run = (e.ToolRunStarted("1"), e.ToolOutputDelta("1", "stdout", "ok"))
    done = e.ToolCallFinished("1", "ok", None, 0, 2.5)
    answer = (e.ReasoningDelta("hm"), e.Heartbeat(), e.TextDelta("text"), CALL, usage, CALLED)
    called = (SENT, e.ResponseStarted(0.5), *answer, ASKED, e.ApprovalGiven("1"), *run, done)
    first, second = requests(recorder, *called, SENT, e.TextDelta("x" * 40), *ENDED)
    assert (first.provider, first.model, first.outcome) == ("p", "m", "completed")
    assert (first.connect, first.first_byte, first.ttft) == (0.5, 1.0, 2.0)
    assert first.tokens_per_second == 12 / 5
    assert (first.people, first.tools, first.usage) == (1.0, 2.5, usage)
    assert (second.output, second.tokens_per_second) == (10, 10.0)
    both = summarize([first, second])
    assert (first.commit, first.paint, second.commit, second.paint) == (None, None, 0.25, 0.5)
    assert both.commit_ms == Percentiles(250, 250, 250)
    assert both.connect_ms is not None and both.connect_ms.p50 == 500
    assert (both.requests, both.completed, both.completion_rate) == (2, 2, 1.0)
    assert (both.input, both.cached, both.output, both.cost) == (100, 40, 22, 0.5)
    assert (both.waited_s.models, both.waited_s.tools, both.waited_s.people) == (9.0, 2.5, 1.0)


def test_calls_within_an_agents_response_are_no_time_of_its_model(recorder: Recording) -> None:
    call = e.ToolCallRequested("1", "Bash", {"command": "make"}, origin="agent")
    asked, given = e.ApprovalRequested("1", "Bash", "$ make"), e.ApprovalGiven("1")
    done = e.ToolCallFinished("1", "ok", None, 0, 0.5)
    life = (SENT, e.TextDelta("x"), call, asked, given, done, e.Usage(1, 9), *ENDED)
    (request,) = requests(recorder, *life)
    assert (request.taken, request.people, request.tools) == (5.5, 1.0, 0.5)
    assert request.tokens_per_second == 9 / 4.5


def test_requests_are_told_apart_by_their_ends(recorder: Recording) -> None:
    again = e.AttemptStarted("p", "n")
    life = (
        *(SENT, e.TextDelta("a"), e.Retrying("cut", 1.0, 2, "cut"), again),
        *(SENT, e.Retrying("HTTP 500", 1.0, 3, "server"), again),
        *(SENT, e.TextDelta("a"), e.ResponseFinished(1, e.STOPPED)),
        *(SENT, e.Parked("p", 5000.0, "full"), e.TicketQueued(), again),
        *(SENT, CALL, CALLED, ASKED, e.TicketInterrupted(), e.TicketQueued(), again),
        *(SENT, CALL, CALLED, e.ToolRunStarted("1"), e.TicketCancelled(), e.TicketQueued(), again),
        *(SENT, e.TextDelta("a"), e.TicketFailed("connection", "gone", True)),
    )
    found = requests(recorder, *life)
    outcomes = ["failed", "failed", "stopped", "failed", "completed", "completed", "failed"]
    assert [one.outcome for one in found] == outcomes
    assert [one.is_drop for one in found] == [True, *[False] * 5, True]
    assert [one.model for one in found] == ["m", *["n"] * 6]
    figures = summarize(found)
    assert (figures.drops, figures.retries, figures.completion_rate) == (2, 2, 0.3333)


def test_a_request_that_goes_on_counts_as_open_and_none_has_no_figures(
    recorder: Recording,
) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN, SENT, e.TextDelta("a" * 8)])
    with recorder.reader() as reader:
        figures = summarize(reader.requests())
    assert (figures.requests, figures.open, figures.output) == (1, 1, 2)
    assert (figures.completion_rate, figures.tokens_per_s) == (None, None)
    assert Percentiles.of([None]) is None


def test_old_and_deleted_requests_are_left_out_and_damaged_ones_are_named(
    recorder: Recording,
) -> None:
    old = recorder.play_run([*BEGIN, SENT, *ENDED])
    since = recorder.at
    new, bad, deleted = (recorder.play_run([*BEGIN, SENT, *ENDED]) for _ in range(3))
    spoil(recorder.path, "UPDATE tickets SET run = '' WHERE run = :run", run=deleted)
    ticket = "(SELECT id FROM tickets WHERE run = :run)"
    spoil(recorder.path, f"UPDATE packs SET body = x'00' WHERE id >> 32 = {ticket}", run=bad)
    with Reader(recorder.path) as reader:
        assert len(reader.requests()) == len([old, new])
        assert len(reader.requests(since)) == len([new])
        assert reader.gaps[0].startswith(f"{bad}/a: all entries from 1 on cannot be read: ")
