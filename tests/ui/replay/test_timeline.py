"""Order and time: what must hold of any run."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.events import Entry
from lfgtui.ui.replay.timeline import Timeline
from tests.ui.fake_live import START
from tests.ui.replay.lives import Lives, lives

LIMITS = st.sampled_from([0.0, 0.5, 10.0])


def at(*times: float, ticket: str = "a") -> list[Entry]:
    return [
        Entry("r", ticket, 1, seq, START + time, e.TextDelta("x"))
        for seq, time in enumerate(times, 1)
    ]


@given(lives(), LIMITS, st.floats(0, 1))
def test_entries_are_in_order_and_gaps_as_long_as_they_were_or_as_the_limit(
    said: Lives, limit: float, share: float
) -> None:
    timeline = Timeline(said, limit)
    assert timeline.count == sum(map(len, said.values()))
    for name, own in said.items():
        assert [entry for entry in timeline.entries if entry.ticket == name] == own
    times = [timeline.played_at(count) for count in range(1, timeline.count + 1)]
    recorded = [timeline.recorded_at(moment) for moment in times]
    assert (times, recorded) == (sorted(times), sorted(recorded))  # neither clock goes back
    for count, (before, after) in enumerate(pairwise(times), 1):
        whole = after - before + timeline.cut_after(count)
        assert timeline.cut_after(count) >= 0
        assert not limit or after - before <= limit + 1e-6
        if timeline.cut_after(count) > 1e-6:
            assert whole > limit > 0
    moment = share * timeline.length
    there = timeline.find_time(timeline.recorded_at(moment))
    assert abs(there - moment) < 1e-4 or timeline.count == 0


@given(lives())
def test_an_entry_is_found_by_ticket_and_number(said: Lives) -> None:
    timeline = Timeline(said)
    for name, own in said.items():
        for entry in own:
            count = timeline.find_entry(name, entry.seq)
            assert count is not None
            assert timeline.entries[count - 1] is entry
            assert timeline.own_count(name, count) == entry.seq
        assert timeline.find_entry(name, len(own) + 1) is None
        assert timeline.find_entry(name, 0) is None


@given(lives(), st.integers(0, 30))
def test_a_step_on_and_back_leads_to_the_same_of_a_tickets_entries(said: Lives, n: int) -> None:
    timeline = Timeline(said)
    count = min(n, timeline.count)
    assert timeline.step(count, 1) == min(count + 1, timeline.count)
    assert timeline.step(count, -1) == max(count - 1, 0)
    for name, own in said.items():
        here = timeline.own_count(name, count)
        on = timeline.step(count, 1, name)
        assert timeline.own_count(name, on) == min(here + 1, len(own))
        back = timeline.step(count, -1, name)
        assert timeline.own_count(name, back) == max(here - 1, 0)


def test_at_one_moment_the_order_is_that_of_the_tickets() -> None:
    timeline = Timeline({"a": at(0, 1, 1), "b": at(1, 1, ticket="b")})
    order = [f"{entry.ticket}{entry.seq}" for entry in timeline.entries]
    assert order == ["a1", "a2", "a3", "b1", "b2"]


def test_the_clock_runs_as_it_did_and_then_leaps() -> None:
    timeline = Timeline({"a": at(0, 2, 172_800)}, 10)
    assert timeline.length == 12
    assert [timeline.recorded_at(m) - START for m in (0, 1, 2, 7, 11.5, 12)] == [
        0, 1, 2, 7, 11.5, 172_800,
    ]  # fmt: skip
    assert timeline.find_time(START + 90_000) == 12
    assert timeline.cut_after(2) == 172_798 - 10
    assert Timeline({"a": at(0, 2, 172_800)}, 0).length == 172_800


def test_a_run_of_nothing_has_a_beginning_and_an_end() -> None:
    timeline = Timeline({"a": []})
    assert (timeline.count, timeline.length, timeline.recorded_at(3.0)) == (0, 0.0, 0.0)
    assert timeline.find_time(START) == 0.0
    assert timeline.step(0, 1, "a") == 0
