"""Waits with a time limit, and waits that a cancellation does not cut short."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, event: Event) -> bool:
    """Wait for the event; return False if it does not come in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def finish(work: Awaitable[T]) -> T:
    """Return the work's result; a cancellation does not stop it, and is passed on afterwards."""
    working = asyncio.ensure_future(work)
    await to_their_end(working)
    return working.result()


async def to_their_end(*futures: "asyncio.Future[T]") -> None:
    """Wait until all futures have ended, then pass cancellations on. Their errors are ignored.

    They are awaited here, not in a task of their own: a loop that ends cancels all tasks, and what
    a thread still works with would be closed too early.
    """
    cancelled: asyncio.CancelledError | None = None
    while pending := [future for future in futures if not future.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    for future in futures:
        if not future.cancelled():
            future.exception()
    if cancelled is not None:
        raise cancelled


async def until_one_ends(*ways: Coroutine[object, object, object]) -> None:
    """Run all at once until one of them ends, then cancel the others; raises that one's error."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await to_their_end(*tasks)
    for task in done:
        task.result()
