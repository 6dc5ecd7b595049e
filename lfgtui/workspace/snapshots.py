"""The state of a worktree as a commit, merges that touch no file, and copies of an index.

A snapshot has committed and uncommitted changes, new files included. It is made with a copy of the
worktree's index, so neither its branch nor its index changes.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import msgspec

from lfgtui.processes.private_folder import PrivateFolder
from lfgtui.processes.waiting import finish
from lfgtui.workspace.git import GitError, git

AUTHOR = {  # the environment of commits that lfg makes
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "lfg"), ("EMAIL", "lfg@localhost"))
}
_SECONDS = 600.0
"""Seconds for git commands that read a whole checkout."""


class Merged(msgspec.Struct, frozen=True):
    """A merge: its tree, or the files that conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()


async def snapshot(folder: Path, title: str) -> str:
    """Return a commit with all files except ignored ones; HEAD if that has them all."""
    head = (await git("rev-parse", "HEAD", cwd=folder)).checked().text
    tree = await _tree(folder)
    if tree == (await git("rev-parse", "HEAD^{tree}", cwd=folder)).checked().text:
        return head
    making = ("commit-tree", tree, "-p", head, "-m", title)
    return (await git(*making, cwd=folder, env=AUTHOR)).checked().text


async def _tree(folder: Path) -> str:
    async with index_copy(folder) as env:
        adding = ("add", "--all", "--sparse", ".")
        top = (await git("rev-parse", "--show-toplevel", cwd=folder)).checked().text
        (await git(*adding, cwd=top, env=env, seconds=_SECONDS)).checked()
        return (await git("write-tree", cwd=top, env=env)).checked().text


async def merge(folder: Path | str, ours: str, theirs: str) -> Merged:
    """Merge two commits; only objects are written, no file or reference. Raises `GitError`."""
    merging = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
    result = await git(*merging, ours, theirs, cwd=folder, seconds=_SECONDS)
    if result.code not in (0, 1) or not result.output:
        if "usage:" in result.message or "not a git command" in result.message:
            raise GitError("this needs git 2.38 or later")
        result.checked()
    tree, *conflicts = result.names
    return Merged(tree, tuple(dict.fromkeys(name for name in conflicts if name)))


async def merged_commit(folder: Path | str, ours: str, theirs: str) -> str | None:
    """Return a merge of two commits, the one that contains the other, or None for a conflict."""
    for one, other in ((ours, theirs), (theirs, ours)):
        if (await git("merge-base", "--is-ancestor", one, other, cwd=folder)).code == 0:
            return other
    merged = await merge(folder, ours, theirs)
    if merged.conflicts:
        return None
    title = "The work of tickets that another one needs"
    making = ("commit-tree", merged.tree, "-p", ours, "-p", theirs, "-m", title)
    return (await git(*making, cwd=folder, env=AUTHOR)).checked().text


@asynccontextmanager
async def index_copy(folder: str | Path) -> AsyncIterator[Mapping[str, str]]:
    """Yield the variables that make git work on a copy of the index, and leave the person's alone.

    The copy is deleted after use or, if lfg is killed before that, by the next run.
    """
    path = (await git("rev-parse", "--git-path", "index", cwd=folder)).checked().text
    kept = ExitStack()
    try:
        yield {"GIT_INDEX_FILE": await finish(asyncio.to_thread(_copy, Path(folder, path), kept))}
    finally:
        await finish(asyncio.to_thread(kept.close))


def _copy(index: Path, kept: ExitStack) -> str:
    try:
        own = kept.enter_context(closing(PrivateFolder())).path / "index"
        if index.exists():  # without one, nothing was ever added
            # Its time is copied, too: by that git notices files changed right after being added.
            shutil.copy2(index, own)
    except OSError as error:
        raise GitError(f"cannot copy git's index: {error.strerror}") from None
    return str(own)
