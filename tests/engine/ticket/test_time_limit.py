"""A time limit whose clock can be held."""

import asyncio

import pytest

from lfgtui.engine.ticket.time_limit import TimeLimit


@pytest.mark.parametrize("seconds", [0.0, 0.01])
async def test_the_body_is_stopped_when_the_time_is_over(seconds: float) -> None:
    limit = TimeLimit(seconds)
    with pytest.raises(TimeoutError):
        async with limit.running():
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):  # nothing is left for another attempt
        async with limit.running():
            await asyncio.Event().wait()


async def test_time_held_or_between_two_attempts_does_not_count() -> None:
    limit = TimeLimit(0.05)
    loop = asyncio.get_running_loop()
    for _ in range(2):
        async with limit.running():
            with limit.held():
                passed = loop.create_future()
                loop.call_later(0.1, passed.set_result, None)
                await passed
    with limit.held():  # outside of an attempt it is harmless
        pass


async def test_of_two_that_hold_it_the_last_lets_it_go_on() -> None:
    limit = TimeLimit(0.05)
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        async with limit.running():
            with limit.held():
                with limit.held():
                    pass
                passed = loop.create_future()
                loop.call_later(0.1, passed.set_result, None)
                await passed
            await asyncio.Event().wait()
