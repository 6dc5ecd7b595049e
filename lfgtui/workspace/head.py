"""The branch that is checked out in a folder, and a sign of checkouts and commits.

Two small files are read, without git, since this is needed before and after each command.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_LONGEST = 4096
"""Most bytes that are read of a file."""


class Head(NamedTuple):
    """HEAD of a work tree: its git directory, the branch, and the state of HEAD's log.

    `branch` is "" if no branch is checked out. `log` is the size and the time (in nanoseconds) of
    the log's file, which changes with each checkout and commit; zeros if there is none.
    """

    git_dir: str
    branch: str
    log: tuple[int, int]


def head_of(folder: Path) -> Head | None:
    """Return HEAD of the work tree that the folder is in; None if it is in none."""
    with suppress(OSError):
        for place in (folder, *folder.parents):
            git_dir = _git_dir(place / ".git")
            if git_dir is not None:
                text = _read(git_dir / "HEAD")
                _, is_branch, branch = text.partition("ref: refs/heads/")
                return Head(str(git_dir), branch if is_branch else "", _log(git_dir))
    return None


def _git_dir(place: Path) -> Path | None:
    """Return the git directory that `.git` at this path is, or names if it is a file."""
    if place.is_dir():
        return place if (place / "HEAD").exists() else None
    if not place.is_file():
        return None
    _, is_link, target = _read(place).partition("gitdir: ")
    return Path(os.path.normpath(place.parent / target)) if is_link else None


def _log(git_dir: Path) -> tuple[int, int]:
    with suppress(OSError):
        status = (git_dir / "logs" / "HEAD").stat()
        return status.st_size, status.st_mtime_ns
    return 0, 0


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(_LONGEST).decode("utf-8", "replace").strip()
