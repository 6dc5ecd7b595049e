"""How long the first content of a response takes to the history and to the screen."""

from pathlib import Path

from msgspec import UNSET

from lfgtui.engine.ticket.response_times import ResponseTimes
from lfgtui.model import events as e
from lfgtui.model.clock import now
from tests.engine.harness import room, scenario, ticket

ENDED = e.ResponseFinished(1, "end")
SLOW = scenario(rate=200, first_token=0.01, turn=[{"text": "word " * 40}])


def delivered(
    times: ResponseTimes, event: e.Event, ago: float = 0.0, *, saved: bool = True
) -> None:
    times.apply(e.Entry("r", "a", 1, 1, now() - ago, event, saved))


def test_only_the_first_content_of_a_response_counts() -> None:
    times = ResponseTimes()
    delivered(times, e.TextDelta("said before any request"))
    assert times.added_to(ENDED) == ENDED
    delivered(times, e.RequestSent(1))
    delivered(times, e.Heartbeat())
    times.painted()
    delivered(times, e.TextDelta("a"), 100)
    delivered(times, e.TextDelta("b"), 5000)
    times.painted()
    times.painted()
    added = times.added_to(ENDED)
    assert isinstance(added, e.ResponseFinished)
    assert isinstance(added.commit, float) and 100 <= added.commit < 1000
    assert isinstance(added.paint, float) and added.commit <= added.paint < 1000


def test_what_is_not_saved_has_no_commit_and_what_nobody_saw_no_paint() -> None:
    times = ResponseTimes()
    delivered(times, e.RequestSent(1))
    delivered(times, e.TextDelta("a"), saved=False)
    assert times.added_to(ENDED) == ENDED
    assert times.added_to(e.TextDelta("b")) == e.TextDelta("b")


def test_the_next_response_is_measured_anew() -> None:
    times = ResponseTimes()
    delivered(times, e.RequestSent(1))
    delivered(times, e.TextDelta("a"))
    times.painted()
    delivered(times, e.RequestSent(2))
    assert times.added_to(ENDED) == ENDED


async def test_they_are_in_the_event_that_ends_a_response(tmp_path: Path) -> None:
    mine = [ticket(name, tmp_path, model="slow", tools=[]) for name in ("a", "b")]
    async with room(tmp_path, mine, scenarios={"slow": SLOW}) as r:
        r.engine.subscribe(lambda entries: r.engine.painted(["a"]))
        await r.engine.wait_idle()
        seen, unseen = (r.events(name, e.ResponseFinished)[0] for name in ("a", "b"))
        assert isinstance(seen.commit, float) and isinstance(seen.paint, float)
        assert isinstance(unseen.commit, float) and unseen.paint is UNSET
