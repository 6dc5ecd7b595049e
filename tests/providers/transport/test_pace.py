import asyncio
from collections.abc import Callable

import pytest

from lfgtui.providers.transport.pace import FEW, LONGEST_REST, Pace


class Clock:
    """The loop's clock and timers, in a test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_later", lambda *timer: self.timers.append(timer))


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def busy(count: int) -> tuple[Pace, list[object]]:
    """A pace whose streams, so many, have just brought something."""
    pace, streams = Pace(), [object() for _ in range(count)]
    for stream in streams:
        pace.note(stream)
    return pace, streams


async def test_a_few_streams_never_rest_and_many_not_for_long(clock: Clock) -> None:
    assert busy(FEW)[0].seconds == 0
    assert 0 < busy(64)[0].seconds < busy(200)[0].seconds <= LONGEST_REST
    assert busy(5000)[0].seconds == LONGEST_REST


@pytest.mark.parametrize("count", [FEW + 1, 64])
async def test_many_rest_until_the_same_moment(clock: Clock, count: int) -> None:
    pace, streams = busy(count)
    for _ in range(2):
        resting = [asyncio.create_task(pace.rest()) for _ in streams]
        await asyncio.sleep(0)
        assert not any(task.done() for task in resting)
        ((seconds, wake),) = clock.timers
        assert seconds == pace.seconds
        wake()
        await asyncio.gather(*resting)
        clock.timers.clear()


async def test_a_stream_that_is_cancelled_wakes_no_other(clock: Clock) -> None:
    pace, _ = busy(FEW + 1)
    one, other = asyncio.create_task(pace.rest()), asyncio.create_task(pace.rest())
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    assert (one.done(), other.done()) == (True, False)
    clock.timers.pop()[1]()
    await other


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
