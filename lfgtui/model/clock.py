"""The one clock of a process: the time of day at its start plus the time since.

The system clock may be set back or forward while agents work. Whatever is
measured, or compared with the time of an entry, uses this clock: so entries never
go back in time within a process, and a clock set back by an hour makes no gauge
or frame wait for an hour. Time that a laptop sleeps counts.
"""

import time

MOMENT = (0.0, 253_402_128_000.0)
"""The range of valid times, in seconds since the epoch: to the last days of 9999, which every
time zone can show."""

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that runs on while the machine sleeps: Linux's CLOCK_MONOTONIC stops, macOS's does
not."""

_ZERO = time.time() - time.clock_gettime(_ELAPSED)
"""The time of day, in seconds since the epoch, when that clock was at 0."""


def now() -> float:
    """Return seconds since the epoch, by the system clock as it was at the process's start."""
    return _ZERO + time.clock_gettime(_ELAPSED)
