"""The chunks of a body, joined where one read of the socket brought several.

The HTTP client hands over a chunked body chunk by chunk, and servers send each record as a
chunk of its own. When several came with one read, all that follows would be done for each of
them. Nobody can ask the client if it has more, but it does not stop before it has to wait for
the server: so a task takes what it gives, and whoever reads gets all that is there once that
task has stopped.

A server may send so fast, and in such small chunks, that it never has to. So the task stops on
time as well, and what it took is read in small steps: between them everything else on the loop
runs once.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from lfgtui.providers import limits

MOST_AHEAD = 64 * 1024
"""Bytes that may wait for their reader; the socket is not read meanwhile."""

TAKING_SECONDS = 0.001
"""Seconds after which a task that takes chunks stops on time: reading them takes longer."""


async def together(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the chunks, those that came together as one; then raise what `chunks` raises.

    What is longer than `PIECE_BYTES` comes as several.
    """
    arrived: list[bytes] = []
    ahead = 0
    has_arrived, was_taken = asyncio.Event(), asyncio.Event()

    async def take() -> None:
        nonlocal ahead
        turn_ends = 0.0
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    if not arrived:
                        turn_ends = monotonic() + TAKING_SECONDS
                    arrived.append(chunk)
                    has_arrived.set()
                    ahead += len(chunk)
                    if ahead > MOST_AHEAD:
                        was_taken.clear()
                        await was_taken.wait()
                    elif monotonic() >= turn_ends:
                        await asyncio.sleep(0)
                        turn_ends = monotonic() + TAKING_SECONDS
        finally:
            has_arrived.set()

    taking = asyncio.create_task(take())
    try:
        while not taking.done() or arrived:
            await has_arrived.wait()
            has_arrived.clear()
            if arrived:
                taken = b"".join(arrived)
                arrived.clear()
                for at in range(0, len(taken), limits.PIECE_BYTES):
                    piece = taken[at : at + limits.PIECE_BYTES]
                    ahead -= len(piece)
                    was_taken.set()
                    yield piece
                    if len(taken) > limits.PIECE_BYTES:
                        await asyncio.sleep(0)
            elif not taking.done():  # it is about to end
                await asyncio.wait([taking])
        taking.result()
    finally:
        taking.cancel()
        await asyncio.wait([taking])
        if not taking.cancelled():
            taking.exception()  # whoever stopped reading does not want to know
