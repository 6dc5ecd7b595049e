"""Gauges from entries and a clock."""

from typing import TypeAlias

import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import WINDOW, Meter
from lfgtui.model.fold.tokens import CHARACTERS_PER_TOKEN

Timed: TypeAlias = tuple[float, e.Event]

STARTED: Timed = (100.0, e.AttemptStarted("p", "m"))
SENT: Timed = (100.0, e.RequestSent(1))
TEXT: Timed = (101.0, e.TextDelta("x" * 40))
FINISHED: Timed = (102.0, e.ResponseFinished(1, "end"))
PARKED = e.Parked("p", 150.0, "full")
END = e.TicketCancelled()
BEGUN: Timed = (100.5, e.Usage(5, 1))


def meter_after(*timed: Timed) -> Meter:
    meter = Meter()
    for seq, (at, event) in enumerate(timed, 1):
        meter.apply(e.Entry("run", "t", 1, seq, at, event))
    return meter


@pytest.mark.parametrize("wait", [PARKED, e.Paused()])
def test_a_wait_after_an_ending_is_left_out_once(wait: e.Event) -> None:
    back: list[Timed] = [(110.0, e.TicketQueued()), (110.0, wait)]
    if isinstance(wait, e.Paused):
        back.append((140.0, e.Resumed()))
    again: Timed = (150.0, e.AttemptStarted("p", "m"))
    meter = meter_after(STARTED, (104.0, END), *back, again)
    assert meter.elapsed(151.0) == 5.0


def beats(*times: float) -> list[Timed]:
    return [(at, e.Heartbeat()) for at in times]


@pytest.mark.parametrize(
    ("first", "ttft"), [(e.ReasoningDelta("hm"), 100.7 - 100.0), (e.Usage(10, 0), None)]
)
def test_ttft_is_from_the_request_to_the_first_content(first: e.Event, ttft: float | None) -> None:
    assert meter_after(STARTED, SENT, (100.7, first)).ttft == ttft


def test_the_first_byte_is_that_of_an_attempts_first_response() -> None:
    answered = (100.4, e.ResponseStarted(0.1))
    meter = meter_after(STARTED, SENT, answered, TEXT, FINISHED, SENT, (109.0, e.ResponseStarted()))
    assert (meter.connect, meter.first_byte, meter.ttft) == (0.1, 100.4 - 100.0, 1.0)
    assert meter_after(STARTED, SENT, answered, STARTED).first_byte is None


def test_the_live_rate_looks_back_over_the_window_only() -> None:
    meter = meter_after(
        STARTED, SENT, (101.0, e.TextDelta("x" * 80)), (103.0, e.TextDelta("y" * 40))
    )
    assert meter.rate(103.5) == 40 / CHARACTERS_PER_TOKEN / WINDOW
    assert meter.rate(110.0) == 0


def test_the_sparkline_has_a_figure_for_every_half_second() -> None:
    history = meter_after(STARTED, SENT, (110.1, e.TextDelta("x" * 8))).history(110.2)
    assert history == [0.0] * 23 + [8 / CHARACTERS_PER_TOKEN / 0.5]


@pytest.mark.parametrize("now", [110.0, 110.2, 114.7, 121.9, 122.0, 122.4, 122.5, 300.0])
def test_there_is_a_sparkline_while_any_of_its_figures_is_above_zero(now: float) -> None:
    meter = meter_after(STARTED, SENT, (110.1, e.TextDelta("x")), (110.6, e.TextDelta("yz")))
    assert meter.has_history(now) == any(meter.history(now))
    assert not meter_after(STARTED, SENT).has_history(now)


@pytest.mark.parametrize(
    ("life", "tokens"),
    [
        ([SENT, TEXT], (10, True)),
        ([SENT, TEXT, (102.0, e.Usage(5, 13)), FINISHED], (13, False)),
        ([SENT, TEXT, (102.0, e.Usage(0, 0)), FINISHED], (10, True)),  # it counts nothing
        ([SENT, TEXT, (102.0, e.Usage(5, 13)), FINISHED] * 2, (26, False)),
        ([SENT, BEGUN, TEXT, FINISHED], (1, False)),
        ([SENT, BEGUN, TEXT, (102.0, END)], (10, True)),
        ([SENT, BEGUN, TEXT, (102.0, e.Retrying("cut", 1.0, 2, "cut"))], (10, True)),
        ([SENT, BEGUN, TEXT, (102.0, e.ResponseFinished(1, e.STOPPED))], (10, True)),
        ([SENT, TEXT, (102.0, e.Usage(5, 13)), (102.0, END)], (13, True)),
        ([SENT, BEGUN, (102.0, END)], (1, False)),
    ],
)
def test_tokens_of_all_turns_are_an_estimate_until_the_provider_has_counted(
    life: list[Timed], tokens: tuple[int, bool]
) -> None:
    assert meter_after(STARTED, *life).output_tokens() == tokens


