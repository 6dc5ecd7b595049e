"""Memory and CPU time of all processes below one, and available memory."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.processes.supervisor import RESIDENT, TIMES, below, processes

_SYSTEM_ROOT = Path("/")
_GROUPS = (  # cgroup 2, then 1
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        *("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
        *("memory/memory.stat", "total_inactive_file"),
    ),
)
"""Files in /sys/fs/cgroup of a container's limit, its usage, and its figures, and the name of the
figure of that part of the usage which is only cache."""


class Usage(NamedTuple):
    """Resident memory in bytes, shared pages counted in each process; CPU time in seconds.

    The CPU time includes that of ended processes that were waited for.
    """

    memory: int
    cpu: float


def usages_of(roots: Iterable[int]) -> dict[int, Usage]:
    """Return the usage of all processes below each root; nothing for a root that is gone.

    It reads all processes of the system, some 10 µs for each, and blocks. Empty without /proc.
    """
    found = processes()
    return {root: _usage_of(root, found) for root in roots if root in found}


def available_memory(root: Path = _SYSTEM_ROOT) -> int:
    """Return the bytes of memory available without swapping; blocks for a moment.

    If the system does not say, half of the machine's memory.
    """
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, KeyError):
        available = _numbers(root / "proc/meminfo")["MemAvailable:"] * 1024
    for limit, used, figures, cache in _GROUPS:
        with suppress(OSError, ValueError, KeyError):  # no such group, or no limit ("max")
            most, now = (int((root / "sys/fs/cgroup" / name).read_text()) for name in (limit, used))
            spare = most - now + _numbers(root / "sys/fs/cgroup" / figures)[cache]
            available = min(available, spare)
    return max(0, available)


def _numbers(file: Path) -> dict[str, int]:
    """Return the first number of each line, by the line's first word."""
    lines = map(str.split, file.read_text(encoding="ascii").splitlines())
    return {words[0]: int(words[1]) for words in lines}


def _usage_of(root: int, found: dict[int, tuple[str, list[bytes]]]) -> Usage:
    pages = ticks = 0
    for pid in below(root, found):
        fields = found[pid][1]
        pages += int(fields[RESIDENT])
        ticks += sum(int(fields[place]) for place in TIMES)
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))
