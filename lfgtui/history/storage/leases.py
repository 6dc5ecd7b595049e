"""Leases: which process runs a run.

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
    """The run's lease, or None where another holds it."""
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
    """The same, after a while if need be: whoever opens the file looks at each lease for a moment.

    That is how orphaned runs are told from live ones, and it must not be taken for one.
    """
    until = time.monotonic() + _PATIENCE
    while (lease := take(folder, run)) is None and time.monotonic() < until:
        time.sleep(_PATIENCE / 50)
    return lease


@contextmanager
def held(folder: Path, run: str, *, patiently: bool = False) -> Iterator[bool]:
    """Holds the lease for a while, if it can be had; says whether it is."""
    lease = take_patiently(folder, run) if patiently else take(folder, run)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            lease.release()


def left_behind(folder: Path) -> list[str]:
    """The runs that have a lease file, held or not."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
