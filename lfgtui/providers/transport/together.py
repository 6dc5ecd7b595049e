"""The chunks of a body, joined if one read of the socket brought several.

The HTTP client hands over a chunked body chunk by chunk, and servers send each record as a
chunk of its own. If one read brought several, all further work would be done for each of them.
The client does not say whether it has more, but it does not pause before it has to wait for the
server. So a task takes its chunks, and the reader gets all that are there once the task pauses.

A server may send so fast, and in such small chunks, that the task never has to wait. So it also
pauses after some time, and what it took is read in small steps, between which everything else on
the event loop runs once.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from lfgtui.providers import limits

MOST_AHEAD = 64 * 1024
"""Bytes that may wait for their reader; beyond, the socket is not read."""

TAKING_SECONDS = 0.001
"""Seconds of taking chunks after which the task pauses: to decode them takes longer."""


async def together(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the chunks, joined if they came together, in pieces of at most `PIECE_BYTES`.

    What `chunks` raises is raised after them.
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
            taking.exception()  # the reader has stopped, so nobody needs its error
