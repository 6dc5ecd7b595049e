"""The state of worktrees, and the removal of those whose work is in HEAD (`lfg worktrees`)."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from lfgtui.text.figures import plural
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.snapshots import merge
from lfgtui.workspace.worktrees import Worktree, discard_worktree

State: TypeAlias = Literal[
    "clean", "dirty", "unmerged", "ignored", "missing", "unfinished", "unknown"
]
"""State of a worktree.

`dirty`: it has uncommitted changes. `unmerged`: it has commits whose content the checkout's
HEAD lacks. `ignored`: neither, but files of its agent that git ignores. `clean`: none of
these. `missing`: its folder is gone. `unfinished`: lfg was killed while it made or removed
it. `unknown`: git cannot tell.
"""

_WHY: Mapping[State, str] = {
    "dirty": "it has uncommitted changes",
    "unmerged": "it has commits that are not in HEAD",
    "missing": "its folder is gone; lfg resume recreates it from its branch",
}

_SECONDS = 600.0
"""Seconds for git commands that read a whole worktree."""


class WorktreeState(msgspec.Struct, frozen=True):
    """A worktree, its state, its `size` in bytes on disk and, if the state is unknown, the `fault`.

    `ignored`: the number of files that its agent made or changed and git ignores, without caches.
    """

    worktree: Worktree
    state: State
    size: int
    fault: str = ""
    ignored: int = 0

    @property
    def why(self) -> str:
        """Why deleting it would lose something; "" if it would not."""
        why = [_WHY[self.state]] if self.state in _WHY else []
        if self.ignored:
            why.append(f"it has {plural(self.ignored, 'git-ignored file')} made by the agent")
        return self.fault or " and ".join(why)


async def state_of(worktree: Worktree) -> WorktreeState:
    """Return the state of a worktree."""
    size = await asyncio.to_thread(_size, worktree.path)
    try:
        state = await _state(worktree)
        ignored = 0 if state in ("missing", "unfinished") else await _ignored(worktree)
        return WorktreeState(
            worktree, "ignored" if ignored and state == "clean" else state, size, ignored=ignored
        )
    except GitError as error:
        return WorktreeState(worktree, "unknown", size, str(error))


async def prune_worktrees(
    worktrees: Iterable[Worktree], *, may: bool = True, dry_run: bool = False
) -> tuple[list[WorktreeState], list[WorktreeState]]:
    """Discard worktrees without work of their own; return them, and those that were kept.

    Worktrees that are dirty, unmerged, ignored, missing or unknown are kept. Unless it `may`
    discard them, all are; in a `dry_run` nothing is discarded.
    """
    taken, kept = [], []
    for worktree in worktrees:
        found = await state_of(worktree)
        if not may or found.state not in ("clean", "unfinished"):
            kept.append(found)
            continue
        if not dry_run:
            await discard_worktree(worktree)
        taken.append(found)
    return taken, kept


async def _state(worktree: Worktree) -> State:
    """Return the state, without a look at ignored files; raises `GitError`."""
    if worktree.phase in ("making", "discarding"):
        return "unfinished"
    if not await asyncio.to_thread((worktree.path / ".git").exists):
        return "missing"
    looking = (
        "status",
        "--porcelain",
        "-z",
        "--untracked-files=normal",
        "--ignore-submodules=none",
    )
    if (await git(*looking, cwd=worktree.path, seconds=_SECONDS)).checked().output:
        return "dirty"
    tip = (await git("rev-parse", "HEAD", cwd=worktree.path)).checked().text
    return "clean" if await _is_in_head(worktree, tip) else "unmerged"


async def _ignored(worktree: Worktree) -> int:
    """Return the number of ignored files that are newer than the end of the worktree's setup.

    Python's byte code and folders tagged as caches (https://bford.info/cachedir) do not count:
    they can be made again.
    """
    listing = ("ls-files", "--others", "--ignored", "--exclude-standard", "-z")
    listed = await git(*listing, cwd=worktree.path, seconds=_SECONDS)
    return await asyncio.to_thread(_newer, worktree, listed.checked().names)


def _newer(worktree: Worktree, names: list[str]) -> int:
    """Count the files, without caches, that changed since the record was last touched."""
    tag = "CACHEDIR.TAG"
    caches = tuple(name.removesuffix(tag) for name in names if name.endswith(f"/{tag}"))
    ready = worktree.record.stat().st_mtime_ns
    count = 0
    for name in names:
        if name.startswith(caches) or "__pycache__/" in name:
            continue
        try:
            found = os.lstat(worktree.path / name)
        except OSError:  # it is being removed
            continue
        # A file that a package manager linked to its store is as new as the newest link to it.
        changed = found.st_ctime_ns if found.st_nlink == 1 else found.st_mtime_ns
        count += changed >= ready
    return count


async def _is_in_head(worktree: Worktree, tip: str) -> bool:
    """Return True if the checkout's HEAD has the content of the commit, however it got there."""
    checkout = worktree.checkout
    head = (await git("rev-parse", "HEAD", cwd=checkout)).checked().text
    if (await git("merge-base", "--is-ancestor", tip, head, cwd=checkout)).code == 0:
        return True
    merged = await merge(checkout, head, tip)
    tree = (await git("rev-parse", "HEAD^{tree}", cwd=checkout)).checked().text
    return not merged.conflicts and merged.tree == tree


def _size(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk."""
    blocks = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                blocks += os.lstat(os.path.join(parent, name)).st_blocks  # noqa: PTH118
            except OSError:  # it is being removed
                continue
    return blocks * 512
