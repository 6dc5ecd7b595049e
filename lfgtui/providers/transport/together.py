"""What one read of a socket brought, as one piece.

The HTTP client hands over a chunked body chunk by chunk, and servers send each record as a
chunk of its own. When several came with one read, all that follows would be done for each of
them. Nobody can ask the client if it has more, but it does not stop before it has to wait for
the server: so a task takes what it gives, and whoever reads gets all that is there once that
task has stopped.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

MOST_AHEAD = 64 * 1024
"""Bytes that may wait for their reader; the socket is not read meanwhile."""


async def together(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the chunks, those that came together as one; then raise what `chunks` raises."""
    arrived: list[bytes] = []
    ahead = 0
    has_arrived, was_taken = asyncio.Event(), asyncio.Event()

    async def take() -> None:
        nonlocal ahead
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    arrived.append(chunk)
                    has_arrived.set()
                    ahead += len(chunk)
                    if ahead > MOST_AHEAD:
                        was_taken.clear()
                        await was_taken.wait()
        finally:
            has_arrived.set()

    taking = asyncio.create_task(take())
    try:
        while not taking.done() or arrived:
            await has_arrived.wait()
            has_arrived.clear()
            if arrived:
                piece = b"".join(arrived)
                arrived.clear()
                ahead = 0
                was_taken.set()
                yield piece
            elif not taking.done():  # it is about to end
                await asyncio.wait([taking])
        taking.result()
    finally:
        taking.cancel()
        await asyncio.wait([taking])
        if not taking.cancelled():
            taking.exception()  # whoever stopped reading does not want to know
