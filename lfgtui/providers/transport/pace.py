"""The pace at which busy streams are read.

A wake-up for each word is the dearest way to read: the read itself, the event on its way to
the disk, the fold and the frame all cost as much for a word as for ten. So where many
responses stream at once, each rests after a read, and what arrives meanwhile comes with the
next one. All of them rest until the same moment: what they bring is then one batch for the
history and one for the screen.

What nobody can see is not urgent: where a person looks on, streams that are out of sight rest
through several such moments, and those in view for a shorter one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from typing import TypeAlias

FEW = 4
"""Streams that are read without any rest."""

REST_PER_STREAM, LONGEST_REST = 0.0008, 0.12
"""Seconds of rest for each stream beyond the few, and at most.

So 64 streams rest for 48 ms, and 154 or more for 120: nobody watches so many at once.
"""

LONGEST_IN_VIEW = 0.05
"""Seconds of rest at most where a person looks on: what they see waits for a frame as well."""

MOMENTS_UNSEEN = (4, 5)
"""The moments that streams out of sight rest for, by turns: those that came together go apart.

So they rest for a quarter of a second at most, and what they bring comes as even as the rest.
"""

_PERIOD = 0.25
"""Seconds in which a busy stream brings something: those that only wait for it count for none."""

IsSeen: TypeAlias = Callable[[], bool]
"""Tells if a person can see just now what a stream brings."""


@dataclass(slots=True)
class _Rest:
    """A stream's rest, in moments; a stream that has come into view rests no longer."""

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

    async def rest(self, is_seen: IsSeen | None = None) -> None:
        """Wait until a busy stream is to be read again; without `is_seen` nobody looks on."""
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
