"""Waits with an end, and waits that a cancellation does not cut short."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable
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
    """Return the work's result; cancellations are passed on once the work has ended."""
    working = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        working.exception()  # it is nobody's now
        raise cancelled
    return working.result()
