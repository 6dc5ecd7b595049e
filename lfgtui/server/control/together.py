"""Work that has to be over before its connection is: waited for whatever is cancelled meanwhile.

A server that ends cancels a request, and its loop, at its own end, cancels all tasks once more. Who
is cancelled for the second time while it closes something leaves that to tasks which do not outlive
the loop, or closes a database from which a thread still reads.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")


async def until_one_ends(*ways: Coroutine[object, object, None]) -> None:
    """Do all at once until one of them ends, and cancel the others; raises its error."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await to_their_end(*tasks)
    for task in done:
        task.result()


async def to_their_end(*futures: "asyncio.Future[_T]") -> None:
    """Wait until all have ended; who is cancelled meanwhile is so afterwards.

    Nobody has to ask for their errors.
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
