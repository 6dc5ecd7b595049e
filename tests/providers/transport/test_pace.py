import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from lfgtui.providers.transport.pace import (
    FEW,
    LONGEST_IN_VIEW,
    LONGEST_REST,
    MOMENTS_UNSEEN,
    IsSeen,
    Pace,
)


class Timer:
    """A timer of the loop's."""

    def __init__(self, due: float, callback: Callable[[], object]) -> None:
        self._due = due
        self.callback = callback
        self.is_cancelled = False

    def when(self) -> float:
        return self._due

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """The loop's clock and timers, in a test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._timers: list[Timer] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_later", self._call_later)

    def _call_later(self, seconds: float, callback: Callable[..., object], *given: object) -> Timer:
        self._timers.append(Timer(self.now + seconds, lambda: callback(*given)))
        return self._timers[-1]

    @property
    def timers(self) -> list[Timer]:
        return [timer for timer in self._timers if not timer.is_cancelled]

    async def moment(self) -> float:
        """Let the next moment come; return the seconds that it took."""
        (timer,) = self.timers
        self._timers.clear()
        seconds, self.now = timer.when() - self.now, timer.when()
        timer.callback()
        await turn()
        return seconds


async def turn() -> None:
    """Let tasks run as far as they come."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def busy(count: int) -> tuple[Pace, list[object]]:
    """A pace whose streams, so many, have just brought something."""
    pace, streams = Pace(), [object() for _ in range(count)]
    for stream in streams:
        pace.note(stream)
    return pace, streams


async def resting(
    pace: Pace, count: int, is_seen: IsSeen | None = None
) -> list[asyncio.Task[None]]:
    """So many streams, each at the beginning of a rest."""
    tasks = [asyncio.create_task(pace.rest(is_seen)) for _ in range(count)]
    await turn()
    assert not any(task.done() for task in tasks)
    return tasks


async def test_a_few_streams_never_rest_and_many_not_for_long(clock: Clock) -> None:
    assert busy(FEW)[0].seconds == 0
    assert 0 < busy(64)[0].seconds < busy(200)[0].seconds <= LONGEST_REST
    assert busy(5000)[0].seconds == LONGEST_REST


@pytest.mark.parametrize("count", [FEW + 1, 64, 500])
@pytest.mark.parametrize("is_seen", [None, lambda: True])
async def test_many_rest_until_the_same_moment(
    clock: Clock, count: int, is_seen: IsSeen | None
) -> None:
    pace, streams = busy(count)
    most = LONGEST_REST if is_seen is None else LONGEST_IN_VIEW
    for _ in range(2):
        tasks = await resting(pace, count, is_seen)
        assert await clock.moment() == pytest.approx(min(pace.seconds, most))
        assert all(task.done() for task in tasks)
        for stream in streams:
            pace.note(stream)
    assert not clock.timers


async def test_what_is_out_of_sight_rests_longer_and_does_not_come_all_at_once(
    clock: Clock,
) -> None:
    pace, _ = busy(256)
    tasks = await resting(pace, 30, lambda: False)
    came, seconds, before = Counter[int](), 0.0, 0
    for moment in range(1, max(MOMENTS_UNSEEN) + 1):
        seconds += await clock.moment()
        done = sum(task.done() for task in tasks)
        came[moment], before = done - before, done
    assert {moment: came[moment] for moment in MOMENTS_UNSEEN} == dict.fromkeys(MOMENTS_UNSEEN, 15)
    assert came.total() == 30
    assert seconds == pytest.approx(max(MOMENTS_UNSEEN) * LONGEST_IN_VIEW)
    assert seconds <= 0.25
    assert not clock.timers


async def test_a_stream_that_comes_into_view_rests_until_the_next_moment_only(
    clock: Clock,
) -> None:
    pace, _ = busy(256)
    in_view: set[int] = set()
    tasks = [
        *(await resting(pace, 1, lambda: 1 in in_view)),
        *(await resting(pace, 1, lambda: 2 in in_view)),
    ]
    await clock.moment()
    in_view.add(2)
    await clock.moment()
    assert [task.done() for task in tasks] == [False, True]


async def test_what_a_person_may_see_waits_for_nothing_that_nobody_watches(clock: Clock) -> None:
    pace, _ = busy(256)
    watched: list[IsSeen] = [lambda: True, lambda: False]
    for is_seen in watched:
        await resting(pace, 3)
        clock.now += 0.01
        await resting(pace, 1, is_seen)
        assert await clock.moment() == pytest.approx(LONGEST_IN_VIEW)
    assert clock.timers[0].when() - clock.now == pytest.approx(LONGEST_IN_VIEW)


async def test_a_stream_that_is_cancelled_wakes_no_other(clock: Clock) -> None:
    pace, _ = busy(FEW + 1)
    one, other = await resting(pace, 2)
    one.cancel()
    await turn()
    assert (one.done(), other.done()) == (True, False)
    await clock.moment()
    assert other.done()


async def test_streams_that_bring_nothing_do_not_count(clock: Clock) -> None:
    pace, streams = busy(100)
    for _ in range(3):
        clock.now += 0.3
        assert pace.seconds == busy(100)[0].seconds
        for stream in streams:
            pace.note(stream)
    for _ in range(3):
        pace.note(streams[0])
        clock.now += 0.3
    assert pace.seconds == 0
    busy_again, _ = busy(100)
    clock.now += 3600
    assert busy_again.seconds == 0
