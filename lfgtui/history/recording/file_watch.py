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


class Change(Enum):
    """A change to the file.

    `FILE`: it is gone from its path, or replaced. `LOG`: its write-ahead log or
    the log's index is gone. `CONTENT`: another process wrote to it; another lfg
    does when it copies its log into the file.
    """

    FILE = auto()
    LOG = auto()
    CONTENT = auto()


class _Seen(NamedTuple):
    identity: tuple[int, int]
    size: int
    changed: int


class Files(NamedTuple):
    """The file, its log and the log's index as they were seen; None for a missing one."""

    main: _Seen | None
    log: _Seen | None
    shm: _Seen | None

    @property
    def log_size(self) -> int:
        """Size of the log in bytes."""
        return 0 if self.log is None else self.log.size

    def keeps_log(self, now: "Files") -> bool:
        """Return True if the log that is there now is the one seen before."""
        return self.log is not None and not _is_lost(self.log, now.log)

    def keeps_index(self, now: "Files") -> bool:
        """Return True if the log's index that is there now is the one seen before."""
        return self.shm is not None and not _is_lost(self.shm, now.shm)

    def change_to(self, now: "Files") -> Change | None:
        """Return what has changed since."""
        if self.main is None or _is_lost(self.main, now.main):
            return Change.FILE
        if _is_lost(self.log, now.log) or _is_lost(self.shm, now.shm):
            return Change.LOG
        is_cut = now.log_size < self.log_size
        return Change.CONTENT if is_cut or now.main != self.main else None


def look(path: Path) -> Files:
    """Return the files as they are; raises `OSError` where they cannot be looked at."""
    return Files(*(_look(path.with_name(f"{path.name}{part}")) for part in ("", "-wal", "-shm")))


def _is_lost(before: _Seen | None, now: _Seen | None) -> bool:
    return before is not None and (now is None or now.identity != before.identity)


def _look(path: Path) -> _Seen | None:
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise
    return _Seen((status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)
