"""Leases: the claim of one process to a run.

A lease is an exclusive `flock` on a file of its own. The kernel lets go of it
when the process dies, however it dies, so a run that says `running` and whose
lease can be taken is a dead one.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from lfgtui.errors import HistoryError

_SUFFIX = ".lock"
_PATIENCE = 1.0


class Lease:
    """The right to run one run, held until `release` or the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle: int | None = handle

    @property
    def is_in_place(self) -> bool:
        """True while the locked file is the one at the path, which others look at."""
        return self._handle is not None and _is_file_at(self._handle, self._path)

    def is_in(self, folder: Path) -> bool:
        """Return True if the lease holds in that folder of locks."""
        return self._path.parent == folder and self.is_in_place

    def release(self) -> None:
        """Give it back and remove its file. Doing so twice is harmless."""
        if self._handle is None:
            return
        with suppress(OSError):
            if self.is_in_place:
                self._path.unlink(missing_ok=True)  # while it is still ours
        os.close(self._handle)
        self._handle = None


def take(folder: Path, run: str) -> Lease | None:
    """Take the run's lease; return None where another process holds it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{run}{_SUFFIX}"
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        if _is_file_at(handle, path):
            return Lease(path, handle)
        os.close(handle)  # its last holder removed it between our open and our lock


def take_patiently(folder: Path, run: str) -> Lease | None:
    """Take the run's lease, waiting a moment for one who only tests it.

    Whoever opens the file tests each lease that way, to tell orphaned runs from live ones.
    """
    until = time.monotonic() + _PATIENCE
    while (lease := take(folder, run)) is None and time.monotonic() < until:
        time.sleep(_PATIENCE / 50)
    return lease


@contextmanager
def held(folder: Path, run: str, *, patiently: bool = False) -> Iterator[bool]:
    """Hold the lease during the body, if it is free; yield whether it was."""
    lease = take_patiently(folder, run) if patiently else take(folder, run)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            lease.release()


def left_behind(folder: Path) -> list[str]:
    """Return the runs that have a lease file, held or not."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


class OwnLeases:
    """The leases of the runs of this process; from any thread."""

    def __init__(self) -> None:
        self._held: dict[str, list[Lease]] = {}
        self._lock = Lock()

    def add(self, run: str, lease: Lease) -> None:
        """Hold on to the run's lease."""
        with self._lock:
            self._held[run] = [lease]

    def claim(self, path: Path) -> None:
        """Hold the lease of each run beside that file too; raises `HistoryError`."""
        folder = path.parent / "locks"
        with self._lock:
            for run, held in self._held.items():
                if any(lease.is_in(folder) for lease in held):
                    continue
                taken = take_patiently(folder, run)
                if taken is None:
                    raise HistoryError(f"run {run} is being run by another lfg")
                held.append(taken)  # the others stay ours: nobody else may end the run there

    def release(self, run: str) -> None:
        """Give the run's leases back."""
        with self._lock:
            for lease in self._held.pop(run, ()):
                lease.release()

    def release_all(self) -> None:
        """Give all of them back."""
        for run in list(self._held):
            self.release(run)


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
