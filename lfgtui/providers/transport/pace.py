"""The pace at which busy streams are read.

A wake-up for each word is the dearest way to read: the read itself, the event on its way to
the disk, the fold and the frame all cost as much for a word as for ten. So where many
responses stream at once, each rests after a read, and what arrives meanwhile comes with the
next one. All of them rest until the same moment: what they bring is then one batch for the
history and one for the screen.
"""

import asyncio

FEW = 4
"""Streams that are read without any rest."""

REST_PER_STREAM, LONGEST_REST = 0.0008, 0.12
"""Seconds of rest for each stream beyond the few, and at most.

So 64 streams rest for 48 ms, and 154 or more for 120: what a person can have in view is not later
than the frame that shows it, and the rest nobody can watch at once.
"""

_PERIOD = 0.25
"""Seconds in which a busy stream brings something: those that only wait for it count for none."""


class Pace:
    """The pace of the connections of one client, on one event loop."""

    def __init__(self) -> None:
        self._moment: asyncio.Event | None = None
        self._period_ends = 0.0
        self._before = 0
        self._brought: set[int] = set()

    def note(self, stream: object) -> None:
        """Note that the stream brought something."""
        self._begin_period()
        self._brought.add(id(stream))

    @property
    def seconds(self) -> float:
        """The seconds of rest before the next read."""
        self._begin_period()
        busy = max(self._before, len(self._brought))
        return min(LONGEST_REST, REST_PER_STREAM * max(0, busy - FEW))

    async def rest(self) -> None:
        """Wait until busy streams are to be read again."""
        if self._moment is None:
            self._moment = asyncio.Event()
            asyncio.get_running_loop().call_later(self.seconds, self._wake)
        await self._moment.wait()

    def _wake(self) -> None:
        if self._moment is not None:
            self._moment.set()
            self._moment = None

    def _begin_period(self) -> None:
        """Count anew if the period is over."""
        now = asyncio.get_running_loop().time()
        if now >= self._period_ends:
            self._before = len(self._brought) if now < self._period_ends + _PERIOD else 0
            self._brought.clear()
            self._period_ends = now + _PERIOD
