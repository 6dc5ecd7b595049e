"""Why a ticket needs a person: most urgent first."""

from typing import get_args

import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.figures import clock_time
from lfgtui.ui.attention import Attention, Reason, Rounds, reasons

BEGIN = (e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go."), e.RequestSent(1))
CALL = (
    e.ToolCallRequested("1", "run_command", {"command": "make"}),
    e.ResponseFinished(1, "tool_use"),
)
REQUEST = (*CALL, e.ApprovalRequested("1", "run_command", "$ make"))
CONFLICT = e.ConflictDetected("a.py", ("other",))
DONE = (e.ResponseFinished(1, "end"), e.TicketDone("end"))
QUESTION = (e.TextDelta("Done.\n\nShall I go on?\n"), *DONE)
GUARD = e.GuardTripped("rm", "seen", "flag")
PAUSED = (GUARD, e.TextDelta("a"), e.ResponseFinished(1, "stopped"), e.Paused())
FAILED = e.TicketFailed("server", "500", True)
RETRY = e.Retrying("cut", 5.0, 2, "cut")
AGAIN = (e.TicketQueued(), e.AttemptStarted("p", "m", True), e.RequestSent(1))


def needed(*events: e.Event, later: float = 0.0) -> Attention | None:
    """Why a ticket needs a person after its beginning at 1000.0, an event a second."""
    transcript, meter, at = Transcript(), Meter(), 999.0
    for seq, event in enumerate((*BEGIN, *events), 1):
        at = 999.0 + seq
        attempt = len(transcript.attempts) + isinstance(event, e.AttemptStarted)
        entry = e.Entry("run", "a", attempt, seq, at, event)
        assert transcript.apply(entry) is None
        meter.apply(entry)
    return next(iter(reasons(transcript, meter, at + later, stall_after=10.0)), None)


@pytest.mark.parametrize(
    ("events", "reason", "since"),
    [
        (REQUEST, "approval", 1006.0),
        ((*REQUEST, e.Status("x")), "approval", 1006.0),
        ((CONFLICT, *REQUEST), "approval", 1007.0),
        (QUESTION, "question", 1006.0),
        ((CONFLICT, *QUESTION), "question", 1007.0),
        ((e.TextDelta("Go on?"), e.ReasoningDelta("done"), *DONE), "question", 1007.0),
        ((FAILED,), "failed", 1004.0),
        ((CONFLICT, FAILED), "failed", 1005.0),
        ((GUARD, CONFLICT), "guard", 1004.0),
        ((GUARD, e.TextDelta("a"), *DONE), "guard", 1004.0),
        ((*PAUSED, CONFLICT), "held", 1004.0),
        ((*PAUSED, e.Resumed(), CONFLICT), "conflict", 1009.0),
        ((RETRY, FAILED), "failed", 1005.0),
        ((CONFLICT, e.TextDelta("a")), "conflict", 1004.0),
        ((CONFLICT, e.TextDelta("a"), *DONE), "conflict", 1004.0),
        ((CONFLICT, e.TicketLimited("turns")), "conflict", 1004.0),
        ((e.TicketLimited("turns"),), "limit", 1004.0),
        ((e.Parked("p", 5000.0, "full"),), "limit", 1004.0),
        ((e.TicketBlocked("no"),), "blocked", 1004.0),
        ((e.TicketInterrupted(),), "interrupted", 1004.0),
    ],
)
def test_the_most_urgent_reason_counts_from_when_it_began(
    events: tuple[e.Event, ...], reason: Reason, since: float
) -> None:
    conflict = "a.py · other" if reason == "conflict" else ""
    assert needed(*events) == Attention(reason, since, conflict=conflict)


RUN = (*CALL, e.ToolRunStarted("1"))
PRINTED = e.ToolOutputDelta("1", "stdout", "a\n")
SEARCH = e.HostedTool("web_search", "{}")
SEARCHED = e.HostedTool("web_search", "{}", "found")


@pytest.mark.parametrize(
    ("events", "bound", "since", "missing"),
    [
        ((), 10.0, 1003.0, "answer from m"),
        ((CONFLICT, e.TextDelta("a")), 10.0, 1005.0, "token from m"),
        (RUN, 60.0, 1006.0, "output from make"),
        ((*RUN, PRINTED), 60.0, 1007.0, "output from make"),
        ((*RUN, PRINTED, e.Heartbeat()), 60.0, 1008.0, "output from make"),
        ((*REQUEST, e.ApprovalGiven("1"), e.ToolRunStarted("1")), 60.0, 1008.0, "output from make"),
        ((CALL[0], SEARCHED, *RUN[1:]), 60.0, 1007.0, "output from make"),
        ((SEARCH,), 60.0, 1004.0, "output from web_search"),
        ((SEARCH, e.HostedOutputDelta("", "x")), 60.0, 1005.0, "output from web_search"),
        ((SEARCH, SEARCHED), 10.0, 1005.0, "token from m"),
        ((SEARCH, e.TextDelta("I found")), 10.0, 1005.0, "token from m"),
    ],
)
def test_a_stall_names_what_is_late_and_counts_from_the_last_sign_of_life(
    events: tuple[e.Event, ...], bound: float, since: float, missing: str
) -> None:
    late = since - 1003.0 - len(events) + bound
    assert needed(*events, later=late) in (
        None,
        Attention("conflict", 1004.0, conflict="a.py · other"),
    )
    assert needed(*events, later=late + 0.1) == Attention("stalled", since, missing)


@pytest.mark.parametrize(
    "events",
    [
        (),
        (e.TextDelta("Shall I?"),),
        (e.TextDelta("All is well."), *DONE),
        (e.TextDelta("Shall I?"), e.TicketCancelled()),
        (e.TextDelta("Shall I?"), *CALL, e.ToolCallFinished("1", "", None, 0, 0.1),
         e.RequestSent(2), *DONE),
        (*QUESTION, *AGAIN),
        (*QUESTION, *AGAIN, e.TextDelta("All is well."), *DONE),
        (*QUESTION, *AGAIN, *DONE),
        (*REQUEST, e.ApprovalGiven("1")),
        (FAILED, *AGAIN),
        (CONFLICT, FAILED, *AGAIN),
        (e.Parked("p", 5000.0, "full"), e.TicketQueued()),
        (RETRY,),
        CALL,
    ],
)  # fmt: skip
def test_who_works_or_was_answered_waits_for_nobody(events: tuple[e.Event, ...]) -> None:
    assert needed(*events) is None


def test_a_call_that_waits_for_a_slot_or_has_ended_is_no_stall() -> None:
    assert needed(*REQUEST, e.ApprovalGiven("1"), later=1e6) is None
    assert needed(*RUN, e.ToolCallFinished("1", "", None, 0, 0.1), later=1e6) is None


def test_reasons_rank_in_their_order_and_then_by_the_time_waited() -> None:
    ranked = [Attention(reason, at) for reason in get_args(Reason) for at in (1.0, 2.0)]
    shuffled = ranked[::-1]
    assert sorted(shuffled, key=lambda each: each.rank) == ranked


@pytest.mark.parametrize(
    ("reason", "now", "note"),
    [
        ("question", 100.0, "question"),
        ("conflict", 100.0, f"conflict: a.py · other {clock_time(10.0, 100.0)}"),
        ("stalled", 800.0, "no token for 13:10"),
        ("failed", 100.0, ""),
        ("approval", 100.0, ""),
    ],
)
def test_what_is_easily_overlooked_is_said(reason: Reason, now: float, note: str) -> None:
    assert Attention(reason, 10.0, "token", "a.py · other").note(now) == note


NEEDS = {
    "limit": [Attention("limit", 1.0)],
    "newer": [Attention("question", 9.0)],
    "older": [Attention("question", 2.0)],
    "failed": [Attention("failed", 1.0)],
}


def test_each_is_visited_once_by_urgency_before_it_begins_again() -> None:
    rounds, here, seen = Rounds(), "elsewhere", []
    for _ in range(6):
        here = rounds.next(NEEDS, here) or ""
        seen.append(here)
    assert seen == ["older", "newer", "failed", "limit", "older", "newer"]


def test_what_comes_meanwhile_or_once_more_is_next_and_what_went_is_forgotten() -> None:
    rounds, needs = Rounds(), dict(NEEDS)
    assert rounds.next(needs, "x") == "older"
    needs["asks"] = [Attention("approval", 20.0)]
    assert rounds.next(needs, "older") == "asks"
    assert rounds.next(needs, "asks") == "newer"
    needs["older"] = [Attention("failed", 30.0)]
    del needs["failed"]
    assert rounds.next(needs, "newer") == "older"
    assert rounds.next(needs, "older") == "limit"


def test_the_ticket_one_is_at_comes_last_in_its_round() -> None:
    rounds = Rounds()
    assert rounds.next(NEEDS, "older") == "newer"
    assert rounds.next({"newer": NEEDS["newer"]}, "newer") is None
    assert rounds.next({}, "newer") is None
