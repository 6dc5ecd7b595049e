"""Memory and CPU time of a process with all processes below it."""

import os
from typing import NamedTuple

from lfgtui.processes.supervisor import below, processes

_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM, _RESIDENT = 11, 12, 13, 14, 21
"""Places in /proc/PID/stat, counted from the state (proc_pid_stat(5))."""


class Usage(NamedTuple):
    """Resident memory in bytes, shared pages counted in each process; CPU time in seconds.

    The CPU time includes that of processes that have ended and were waited for.
    """

    memory: int
    cpu: float


def usage_of(root: int) -> Usage | None:
    """Return the usage of a process and of all below it; None where there is no /proc.

    One pass over all processes, some 10 µs for each, which blocks.
    """
    found = processes()
    if root not in found:
        return None
    pages = ticks = 0
    for pid in (root, *below(root, found)):
        fields = found[pid][1]
        pages += int(fields[_RESIDENT])
        ticks += sum(int(fields[place]) for place in (_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM))
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))
