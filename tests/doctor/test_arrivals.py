"""The judgement whether an answer streamed, by gaps, sizes and counts."""

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


def verdict(arrivals: list[Arrival]) -> str:
    return judge(arrivals, total_of(arrivals))[0]


def test_tokens_with_time_between_them_stream() -> None:
    verdict, arrivals = judge(one_by_one(100, 0.02), 2.0)
    assert (verdict, arrivals.bursts, arrivals.lump_share) == ("streams", 100, 0.0)
    assert arrivals.median_gap_ms == pytest.approx(20)


@pytest.mark.parametrize(
    ("expected", "arrivals"),
    [
        ("streams", [Arrival(0.5, 1, TOKEN), *one_by_one(150, 0.001)]),
        ("streams", [Arrival(20.0, 1, TOKEN), *one_by_one(150, 0.003)]),  # after silent thinking
        ("streams", [Arrival(0.3, 1, 80)] * 6),
        ("streams", [Arrival(0.05, 4, 16)] * 30),
        # A thousand tokens a second over a link that delivers every 15 ms.
        ("streams", [Arrival(0.3, 15, 60), *([Arrival(0.015, 15, 60)] * 20)]),
        ("streams", one_by_one(40, 0.005)),
        # The Responses wire ends with the whole answer, several times over.
        ("streams", [*one_by_one(100, 0.02), *([Arrival(0.0001, 0, 0, 4000)] * 5)]),
        ("lump", [Arrival(2.1, 100, 400, 20_000)]),
        ("lump", at_once(100, 2.1)),
        ("lump", [*at_once(70, 2.1), *at_once(30, 0.15)]),  # a round trip or two
        ("lump", [Arrival(1.8, 6, 480)]),
        ("too_fast", at_once(100, INSTANT / 2)),
        ("one_piece", [Arrival(2.0, 1, 400)]),
        ("too_short", [Arrival(2.0, 3, 9)]),
        ("nothing", [Arrival(1.0, 0, 0, 300)]),
        ("nothing", []),
    ],
)
def test_the_verdict_follows_from_the_arrivals(expected: str, arrivals: list[Arrival]) -> None:
    assert verdict(arrivals) == expected


def test_a_buffer_that_fills_and_is_emptied_makes_bursts() -> None:
    verdict, arrivals = judge([Arrival(0.4, 25, 100, 4096) for _ in range(5)], 2.0)
    assert (verdict, arrivals.bursts, arrivals.lump_share) == ("bursts", 5, 1.0)


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
def test_cuts_of_the_body_make_no_difference(gap: float, count: int, data: st.DataObject) -> None:
    whole = [Arrival(gap, 2, 2 * TOKEN, 400) for _ in range(count)]
    cut: list[Arrival] = []
    for arrival in whole:
        if data.draw(st.booleans()):
            cut += [Arrival(gap, 1, TOKEN, 200), Arrival(0.00002, 1, TOKEN, 200)]
        else:
            cut.append(arrival)
    assert verdict(cut) == verdict(whole) == "streams"
