"""Leases: only the process that holds a run's lease may write the run.

A lease is an exclusive `flock` on a file of its own (`locks/RUN.lock` beside the
history). The kernel releases it when the process dies, however it dies, so a run
whose state is `running` although its lease is free is orphaned.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SUFFIX = ".lock"  # of a lease's file; its name is the run's id
_PATIENCE = 1.0  # seconds


class Lease:
    """The right to run one run, held until `release` or the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def is_in(self, folder: Path) -> bool:
        """Return True if its file is still in that folder; otherwise others could take it."""
        return self._path.parent == folder and _is_file_at(self._handle, self._path)

    def release(self) -> None:
        """Release the lease and remove its file; to be called once."""
        with suppress(OSError):
            if _is_file_at(self._handle, self._path):
                self._path.unlink(missing_ok=True)  # before `close` unlocks it
        os.close(self._handle)


def take(folder: Path, run: str, *, patiently: bool = False) -> Lease | None:
    """Take the run's lease; return None if another process, or this one, holds it.

    With `patiently` wait up to `_PATIENCE`, since the holder may only be testing it: each writer
    that opens the history tests all leases, to find orphaned runs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{run}{_SUFFIX}"
    until = time.monotonic() + _PATIENCE * patiently
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if not isinstance(error, BlockingIOError):
                raise
            if time.monotonic() >= until:
                return None
            time.sleep(_PATIENCE / 50)
            continue
        if _is_file_at(handle, path):
            return Lease(path, handle)
        os.close(handle)  # its holder removed it between this open and this lock


@contextmanager
def held(folder: Path, run: str, *, patiently: bool = False) -> Iterator[bool]:
    """Hold the lease during the body, if it is free; yield whether it is held."""
    lease = take(folder, run, patiently=patiently)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            lease.release()


def left_behind(folder: Path) -> list[str]:
    """Return the runs that have a lease file, whether it is held or left by a dead process."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
