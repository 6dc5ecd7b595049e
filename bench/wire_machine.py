"""What else the machine was doing: a figure means little where others wanted the same cores."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Of the first line's numbers: idle, and waiting for a disk."""


class Machine:
    """Looks at the machine from now on."""

    def __init__(self) -> None:
        self._busy, self._began = _busy(), time.monotonic()

    def others(self, ours: float) -> float:
        """The cores that were busy with other than our seconds of CPU; 0 where nobody says."""
        return max(0.0, _busy() - self._busy - ours) / (time.monotonic() - self._began)


def _busy() -> float:
    """Seconds of CPU that the machine has spent."""
    if not _STAT.exists():
        return 0.0
    first = _STAT.read_text().splitlines()[0].split()[1:9]
    ticks = [int(number) for place, number in enumerate(first) if place not in _IDLE]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def described() -> str:
    """The machine in a line."""
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{os.cpu_count()} cores, load average {loads}"