SLOW: list[Timed] = [(100.0 + 4 * n, e.TextDelta("word ")) for n in range(1, 6)]
NEXT: Timed = (130.0, e.RequestSent(2))
CALLED: Timed = (121.0, e.ResponseFinished(1, "tool_use"))


@pytest.mark.parametrize(
    ("life", "stalled_at"),
    [
        ([], 110.0),  # waiting for the first token
        (SLOW, 140.0),  # five median gaps
        ([(101.0, e.TextDelta("x")), *beats(105, 109, 113, 117)], 127.0),
        (beats(105, 110, 115, 120), 130.0),
        ([(100.0, e.TextDelta("x")), *beats(115, 130, 145)], 175.0),  # they have a slow rhythm
        ([*beats(100.5), (101.0, e.TextDelta("x"))], 111.0),  # it does not hide that tokens stop
        ([*beats(120), CALLED, NEXT], 140.0),  # the next request starts without heartbeats
        ([TEXT, FINISHED], None),  # a tool runs
    ],
)
def test_stalled_is_what_got_no_token_and_no_heartbeat_for_longer_than_usual(
    life: list[Timed], stalled_at: float | None
) -> None:
    meter = meter_after(STARTED, SENT, *life)
    assert not meter.is_stalled((stalled_at or 1000.0) - 0.1, stall_after=10)
    assert meter.is_stalled((stalled_at or 1000.0) + 0.1, stall_after=10) is (
        stalled_at is not None
    )


def called(at: float, call_id: str) -> Timed:
    return at, e.ToolCallRequested(call_id, "Bash", {"command": "make"}, origin="agent")


def finished(at: float, call_id: str) -> Timed:
    return at, e.ToolCallFinished(call_id, "", None, 0, 0.1)


@pytest.mark.parametrize(
    ("life", "since", "stalled_at"),
    [
        ([called(101, "1")], 101, 161),  # an agent may not say when it begins
        ([called(101, "1"), (102, e.ToolRunStarted("1"))], 101, 162),
        ([called(101, "1"), called(102, "2"), finished(103, "2")], 101, 162),
        ([called(101, "1"), called(102, "2"), finished(103, "1")], 102, 162),
        ([called(101, "1"), (102, e.ApprovalRequested("1", "Bash", ""))], None, 110),
        (
            [
                called(101, "1"),
                (102, e.ApprovalRequested("1", "Bash", "")),
                (130, e.ApprovalGiven("1")),
            ],
            130,
            190,
        ),
        ([called(101, "1"), (102, e.TextDelta("x"))], None, 162),  # it runs behind the text
        ([called(101, "1"), finished(103, "1"), (104, e.TextDelta("x"))], None, 114),
        ([called(101, "1"), (102, e.ResponseFinished(1, "end"))], None, None),
    ],
)
def test_an_agents_tools_run_from_their_request_or_approval_to_their_end(
    life: list[Timed], since: float | None, stalled_at: float | None
) -> None:
    meter = meter_after(STARTED, SENT, *life)
    assert meter.tool_since == since
    assert not meter.is_stalled((stalled_at or 1000.0) - 0.1, stall_after=10)
    assert meter.is_stalled((stalled_at or 1000.0) + 0.1, stall_after=10) is (
        stalled_at is not None
    )


@pytest.mark.parametrize(
    ("life", "elapsed"),
    [
        ([(110.0, e.Paused())], 10.0),
        ([(110.0, e.Paused()), (150.0, e.Resumed()), (155.0, e.TicketCancelled())], 15.0),
        ([(110.0, PARKED)], 10.0),
        ([(110.0, PARKED), (150.0, e.Paused()), (160.0, e.Resumed())], 10.0),
        ([(110.0, PARKED), (150.0, e.TicketQueued()), (155.0, STARTED[1]), (158.0, END)], 13.0),
        ([(110.0, PARKED), (150.0, END)], 10.0),
    ],
)
def test_elapsed_leaves_out_what_is_held_and_stops(life: list[Timed], elapsed: float) -> None:
    assert meter_after(STARTED, *life).elapsed(500.0) == elapsed
