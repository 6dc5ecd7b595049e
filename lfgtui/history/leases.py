"""Leases: which process runs a run.

A lease is an exclusive `flock` on a file of its own. The kernel lets go of it
when the process dies, however it dies, so a run that says `running` and whose
lease can be taken is a dead one.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SUFFIX = ".lock"


class Lease:
    """The right to run one run, held until `release` or the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle: int | None = handle

    def release(self) -> None:
        """Give it back and remove its file. Doing so twice is harmless."""
        if self._handle is None:
            return
        with suppress(OSError):
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


@contextmanager
def held(folder: Path, run: str) -> Iterator[bool]:
    """Holds the lease for a while, if it can be had; says whether it is."""
    lease = take(folder, run)
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
    except FileNotFoundError:
        return False
