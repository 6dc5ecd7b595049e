"""The changes in a folder of a git repository since a moment that `record` recorded.

The moment is kept as a git tree: the commit's own or, if something was not committed, one of all
files as they were, untracked ones too. Its objects are in the repository; no reference points to
them, so git itself deletes them, after two weeks at the earliest. The person's index is read
and never written: all work is done on a copy.

Submodules are not looked into: git would run there under their own configuration.
"""

import asyncio
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from lfgtui.text.figures import size
from lfgtui.workspace.diff import ChangedFile, Changes, Hunk, bounded, read_patch, read_summary
from lfgtui.workspace.git import GitError, GitResult, git
from lfgtui.workspace.snapshots import index_copy

LARGEST = 8 * 1024 * 1024
"""Bytes of the largest untracked file that is recorded and compared."""

MOST_UNTRACKED = 5_000
"""Most untracked files: of more, none is recorded, and only recorded ones are compared."""

MOST_LINES, ALL_LINES = 5_000, 50_000
"""Most changed lines of a file, and of all files together, that are read unasked (`readable`)."""

MOST_SHOWN = 20_000
"""Most rows of a file that are ever read."""

MOST_FILES = 500
"""Most files whose lines are read unasked."""

_SHOWN = (  # whatever the person's configuration says
    *("diff", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
    *("--ignore-submodules=dirty", "-O/dev/null", "-M", "-U3", "--relative"),
)
_HASH = re.compile("[0-9a-f]{40,64}")
_NAMED = ("--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
"""Options with which `git add` takes the names from its input."""


class Base(NamedTuple):
    """A moment in a folder: its tree, and the commit that was checked out; "" before the first."""

    tree: str
    commit: str = ""


async def record(folder: str | Path) -> Base | None:
    """Record the state of the folder; None if it is in no work tree. Raises `GitError`."""
    asking = ("rev-parse", "--is-inside-work-tree", "HEAD^{commit}")
    is_inside, *commits = (await git(*asking, cwd=folder)).text.split("\n")
    if is_inside != "true":
        return None
    commit = next(filter(_HASH.fullmatch, commits), "")
    async with index_copy(folder) as env:
        listed = await _names(folder, env, "-t", "--others", "--modified")
        untracked = [name[2:] for name in listed if name.startswith("?")]
        files = [name[2:] for name in listed if not name.startswith("?")]
        if len(untracked) <= MOST_UNTRACKED:
            large = await asyncio.to_thread(_too_large, folder, untracked)
            files += [name for name in untracked if name not in large]
        if files:
            await git("add", "--all", *_NAMED, cwd=folder, env=env, input=_lines(files))
        tree = (await git("write-tree", cwd=folder, env=env)).checked().text
    return Base(tree, commit)


async def base_tree(folder: str | Path, base: Base) -> tuple[str, str]:
    """Return the tree to compare with, and a remark if only the recorded commit is left.

    Raises `GitError` if git has neither any more.
    """
    for name in filter(_HASH.fullmatch, base):
        if (await git("cat-file", "-e", f"{name}^{{tree}}", cwd=folder)).code == 0:
            break
    else:
        raise GitError("git no longer has what was recorded when the run began")
    if name == base.tree:
        return name, ""
    pruned = "git pruned their snapshot"
    return name, f"includes changes that were uncommitted when the run began: {pruned}"


async def changes(folder: str | Path, tree: str, *, since: float = 0.0) -> Changes:
    """Return the changes since the tree or commit. Raises `GitError`.

    `since`: when that was, in seconds since the epoch. An untracked file that is too large to
    compare is left out if it has not changed since.
    """
    async with index_copy(folder) as env:
        large, remarks = await _take_untracked(folder, tree, env, since)
        printed = await _diff("-z", "--raw", "--no-abbrev", "--numstat", tree, cwd=folder, env=env)
    files = await _with_sizes(folder, read_summary(printed.checked().output))
    return Changes((*files, *large), tuple(remarks))


async def hunks(
    folder: str | Path, tree: str, files: Sequence[ChangedFile]
) -> dict[str, list[Hunk]]:
    """Return the changed lines of the files, by path. Raises `GitError`.

    If git's output is longer than is read of it, the last files are missing.
    """
    if not files:
        return {}
    paths = [path for file in files for path in file.paths]
    printed = await _patch(folder, tree, paths, "-z", "--raw", "--no-abbrev")
    summary, _, text = printed.output.partition(b"\0\0")
    found = await asyncio.to_thread(lambda: read_patch(read_summary(summary), text))
    found = {path: bounded(own, MOST_SHOWN) for path, own in found.items()}
    if not printed.is_cut:  # otherwise the last file in it may be incomplete
        return {file.path: found.get(file.path, []) for file in files}
    return dict([*found.items()][:-1])


async def patch(folder: str | Path, tree: str, paths: Sequence[str]) -> bytes:
    """Return git's own patch of the paths; of all files if none is given. Raises `GitError`."""
    return (await _patch(folder, tree, paths)).checked().output


def readable(files: Iterable[ChangedFile]) -> list[ChangedFile]:
    """Return the files whose lines are read unasked."""
    chosen: list[ChangedFile] = []
    lines = 0
    for file in files:
        own = file.added + file.removed
        fits = own <= MOST_LINES and lines + own <= ALL_LINES and len(chosen) < MOST_FILES
        if fits and has_lines(file):
            chosen.append(file)
            lines += own
    return chosen


def has_lines(file: ChangedFile) -> bool:
    """Return True if git has lines to show of the file."""
    return file.added + file.removed > 0 and not file.is_binary


async def _patch(folder: str | Path, tree: str, paths: Sequence[str], *how: str) -> GitResult:
    async with index_copy(folder) as env:
        await _take_untracked(folder, tree, env, 0.0)
        return await _diff(*how, "--patch", tree, "--", *paths, cwd=folder, env=env)


async def _diff(*arguments: str, cwd: str | Path, env: Mapping[str, str]) -> GitResult:
    printed = await git(*_SHOWN, *arguments, cwd=cwd, env=env)
    return printed if printed.is_cut else printed.checked()


async def _with_sizes(folder: str | Path, files: Sequence[ChangedFile]) -> list[ChangedFile]:
    """Return the files; the notes of binary ones have their sizes before and after."""
    blobs = dict.fromkeys(file.old_blob for file in files if file.is_binary)
    known: dict[str, int] = {}
    if blobs:
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        how = ("cat-file", "--batch-check=%(objectname) %(objectsize)")
        for line in (await git(*how, cwd=folder, input=asked)).text.split("\n"):
            blob, _, number = line.partition(" ")
            if number.isdecimal():
                known[blob] = int(number)

    def with_sizes(file: ChangedFile) -> ChangedFile:
        if not file.is_binary:
            return file
        now = _look(folder, file.path)
        both = (known.get(file.old_blob), now.st_size if now else None)
        note = " → ".join(size(one) for one in both if one is not None)
        return msgspec.structs.replace(file, note=" ".join(filter(None, ("binary", note))))

    return await asyncio.to_thread(lambda: [with_sizes(file) for file in files])


async def _names(folder: str | Path, env: Mapping[str, str], *which: str) -> list[str]:
    """Return files of the folder, without repositories in it (names that end with a slash)."""
    listed = await git("ls-files", "-z", *which, "--exclude-standard", cwd=folder, env=env)
    return [name for name in dict.fromkeys(listed.checked().names) if not name.endswith("/")]


async def _take_untracked(
    folder: str | Path, tree: str, env: Mapping[str, str], since: float
) -> tuple[list[ChangedFile], list[str]]:
    """Have git compare untracked files, too; return those that are too large for it, and remarks.

    `env` names the copy of the index that is changed for this. `since`: see `changes`.
    """
    untracked = await _names(folder, env, "--others")
    remarks: list[str] = []
    if len(untracked) > MOST_UNTRACKED:
        listed = await git("ls-tree", "-r", "-z", "--name-only", tree, cwd=folder)
        known = frozenset(listed.checked().names)
        compared = [name for name in untracked if name in known]
        remarks.append(f"{len(untracked) - len(compared):,} untracked files are not compared")
        untracked = compared
    large = await asyncio.to_thread(_too_large, folder, untracked)
    if names := [name for name in untracked if name not in large]:
        await git("add", "--intent-to-add", *_NAMED, cwd=folder, env=env, input=_lines(names))
    return [
        ChangedFile(name, "added", is_binary=True, note=f"{size(how.st_size)}, not compared")
        for name, how in large.items()
        if how.st_ctime > since
    ], remarks


def _too_large(folder: str | Path, names: Iterable[str]) -> dict[str, os.stat_result]:
    """Return the files that are too large to read."""
    looked = ((name, _look(folder, name)) for name in names)
    return {name: how for name, how in looked if how is not None and how.st_size > LARGEST}


def _look(folder: str | Path, name: str) -> os.stat_result | None:
    try:
        return os.lstat(Path(folder, name))
    except OSError:
        return None


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)
