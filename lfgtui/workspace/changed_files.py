"""The files of a folder that changed since a moment, by one look at the folder.

A file system stamps an inode with its own clock whenever its content or its name changes, and
nobody can set that time back (`ctime`): so one look afterwards shows what changed since, whatever
modification times a checkout or an archive gave the files. It does not show deleted files.

Files that git ignores are left out, and the look is bounded: a command must not wait for it.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.workspace.git import GitError, git

ENTRIES = 20_000
"""Most files and folders that are looked at; some 3 µs each."""

FILES = 1_000
"""Most changed files that are found."""

SECONDS = 0.25
"""Most seconds that a look takes."""

_NEVER = frozenset({".git", ".hg", ".jj", ".svn", "__pycache__", "node_modules"})
"""Folders that are never looked into."""

_COARSE = 5  # CLOCK_REALTIME_COARSE of Linux, the clock by which it stamps files
_IGNORED_SECONDS = 2.0  # that git may take to say what it ignores
_SLICE = 256  # entries between two looks at the clock


class ChangedFiles(NamedTuple):
    """The files that changed, with the nanoseconds of their change; not all if `is_cut`."""

    files: dict[str, int]
    is_cut: bool = False


def file_clock() -> int:
    """Return the earliest time stamp, in nanoseconds, that a file changed from now on can get.

    Most systems stamp files by a clock that ticks every few milliseconds, so it lags.
    """
    with suppress(OSError):
        return time.clock_gettime_ns(_COARSE)
    return time.time_ns()


async def changed_since(folder: Path, moment: int, but: Path) -> ChangedFiles:
    """Return the files below the folder that changed since `moment`, by their absolute paths.

    That is a value of `file_clock`. Files below the folder `but` are left out.
    """
    ignored = await _ignored_folders(folder) | {str(but)}
    found = await asyncio.to_thread(_changed_since, folder, moment, ignored)
    return ChangedFiles(await _not_ignored(folder, found.files), found.is_cut)


def _changed_since(folder: Path, moment: int, ignored: Collection[str]) -> ChangedFiles:
    """Do the look, within its bounds; single files that git ignores are still included."""
    until, left = time.monotonic() + SECONDS, ENTRIES
    found: dict[str, int] = {}
    folders = deque([str(folder)])
    while folders:  # top ones first, as there may be no time for all
        for entry in _entries(folders.popleft()):
            left -= 1
            if left < 0 or len(found) >= FILES or (left % _SLICE == 0 and time.monotonic() > until):
                return ChangedFiles(found, is_cut=True)
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _NEVER and entry.path not in ignored:
                        folders.append(entry.path)
                elif (changed := entry.stat(follow_symlinks=False).st_ctime_ns) >= moment:
                    found[entry.path] = changed
    return ChangedFiles(found)


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries


async def _ignored_folders(folder: Path) -> frozenset[str]:
    """Return the folders that git ignores as a whole; none if git cannot tell."""
    asking = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    with suppress(GitError):
        names = (await git(*asking, cwd=folder, seconds=_IGNORED_SECONDS)).checked().names
        return frozenset(str(folder / name) for name in names if name.endswith("/"))
    return frozenset()


async def _not_ignored(folder: Path, files: dict[str, int]) -> dict[str, int]:
    """Return the files that git does not ignore; all if git cannot tell."""
    if not files:
        return files
    asked = b"\0".join(os.fsencode(file) for file in files)
    with suppress(GitError):
        found = await git(
            *("check-ignore", "-z", "--stdin"),
            cwd=folder,
            env={"GIT_LITERAL_PATHSPECS": "0"},  # `check-ignore` refuses it
            input=asked,
            seconds=_IGNORED_SECONDS,
        )
        ignored = frozenset(found.names)
        return {file: at for file, at in files.items() if file not in ignored}
    return files
