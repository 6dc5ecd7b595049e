"""Gauges from entries and a clock."""

from lfgtui.model import events as e
from lfgtui.model.metrics import CHARACTERS_A_TOKEN, WINDOW, Meter


def meter_after(*timed: tuple[float, e.Event]) -> Meter:
    meter = Meter()
    for seq, (at, event) in enumerate(timed, 1):
        meter.apply(e.Entry("run", "t", 1, seq, at, event))
    return meter


STARTED = (100.0, e.AttemptStarted("p", "m"))
SENT = (100.0, e.RequestSent(1))


def test_ttft_is_from_the_request_to_the_first_content_of_any_kind() -> None:
    assert meter_after(STARTED, SENT, (100.7, e.ReasoningDelta("hm"))).ttft == 100.7 - 100.0


def test_a_usage_report_before_any_content_is_not_the_first_token() -> None:
    assert meter_after(STARTED, SENT, (100.2, e.Usage(10, 0))).ttft is None


def test_the_live_rate_looks_back_over_the_window_only() -> None:
    meter = meter_after(
        STARTED, SENT, (101.0, e.TextDelta("x" * 80)), (103.0, e.TextDelta("y" * 40))
    )
    assert meter.rate(103.5) == 40 / CHARACTERS_A_TOKEN / WINDOW
    assert meter.rate(110.0) == 0


def test_tokens_are_an_estimate_until_the_provider_has_counted() -> None:
    streaming = meter_after(STARTED, SENT, (101.0, e.TextDelta("x" * 40)))
    assert streaming.output_tokens() == (10, True)
    counted = meter_after(
        STARTED,
        SENT,
        (101.0, e.TextDelta("x" * 40)),
        (102.0, e.Usage(5, 13)),
        (102.0, e.ResponseFinished(1, "end")),
    )
    assert counted.output_tokens() == (13, False)


def test_a_server_that_counts_nothing_leaves_an_estimate() -> None:
    meter = meter_after(
        STARTED,
        SENT,
        (101.0, e.TextDelta("x" * 40)),
        (102.0, e.Usage(0, 0)),
        (102.0, e.ResponseFinished(1, "end")),
    )
    assert meter.output_tokens() == (10, True)


def test_turns_add_up() -> None:
    turn: list[tuple[float, e.Event]] = [
        SENT,
        (101.0, e.TextDelta("x" * 40)),
        (102.0, e.Usage(5, 13)),
        (102.0, e.ResponseFinished(1, "end")),
    ]
    assert meter_after(STARTED, *turn, *turn).output_tokens()[0] == 26


def test_stalled_means_no_token_for_longer_than_the_limit_and_five_median_gaps() -> None:
    slow = meter_after(STARTED, SENT, *((100.0 + 4 * n, e.TextDelta("word ")) for n in range(1, 6)))
    assert not slow.is_stalled(120.0 + 19, stall_after=10)
    assert slow.is_stalled(120.0 + 21, stall_after=10)


def test_waiting_for_the_first_token_can_stall_too() -> None:
    waiting = meter_after(STARTED, SENT)
    assert not waiting.is_stalled(109.0, stall_after=10)
    assert waiting.is_stalled(111.0, stall_after=10)


def beats(*times: float) -> list[tuple[float, e.Event]]:
    return [(at, e.Heartbeat()) for at in times]


def test_while_heartbeats_come_nothing_is_stalled_and_when_they_stop_it_is() -> None:
    meter = meter_after(STARTED, SENT, (101.0, e.TextDelta("x")), *beats(105, 109, 113, 117))
    assert not meter.is_stalled(126.9, stall_after=10)
    assert meter.is_stalled(127.1, stall_after=10)


def test_heartbeats_before_the_first_token_count_as_well() -> None:
    meter = meter_after(STARTED, SENT, *beats(105, 110, 115, 120))
    assert not meter.is_stalled(129.9, stall_after=10)
    assert meter.is_stalled(130.1, stall_after=10)


def test_slow_heartbeats_are_missed_by_their_own_rhythm() -> None:
    meter = meter_after(STARTED, SENT, (100.0, e.TextDelta("x")), *beats(115, 130, 145))
    assert not meter.is_stalled(159.0, stall_after=10)
    assert not meter.is_stalled(174.9, stall_after=10)
    assert meter.is_stalled(175.1, stall_after=10)


def test_a_heartbeat_before_the_tokens_does_not_hide_that_they_stop() -> None:
    meter = meter_after(STARTED, SENT, *beats(100.5), (101.0, e.TextDelta("x")))
    assert meter.is_stalled(111.1, stall_after=10)


def test_the_next_request_starts_without_heartbeats() -> None:
    meter = meter_after(STARTED, SENT, *beats(120), (121.0, e.ResponseFinished(1, "tool_use")))
    meter.apply(e.Entry("run", "t", 1, 9, 130.0, e.RequestSent(2)))
    assert meter.is_stalled(140.1, stall_after=10)


def test_a_running_tool_never_stalls() -> None:
    meter = meter_after(
        STARTED, SENT, (101.0, e.TextDelta("x")), (102.0, e.ResponseFinished(1, "tool_use"))
    )
    assert not meter.is_stalled(1000.0, stall_after=10)


def test_elapsed_leaves_pauses_out_and_stops_at_the_end() -> None:
    meter = meter_after(
        STARTED,
        (110.0, e.Paused()),
        (150.0, e.Resumed()),
        (155.0, e.TicketCancelled()),
    )
    assert meter.elapsed(500.0) == 15.0


def test_elapsed_stands_still_while_paused() -> None:
    meter = meter_after(STARTED, (110.0, e.Paused()))
    assert meter.elapsed(140.0) == 10.0


def test_the_sparkline_has_a_figure_for_every_half_second() -> None:
    meter = meter_after(STARTED, SENT, (110.1, e.TextDelta("x" * 8)))
    history = meter.history(110.2)
    assert len(history) == 24
    assert history[-1] == 8 / CHARACTERS_A_TOKEN / 0.5
    assert sum(history[:-1]) == 0
