"""What the kernel says of a process: memory, CPU, and how long it waited for one."""

import os
import re
import threading
import time
from bisect import bisect_left
from pathlib import Path


class Gauge:
    """Measures of a process, taken while it runs: the kernel forgets them with it.

    `peak` is its largest resident memory in bytes (VmHWM), `children` the most
    that its descendants held at once, `cpu` the seconds it computed.
    """

    def __init__(self, pid: int, reader: int) -> None:
        self.peak = 0
        self.children = 0
        self.cpu = 0.0
        self._pid = pid
        self._tasks = (Path(f"/proc/{pid}/schedstat"), Path(f"/proc/self/task/{reader}/schedstat"))
        self._waits: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="gauge", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop measuring."""
        self._over.set()
        self._thread.join()

    def waited(self, start: float, end: float) -> float:
        """The seconds between two moments in which it, or who reads it, waited for a CPU."""
        if not self._waits:
            return 0.0
        return max(0.0, self._at(end) - self._at(start))

    def _at(self, moment: float) -> float:
        at = min(bisect_left(self._waits, (moment, 0.0)), len(self._waits) - 1)
        return self._waits[at][1]

    def _look(self) -> None:
        rounds = 0
        while not self._over.wait(0.02):
            try:
                waits = sum(int(task.read_text().split()[1]) for task in self._tasks)
                self._waits.append((time.monotonic(), waits / 1e9))
                if rounds % 5 == 0:
                    self._measure()
            except (OSError, ValueError, IndexError):  # it has ended
                return
            rounds += 1

    def _measure(self) -> None:
        self.peak = max(self.peak, _memory(self._pid, "VmHWM"))
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        self.cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        kin = _descendants(self._pid)
        self.children = max(self.children, sum(_memory(child, "VmRSS") for child in kin))


def _memory(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found
