"""The pace at which busy streams are read.

A wake-up for each word is the dearest way to read: the read itself, the event on its way to
the disk, the fold and the frame all cost as much for a word as for ten. So where many
responses stream at once, each rests after a read, and what arrives meanwhile comes with the
next one. All of them rest until the same moment: what they bring is then one batch for the
history and one for the screen.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

FEW = 4
"""Streams that are read without any rest."""

REST_PER_STREAM, LONGEST_REST = 0.0004, 0.1
"""Seconds of rest for each stream beyond the few, and at most.

So 64 streams rest for 24 ms, and 250 for a tenth of a second: what a person can have in view is
not later than the frame that shows it, and the rest nobody can watch at once.
"""


class Pace:
    """The pace of the connections of one client."""

    def __init__(self) -> None:
        self._streams = 0
        self._moment: asyncio.Event | None = None

    @contextmanager
    def stream(self) -> Iterator[bool]:
        """Count a stream that is read, for the length of the body; yield True if it rests first."""
        self._streams += 1
        try:
            yield self._streams > FEW
        finally:
            self._streams -= 1

    async def rest(self) -> None:
        """Wait until busy streams are to be read again."""
        if self._moment is None:
            self._moment = asyncio.Event()
            seconds = min(LONGEST_REST, REST_PER_STREAM * (self._streams - FEW))
            asyncio.get_running_loop().call_later(seconds, self._wake)
        await self._moment.wait()

    def _wake(self) -> None:
        if self._moment is not None:
            self._moment.set()
            self._moment = None
