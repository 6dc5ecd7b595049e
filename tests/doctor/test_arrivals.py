"""Whether an answer streamed: the judgement over gaps, sizes and counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.doctor.arrivals import INSTANT, Arrival, judge

TOKEN = 4


def one_by_one(count: int, gap: float) -> list[Arrival]:
    return [Arrival(gap, 1, TOKEN, 200) for _ in range(count)]


def at_once(count: int, after: float) -> list[Arrival]:
    """As a chunked body hands them over: one by one, and none was waited for but the first."""
    return [Arrival(after, 1, TOKEN, 200), *one_by_one(count - 1, 0.00002)]


def total_of(arrivals: list[Arrival]) -> float:
    return sum(arrival.gap for arrival in arrivals)


def verdict(arrivals: list[Arrival], total: float | None = None) -> str:
    return judge(arrivals, total_of(arrivals) if total is None else total)[0]


def test_tokens_with_time_between_them_stream() -> None:
    verdict, arrivals = judge(one_by_one(100, 0.02), 2.0)
    assert (verdict, arrivals.bursts, arrivals.lump_share) == ("streams", 100, 0.0)
    assert arrivals.median_gap_ms == pytest.approx(20)


def test_a_model_of_a_thousand_tokens_a_second_streams() -> None:
    assert verdict([Arrival(0.5, 1, TOKEN), *one_by_one(150, 0.001)]) == "streams"


def test_fast_tokens_after_long_silent_thinking_stream() -> None:
    assert verdict([Arrival(20.0, 1, TOKEN), *one_by_one(150, 0.003)]) == "streams"


def test_everything_in_one_read_after_two_seconds_is_a_lump() -> None:
    assert verdict([Arrival(2.1, 100, 400, 20_000)]) == "lump"


def test_everything_in_a_hundred_chunks_that_were_there_already_is_a_lump() -> None:
    assert verdict(at_once(100, 2.1)) == "lump"


def test_a_lump_may_take_a_round_trip_or_two() -> None:
    assert verdict([*at_once(70, 2.1), *at_once(30, 0.15)]) == "lump"


def test_six_large_pieces_at_once_are_a_lump_and_one_by_one_they_are_not() -> None:
    assert verdict([Arrival(0.3, 1, 80) for _ in range(6)]) == "streams"
    assert verdict([Arrival(1.8, 6, 480)]) == "lump"


def test_a_buffer_that_fills_and_is_emptied_makes_bursts() -> None:
    verdict, arrivals = judge([Arrival(0.4, 25, 100, 4096) for _ in range(5)], 2.0)
    assert (verdict, arrivals.bursts, arrivals.lump_share) == ("bursts", 5, 1.0)


def test_a_few_tokens_that_come_together_are_no_bursts() -> None:
    assert verdict([Arrival(0.05, 4, 16) for _ in range(30)]) == "streams"


def test_a_link_that_bundles_what_comes_fast_is_not_accused() -> None:
    """A thousand tokens a second over a link that delivers every 15 ms."""
    assert (
        verdict([Arrival(0.3, 15, 60), *[Arrival(0.015, 15, 60) for _ in range(20)]]) == "streams"
    )


def test_an_answer_that_was_there_at_once_is_too_fast_to_tell() -> None:
    assert verdict(at_once(100, INSTANT / 2)) == "too_fast"


def test_a_fast_answer_whose_gaps_show_streams_all_the_same() -> None:
    assert verdict(one_by_one(40, 0.005)) == "streams"


def test_a_long_answer_in_one_record_is_one_piece() -> None:
    assert verdict([Arrival(2.0, 1, 400)]) == "one_piece"


def test_a_few_tokens_are_too_short_to_tell() -> None:
    assert verdict([Arrival(2.0, 3, 9)]) == "too_short"


def test_without_content_there_is_nothing_to_judge() -> None:
    assert verdict([Arrival(1.0, 0, 0, 300)]) == "nothing"
    assert verdict([], 1.0) == "nothing"


def test_large_records_without_content_do_not_count() -> None:
    """The Responses wire ends with the whole answer, several times over."""
    ending = [Arrival(0.0001, 0, 0, 4000) for _ in range(5)]
    assert verdict([*one_by_one(100, 0.02), *ending]) == "streams"


gaps = st.floats(0.0, 2.0)
arrivals = st.builds(Arrival, gaps, st.integers(0, 50), st.integers(0, 2000), st.integers(0, 9999))


@given(st.lists(arrivals, max_size=60), st.floats(0.0, 60.0))
def test_any_arrivals_are_judged(some: list[Arrival], total: float) -> None:
    _, said = judge(some, total)
    assert 0.0 <= said.lump_share <= 1.0
    assert said.bursts <= said.pieces == sum(arrival.deltas for arrival in some)


@given(st.floats(0.002, 0.5), st.integers(30, 200))
def test_a_steady_pace_streams_and_the_same_held_back_does_not(gap: float, count: int) -> None:
    made = one_by_one(count, gap)
    assert verdict(made) == "streams"
    held = at_once(count, total_of(made))
    assert verdict(held) == ("lump" if total_of(held) >= INSTANT else "too_fast")


@settings(max_examples=25)
@given(st.floats(0.02, 0.5), st.integers(30, 60), st.data())
def test_how_the_body_is_cut_makes_no_difference(
    gap: float, count: int, data: st.DataObject
) -> None:
    whole = [Arrival(gap, 2, 2 * TOKEN, 400) for _ in range(count)]
    cut: list[Arrival] = []
    for arrival in whole:
        if data.draw(st.booleans()):
            cut += [Arrival(gap, 1, TOKEN, 200), Arrival(0.00002, 1, TOKEN, 200)]
        else:
            cut.append(arrival)
    assert verdict(cut) == verdict(whole) == "streams"
