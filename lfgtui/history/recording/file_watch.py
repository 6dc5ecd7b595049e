"""A watch on the history file: is the file at the path still the one that is written?

A database stays open when its file is deleted, moved or replaced: SQLite goes
on writing, reports nothing, and everything is gone when the last handle closes.
So the file and its two companions (the write-ahead log and its index) are
identified by device and inode, before and after every commit; that costs three
`stat`.

The files are never opened for this: closing any handle of one would drop the
locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
"""

import errno
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Change(Enum):
    """A change to the file.

    `FILE`: it is gone from its path, or replaced. `LOG`: its write-ahead log or
    the log's index is gone. `CONTENT`: another process wrote to it, as another
    lfg may, which copies its log into the file from time to time.
    """

    FILE = auto()
    LOG = auto()
    CONTENT = auto()


class _Seen(NamedTuple):
    identity: tuple[int, int]
    size: int
    changed: int


class FileWatch:
    """The file and its companions as last seen; create it once SQLite has opened them."""

    def __init__(self, path: Path) -> None:
        self._main = path
        self._companions = [path.with_name(f"{path.name}-{part}") for part in ("wal", "shm")]
        self.accept()

    def accept(self) -> None:
        """Accept the present state as right: written by this process, or checked."""
        self._seen = _look(self._main)
        self.accept_log()

    def accept_log(self) -> None:
        """Accept the present log alone, which is all that a commit writes to."""
        self._beside = [_look(path) for path in self._companions]

    @property
    def has_left_log(self) -> bool:
        """Return whether the log at the path is that of the file which is gone."""
        now, before = _look(self._companions[0]), self._beside[0]
        return now is not None and before is not None and now.identity == before.identity

    @property
    def log_size(self) -> int:
        """Size of the log in bytes, as last seen."""
        log = self._beside[0]
        return 0 if log is None else log.size

    def change(self) -> Change | None:
        """Return what changed; None where nothing did, or the files cannot be looked at."""
        try:
            main = _look(self._main)
            beside = [_look(path) for path in self._companions]
        except OSError:  # no permission, a failing disk: a commit will report it, if it matters
            return None
        if main is None or self._seen is None or main.identity != self._seen.identity:
            return Change.FILE
        for now, before in zip(beside, self._beside, strict=True):
            if before is not None and (now is None or now.identity != before.identity):
                return Change.LOG
        log, log_before = beside[0], self._beside[0]
        is_cut = log is not None and log_before is not None and log.size < log_before.size
        return Change.CONTENT if is_cut or main != self._seen else None


def _look(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    return _Seen((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns)
