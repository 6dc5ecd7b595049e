"""At every position, a run is the fold of what had happened by then."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lfgtui.export.record import ticket_record
from lfgtui.model import events as e
from lfgtui.model.events import Entry
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.ui.replay.run import ReplayedRun
from tests.ui.replay.lives import Lives, bare, lives, replayed, worked


def record(transcript: Transcript) -> object:
    return ticket_record("r", worked().tickets[0], transcript), transcript.last_seq


def figures(meter: Meter, now: float) -> list[object]:
    meter_now = [meter.rate(now), meter.history(now), meter.waiting_for(now), meter.elapsed(now)]
    return [*meter_now, meter.is_stalled(now, 10.0), meter.output_tokens(), meter.ttft]


def words(ticket: str, count: int) -> list[Entry]:
    first = worked().stored["api"][:4]
    assert isinstance(first[-1].event, e.RequestSent)
    said = [
        replace(first[-1], seq=seq, at=first[-1].at + seq, event=e.TextDelta("word "))
        for seq in range(5, count + 1)
    ]
    return [replace(entry, ticket=ticket) for entry in (*first, *said)]


def assert_is_the_fold_of(run: ReplayedRun, entries: Sequence[Entry]) -> None:
    for ticket in run.tickets:
        transcript, meter = Transcript(), Meter()
        for entry in entries:
            if entry.ticket == ticket.id:
                transcript.apply(entry)
                meter.apply(entry)
        assert record(run.transcript(ticket.id)) == record(transcript)
        assert figures(run.meter(ticket.id), run.now) == figures(meter, run.now)


def test_at_every_position_forward_and_back() -> None:
    run = replayed(worked())
    order = [*range(run.timeline.count + 1), *range(run.timeline.count, -1, -1)]
    for count in order:
        run.seek_entry(count)
        run.proceed()
        assert run.count == count
        assert_is_the_fold_of(run, run.timeline.entries[:count])


@given(lives(), st.lists(st.floats(0, 1), max_size=6))
def test_wherever_it_came_from_it_is_the_fold(made: Lives, shares: list[float]) -> None:
    run = bare(made)
    for share in shares:
        run.seek(share * run.timeline.length)
        run.proceed()
        happened = run.timeline.count_at(share * run.timeline.length)
        assert_is_the_fold_of(run, run.timeline.entries[:happened])


def test_going_on_keeps_the_transcripts_and_going_back_those_that_lose_nothing() -> None:
    run = replayed(worked())
    run.seek_entry(20)
    assert run.proceed() == {"api", "docs", "last"}
    before = {ticket.id: run.transcript(ticket.id) for ticket in run.tickets}
    taken = run.timeline.entries[19].ticket
    run.seek_entry(21)
    run.proceed()
    assert all(run.transcript(name) is before[name] for name in before)
    run.seek_entry(20)
    run.proceed()
    run.seek_entry(19)
    assert taken in run.proceed()
    assert run.transcript("last") is before["last"]


def test_a_long_way_is_gone_in_slices_and_may_be_broken_off_to_go_back() -> None:
    run = bare({"a": words("a", 2000), "b": words("b", 2000)})
    run.seek_entry(run.timeline.count)
    slices, changed = 0, set[str]()
    while run.is_busy:
        assert not changed
        changed = run.proceed(0.0)
        slices += 1
    assert slices > 10
    assert changed == {"a", "b"}
    run.seek_entry(7)
    run.proceed()
    run.seek_entry(run.timeline.count)
    run.proceed(0.0)
    run.seek_entry(7)
    run.proceed()
    assert_is_the_fold_of(run, run.timeline.entries[:7])


@pytest.mark.parametrize("back", [0.5, 1.0, 1.9])
def test_the_rate_is_what_it_was_also_where_only_the_clock_went_back(back: float) -> None:
    run = replayed(worked())
    run.seek(4.0)
    run.proceed()

    def rates() -> dict[str, float]:
        return {ticket.id: run.meter(ticket.id).rate(run.now) for ticket in run.tickets}

    was = rates()
    run.seek(4.0 + back)
    run.proceed()
    rates()
    run.seek(4.0)
    run.proceed()
    assert rates() == was
    assert any(was.values())
