import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lfgtui.providers.transport.pace import FEW, LONGEST_REST, Pace

Timers = list[tuple[float, Callable[[], None]]]


@contextmanager
def streams(pace: Pace, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(pace.stream())
        yield


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    """The loop's timers, with their seconds, that a test sets off by hand."""
    timers: Timers = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda *timer: timers.append(timer))
    return timers


def test_a_few_streams_never_rest() -> None:
    pace = Pace()
    with streams(pace, FEW - 1), pace.stream() as is_busy:
        assert not is_busy
    with streams(pace, FEW), pace.stream() as is_busy:
        assert is_busy


@pytest.mark.parametrize("count", [FEW + 1, 64, 500])
async def test_many_rest_until_the_same_moment_and_not_for_long(timers: Timers, count: int) -> None:
    pace = Pace()
    with streams(pace, count):
        for _ in range(2):
            resting = [asyncio.create_task(pace.rest()) for _ in range(count)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in resting)
            ((seconds, wake),) = timers
            assert 0 < seconds <= LONGEST_REST
            wake()
            await asyncio.gather(*resting)
            timers.clear()


async def test_a_stream_that_is_cancelled_wakes_no_other_and_no_longer_counts(
    timers: Timers,
) -> None:
    pace = Pace()
    with streams(pace, FEW + 1):
        one, other = asyncio.create_task(pace.rest()), asyncio.create_task(pace.rest())
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.sleep(0)
        assert (one.done(), other.done()) == (True, False)
        timers.pop()[1]()
        await other
    with streams(pace, FEW - 1), pace.stream() as is_busy:
        assert not is_busy
