"""New files put in the place of old ones: all of them, or none (for `applying`).

Each file is replaced in one step, so at any moment a file is either the old or the new one. The old
files are kept until all are replaced, and restored if one cannot be.
"""

import errno
import os
import shutil
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.workspace.worktrees import remove_tree

NEW, _OLD = "new", "old"
"""Folders in the staging folder: the files to place, and the replaced ones."""


class ChangedError(Exception):
    """The named file is not as it was a moment ago."""


class _Look(NamedTuple):
    """A file as it was seen; one that is replaced or written looks different."""

    inode: int
    size: int
    changed: int
    mode: int

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def clear(staging: Path) -> None:
    """Empty the staging folder, or make it."""
    remove_tree(staging)
    for name in (NEW, _OLD):
        (staging / name).mkdir(parents=True)


class Placing:
    """Puts the files `names` of the staging folder's `NEW` into `folder`; `look` first.

    `_replaced` are the files that were replaced, each with its old file, if any, in `_OLD`; `_made`
    are new folders.
    """

    def __init__(self, folder: Path, staging: Path, names: Sequence[str]) -> None:
        self._folder, self._staging, self._names = folder, staging, names
        self._seen: dict[str, _Look | None] = {}
        self._replaced: list[tuple[Path, Path | None]] = []
        self._made: list[Path] = []

    def look(self) -> None:
        """Note the state of the old files; if one has changed by `carry_out`, that raises."""
        self._seen = {name: _look(self._folder / name) for name in self._names}

    def carry_out(self, gone: Collection[str]) -> None:
        """Remove the files in `gone`, then place the others.

        Raises `OSError` or `ChangedError`, after restoring everything.
        """
        try:
            for name in sorted(self._names, key=lambda one: (one not in gone, one)):
                path, seen = self._folder / name, self._seen[name]
                is_file = seen is not None and not seen.is_folder
                if (seen is None or is_file) and _look(path) != seen:
                    raise ChangedError(name)
                self._keep(path if is_file else None, path)
                if name in gone:
                    path.unlink()
                    self._prune(path.parent)
                else:
                    self._make_folders(path.parent)
                    _place(self._staging / NEW / name, path)
        except BaseException:
            self._undo()
            raise

    def _keep(self, old: Path | None, path: Path) -> None:
        """Keep the old file, if there is one, before `path` is replaced."""
        if old is None:
            self._replaced.append((path, None))
            return
        kept = self._staging / _OLD / str(len(self._replaced))
        try:
            os.link(old, kept, follow_symlinks=False)
        except OSError:  # the folder is on another disk
            shutil.copy2(old, kept, follow_symlinks=False)
        self._replaced.append((path, kept))

    def _undo(self) -> None:
        """Restore all old files, latest first, and remove new folders."""
        for path, kept in reversed(self._replaced):
            with suppress(FileNotFoundError):
                if kept is None:
                    path.unlink()
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    _place(kept, path)
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir()
            self._made.append(one)

    def _prune(self, folder: Path) -> None:
        """Remove folders that have become empty, as git does."""
        with suppress(OSError):
            while folder != self._folder:
                folder.rmdir()
                folder = folder.parent


def _look(path: Path) -> _Look | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return _Look(status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


def _place(new: Path, path: Path) -> None:
    """Replace the file in one step, even from another disk."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    try:
        new.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = path.with_name(f".{path.name[:200]}.lfg")
        shutil.copy2(new, beside, follow_symlinks=False)
        beside.replace(path)
