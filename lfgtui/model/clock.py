"""The one clock of a process: the time of day at its start plus the time since.

The system clock may be set back or forward while agents work. Whatever is
measured, or compared with the time of an entry, uses this clock: entries never
go back in time within a process, and no gauge or frame waits until an hour has
passed a second time. Time that a laptop sleeps counts.
"""

import time

MOMENT = (0.0, 253_402_128_000.0)
"""Seconds since the epoch, to the last days of 9999, which every time zone can show."""

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that goes on in a sleep: Linux's CLOCK_MONOTONIC stands still, macOS's does not."""

_ZERO = time.time() - time.clock_gettime(_ELAPSED)


def now() -> float:
    """Return seconds since the epoch, by the system clock as it was at the process's start."""
    return _ZERO + time.clock_gettime(_ELAPSED)
