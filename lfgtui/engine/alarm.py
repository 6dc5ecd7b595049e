"""A callback at a time of day, even if the machine sleeps in the meantime."""

import asyncio
from collections.abc import Callable, Iterable

_MOMENT = 0.001
"""Seconds by which a timer of the loop may fire too early by the clock."""

_LONGEST_SLEEP = 60.0
"""Most seconds that a timer runs: the loop's own clock stops while the machine sleeps."""


class Alarm:
    """Calls back at the first of some times, by `clock`, and about once a minute before.

    So the callback has to look what is due, and `set` the times anew.
    """

    def __init__(self, callback: Callable[[], None], clock: Callable[[], float]) -> None:
        self._callback = callback
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    def set(self, times: Iterable[float]) -> None:
        """Wait for these times instead of earlier ones; without times, never call."""
        self.cancel()
        first = min(times, default=None)
        if first is not None:
            left = max(0.0, first - self._clock())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(left + _MOMENT, _LONGEST_SLEEP), self._callback)

    def cancel(self) -> None:
        """Call no more, until `set` again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
