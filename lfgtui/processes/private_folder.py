"""Private folders in the temporary folder that do not outlive lfg for long.

A run has one for the homes and temporary folders in its tickets' sandboxes; others hold a copy of
git's index, or are git's folder for a transfer.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX, _LOCK = "lfg-run-", "lock"
_SETTLED = 60.0
"""Seconds after which a folder without a lock counts as left behind, not as one being made."""


class PrivateFolder:
    """A new folder, deleted by `close` or, if lfg is killed, by another process's `sweep`."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _locked(self.path)

    def close(self) -> None:
        """Delete the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Delete folders that killed processes left behind. Blocks, perhaps for long."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is gone
            status = folder.lstat()
            if status.st_uid != os.geteuid() or status.st_mtime > time.time() - _SETTLED:
                continue
            if (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """Return the descriptor of the folder's lock; None if another process holds it.

    The lock is held until the descriptor is closed or this process ends.
    """
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
