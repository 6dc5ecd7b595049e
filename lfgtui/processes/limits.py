"""Limits of a program and all that it starts, and messages about a program that exceeded one."""

from dataclasses import dataclass

from lfgtui.processes.shared_deadline import SharedDeadline

_GIGABYTE, _MEGABYTE = 10**9, 10**6

_TOO_LARGE, _TOO_LONG = 25, 24
"""SIGXFSZ and SIGXCPU, with which the kernel itself stops a process."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Bounds of everything below one supervisor; None: no limit.

    `cpu` (seconds) and `memory` (bytes) are sums over all processes, `processes` is their number,
    `file_size` that of each file in bytes. All are killed at the `deadline`, even while lfg itself
    is stopped (SIGSTOP).
    """

    cpu: int | None = None
    memory: int | None = None
    processes: int | None = None
    file_size: int | None = None
    deadline: SharedDeadline | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that the supervisor has to inherit, to read the deadline."""
        return () if self.deadline is None else (self.deadline.fileno(),)

    def argument(self, *, is_walled: bool = False) -> str:
        """Return the limits as the supervisor's argument LIMITS."""
        given = {"cpu": self.cpu, "memory": self.memory, "processes": self.processes}
        given |= {"file": self.file_size, "walled": 1 if is_walled else None}
        for descriptor in self.descriptors:
            given["deadline"] = descriptor
        return ",".join(f"{name}={value}" for name, value in given.items() if value is not None)

    def excess(self, name: str) -> str:
        """Return why a program was stopped that exceeded the limit of that name."""
        match name:
            case "memory":
                return (
                    f"stopped: used more than {size_in_words(self.memory or 0)} of memory;"
                    " work on less at a time, or have the limit raised ([sandbox] memory)"
                )
            case "cpu":
                return (
                    f"stopped: used more than {self.cpu:,} s of CPU time; do less at a time,"
                    " or have the limit raised ([sandbox] cpu_seconds)"
                )
            case "deadline":
                return "stopped: the worker could not renew its hold on the ticket in time"
            case _:  # "processes", the only other name
                return (
                    f"stopped: started more than {self.processes:,} processes;"
                    " start fewer, or have the limit raised ([sandbox] processes)"
                )

    def excess_of(self, code: int | None) -> str:
        """Return why the kernel stopped a program with that exit status; "" if it did not."""
        if code in (-_TOO_LARGE, 128 + _TOO_LARGE) and self.file_size is not None:
            return (
                f"stopped: wrote a file of more than {size_in_words(self.file_size)};"
                " write less, or have the limit raised ([sandbox] file_size)"
            )
        if code in (-_TOO_LONG, 128 + _TOO_LONG) and self.cpu is not None:
            return self.excess("cpu")
        return ""


NO_LIMITS = ProcessLimits()


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it: `2 GB`, `1.5 GB`, `300 MB`."""
    if size < _GIGABYTE:
        return f"{max(1, round(size / _MEGABYTE))} MB"
    return f"{round(size / _GIGABYTE, 1):g} GB"
