"""A workspace's repository, and its lock among all lfg processes that use it."""

import asyncio
import fcntl
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import msgspec

from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace.git import GitError, git

_OBJECT = re.compile("[0-9a-f]{38}|[0-9a-f]{62}")
"""The file's name of a loose object: its hash, SHA-1 or SHA-256, without the first two digits."""

_PATIENCE = 120.0
"""Seconds to wait for a lock; `_PAUSE`: between two attempts."""

_PAUSE = 0.01
_PACKING_SECONDS = 1800.0
"""Seconds for packing the loose objects of a large repository."""


class Repository(msgspec.Struct, frozen=True):
    """The repository of a workspace, which is the folder `inside` the `checkout` ("": the same).

    `common` is the git folder that all worktrees of the repository share. `head` is the commit that
    is checked out.
    """

    common: str
    checkout: str
    inside: str
    head: str


async def repository_of(workspace: Path) -> Repository:
    """Return the repository of a workspace; raises `GitError` if no worktree can be made."""
    shown = visible_line(str(workspace))
    asking = ("--is-bare-repository", "--is-inside-work-tree", "--git-common-dir")
    found = await git("rev-parse", "--path-format=absolute", *asking, cwd=workspace)
    if found.code:
        raise GitError(f"{shown}: {found.message}")
    is_bare, is_inside, common = found.text.split("\n", 2)
    if is_inside != "true":
        what = "a bare repository" if is_bare == "true" else "inside a .git folder"
        raise GitError(f"{shown} is {what}: a worktree needs a checkout as its workspace")
    top = (await git("rev-parse", "--show-toplevel", cwd=workspace)).checked().text
    inside = (await git("rev-parse", "--show-prefix", cwd=workspace)).checked().text.rstrip("/")
    head = await git("rev-parse", "-q", "--verify", "HEAD^{commit}", cwd=workspace)
    if head.code:
        raise GitError(f"{shown} has no commit yet, and a worktree needs one to start from")
    return Repository(common, top, inside, head.text)


async def pack_objects(common: Path, lock: int) -> None:
    """Pack all loose objects, even unreferenced ones.

    A worktree's commands make loose objects, so they can also delete them; packs are read-only.
    """
    names = await asyncio.to_thread(_loose, common / "objects")
    if not names:
        return
    packing = (
        "pack-objects",
        "-q",
        "--incremental",
        "--non-empty",
        str(common / "objects/pack/pack"),
    )
    listed = "".join(f"{name}\n" for name in names).encode()
    seconds = _PACKING_SECONDS
    packed = await git(*packing, cwd=common, input=listed, seconds=seconds, keeps=[lock])
    packed.checked()
    (await git("prune-packed", "-q", cwd=common, seconds=seconds, keeps=[lock])).checked()


def _loose(objects: Path) -> list[str]:
    return [
        file.parent.name + file.name
        for file in objects.glob("[0-9a-f][0-9a-f]/*")
        if _OBJECT.fullmatch(file.name)
    ]


@asynccontextmanager
async def locked(common: str) -> AsyncIterator[int]:
    """Hold the repository's lock of lfg during the body; yield its descriptor.

    A git command that gets the descriptor holds the lock until its own end, even if lfg is killed.
    """
    async with _held(await asyncio.to_thread(_open_lock, Path(common)), common) as lock:
        yield lock


@asynccontextmanager
async def folder_locked(folder: Path) -> AsyncIterator[int]:
    """Hold a lock of the folder itself during the body; yield its descriptor, as `locked` does."""
    lock = await asyncio.to_thread(os.open, folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    async with _held(lock, str(folder)):
        yield lock


@asynccontextmanager
async def _held(lock: int, place: str) -> AsyncIterator[int]:
    """Take the lock of the descriptor, close it in the end; raises `GitError` after `_PATIENCE`."""
    try:
        until = monotonic() + _PATIENCE
        while not _try_lock(lock):
            if monotonic() > until:
                where = visible_line(place)
                raise GitError(f"timed out waiting for another lfg in {where}; try again")
            await asyncio.sleep(_PAUSE)
        yield lock
    finally:
        os.close(lock)


def _open_lock(common: Path) -> int:
    folder = common / "lfg"
    try:
        folder.mkdir(exist_ok=True)
        return os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise GitError(f"{visible_line(str(folder))}: {error.strerror}") from None


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
