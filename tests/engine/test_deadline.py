"""A time limit whose clock can be held."""

import asyncio

import pytest

from lfgtui.engine.deadline import Deadline


async def test_the_body_is_stopped_when_the_time_is_over() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError):
        async with deadline.running():
            await asyncio.Event().wait()
    assert deadline.expired


async def test_time_held_does_not_count() -> None:
    deadline = Deadline(0.05)
    loop = asyncio.get_running_loop()
    async with deadline.running():
        with deadline.held():
            passed = loop.create_future()
            loop.call_later(0.1, passed.set_result, None)
            await passed
    assert not deadline.expired


async def test_what_is_left_goes_on_in_the_next_attempt() -> None:
    deadline = Deadline(60.0)
    async with deadline.running():
        pass
    assert not deadline.expired
    async with deadline.running():
        pass


async def test_nothing_left_stops_the_next_attempt_at_its_first_wait() -> None:
    deadline = Deadline(0.0)
    with pytest.raises(TimeoutError):
        async with deadline.running():
            await asyncio.Event().wait()


async def test_holding_outside_of_an_attempt_is_harmless() -> None:
    with Deadline(1.0).held():
        pass
