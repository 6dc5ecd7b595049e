"""Folders in the temporary folder that are nobody else's and outlive no lfg by much.

A run's tickets have their homes and temporary folders in one, and git the copy of an index.
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
"""Seconds after which a folder without a lock was left behind, and not just made."""


class PrivateFolder:
    """A new folder, deleted by `close`; of an lfg that was killed, by the next one's `sweep`."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _locked(self.path)

    def close(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Delete what runs left behind that were killed. Blocks; it may be much."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is gone
            status = folder.lstat()
            if status.st_uid != os.geteuid() or status.st_mtime > time.time() - _SETTLED:
                continue
            if (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """Return a lock of the folder, which ends with this process; None if another one has it."""
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
