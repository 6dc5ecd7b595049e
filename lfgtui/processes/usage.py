"""Memory and CPU time of a process with all processes below it, and memory that may be had."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.processes.supervisor import below, processes

_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM, _RESIDENT = 11, 12, 13, 14, 21
"""Places in /proc/PID/stat, counted from the state (proc_pid_stat(5))."""

_MEMINFO = Path("/proc/meminfo")
_CGROUPS = [
    (Path("/sys/fs/cgroup") / limit, Path("/sys/fs/cgroup") / used)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    )
]
"""A container's own limit and what it uses of it, in both versions of control groups."""


class Usage(NamedTuple):
    """Resident memory in bytes, shared pages counted in each process; CPU time in seconds.

    The CPU time includes that of processes that have ended and were waited for.
    """

    memory: int
    cpu: float


def usages_of(roots: Iterable[int]) -> dict[int, Usage]:
    """Return what each of these processes uses with all below it; nothing of one that is gone.

    One pass over all processes, some 10 µs for each, which blocks. There is nothing without /proc.
    """
    found = processes()
    return {root: _usage_of(root, found) for root in roots if root in found}


def available_memory() -> int:
    """Return the bytes of memory that may be had without swapping; blocks for a moment.

    Where the system does not say it, half of what the machine has.
    """
    bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2]
    with suppress(OSError, StopIteration):
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        bounds = [int(told.split()[1]) * 1024]
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):  # there is no such group, or no limit ("max")
            bounds.append(int(limit.read_text()) - int(used.read_text()))
    return max(0, min(bounds))


def _usage_of(root: int, found: dict[int, tuple[str, list[bytes]]]) -> Usage:
    pages = ticks = 0
    for pid in (root, *below(root, found)):
        fields = found[pid][1]
        pages += int(fields[_RESIDENT])
        ticks += sum(int(fields[place]) for place in (_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM))
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))
