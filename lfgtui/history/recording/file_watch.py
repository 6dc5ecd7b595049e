"""Checks whether the history file at the path is still the one that is written.

A database stays open when its file is deleted, moved or replaced: SQLite goes
on writing without an error, and everything is lost when the last handle closes.
So `written_file` compares the file and its two companions (the write-ahead log
and the log's index) by device and inode before and after every commit; that
costs three `stat`.

The files are never opened for this: closing any handle of one would drop the
locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
"""

import errno
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple


class Change(Enum):
    """A change to the file.

    `FILE`: it is no longer at its path, or replaced. `LOG`: the same for its
    write-ahead log or the log's index. `CONTENT`: another process wrote to it, as
    another lfg does when it copies the log into the file.
    """

    FILE = auto()
    LOG = auto()
    CONTENT = auto()


class _Seen(NamedTuple):
    """A file's device and inode, its size in bytes, and its mtime in nanoseconds."""

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
        """Return True if there was a log, and the present one is the same file."""
        return self.log is not None and not _is_lost(self.log, now.log)

    def keeps_index(self, now: "Files") -> bool:
        """Return True if there was an index of the log, and the present one is the same file."""
        return self.shm is not None and not _is_lost(self.shm, now.shm)

    def change_to(self, now: "Files") -> Change | None:
        """Return the gravest change from these files to `now`; None if there is none."""
        if self.main is None or _is_lost(self.main, now.main):
            return Change.FILE
        if _is_lost(self.log, now.log) or _is_lost(self.shm, now.shm):
            return Change.LOG
        is_cut = now.log_size < self.log_size
        return Change.CONTENT if is_cut or now.main != self.main else None


def look(path: Path) -> Files:
    """Return the present state of the files; raises `OSError` if `stat` fails."""
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
