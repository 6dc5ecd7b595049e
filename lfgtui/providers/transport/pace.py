"""The pace at which busy streams are read.

Waking up for each word is the most expensive way to read: the read itself, the event on its way
to the disk, the fold and the frame all cost as much for one word as for ten. So while many
responses stream at once, each rests after a read, and what arrives meanwhile comes with the
next one. All of them rest until the same moment: what they bring is then one batch for the
history and one for the screen.

What nobody can see is not urgent: while a person looks on, streams that are out of sight rest
through several such moments, which come sooner than otherwise for the sake of those in view.

Whoever reads a stream (`loop_backend`, `acp.stream`) calls `note` after a read, and `rest` before
the next one if `seconds` is not 0. See decision 25.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from typing import TypeAlias

FEW = 4
"""Busy streams among which none rests."""

REST_PER_STREAM, LONGEST_REST = 0.0008, 0.12
"""Seconds of rest for each busy stream beyond `FEW`, and at most.

So 64 streams rest for 48 ms, and 154 or more for 120: nobody watches so many at once.
"""

LONGEST_IN_VIEW = 0.05
"""Most seconds of rest while a person looks on: what they see waits for a frame as well."""

MOMENTS_UNSEEN = (4, 5)
"""The moments that a stream out of sight rests for, by turns.

If all had the same number, those that came together would do so each time. They rest for a
quarter of a second at most.
"""

_PERIOD = 0.25
"""Seconds in which a busy stream brings something; one that brings nothing does not count."""

IsSeen: TypeAlias = Callable[[], bool]
"""Returns True while a person can see what a stream brings."""


@dataclass(slots=True)
class _Rest:
    """A stream's rest, in moments; it ends at the next one if the stream has come into view."""

    moments: int
    is_seen: IsSeen | None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def is_over_after(self) -> bool:
        """Count a moment that is over; return True if the rest is, too."""
        self.moments -= 1
        return not self.moments or (self.is_seen is not None and self.is_seen())


class Pace:
    """The pace of the connections of one client, on one event loop."""

    def __init__(self) -> None:
        self._resting: list[_Rest] = []
        self._timer: asyncio.TimerHandle | None = None
        self._moments_unseen = cycle(MOMENTS_UNSEEN)
        self._period_ends = 0.0
        self._before = 0  # busy streams in the period before
        self._brought: set[int] = set()  # ids of busy streams in this one

    def note(self, stream: object) -> None:
        """Note that a stream brought something; any object may stand for it."""
        self._begin_period()
        self._brought.add(id(stream))

    @property
    def seconds(self) -> float:
        """Most seconds that a stream has to rest before its next read; 0 if none has to."""
        self._begin_period()
        busy = max(self._before, len(self._brought))
        return min(LONGEST_REST, REST_PER_STREAM * max(0, busy - FEW))

    async def rest(self, is_seen: IsSeen | None = None) -> None:
        """Wait until a busy stream is to be read again; `is_seen` is None if nobody looks on."""
        is_unseen = is_seen is not None and not is_seen()
        rest = _Rest(next(self._moments_unseen) if is_unseen else 1, is_seen)
        self._resting.append(rest)
        self._set_moment(LONGEST_REST if is_seen is None else LONGEST_IN_VIEW)
        await rest.over.wait()

    def _set_moment(self, longest: float) -> None:
        """Have the next moment come after `longest` seconds at most."""
        loop, seconds = asyncio.get_running_loop(), min(longest, self.seconds)
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._wake)

    def _wake(self) -> None:
        """End the rests that are over."""
        self._timer = None
        resting, self._resting = self._resting, []
        for rest in resting:
            if rest.is_over_after():
                rest.over.set()
            else:
                self._resting.append(rest)
        if self._resting:
            self._set_moment(LONGEST_IN_VIEW)

    def _begin_period(self) -> None:
        """Count anew if the period is over."""
        now = asyncio.get_running_loop().time()
        if now >= self._period_ends:
            self._before = len(self._brought) if now < self._period_ends + _PERIOD else 0
            self._brought.clear()
            self._period_ends = now + _PERIOD
