"""Worktrees of tickets: made, found again, and removed.

A ticket's worktree is the folder RUN/TICKET below lfg's own `worktrees` folder, and its branch
`lfg/RUN/TICKET`. Beside the folder, where the ticket's agent cannot write, a record (`Worktree` as
JSON) says what it was made from. The record is written first and removed last, and its `phase` says
how far it has come: so whenever lfg is killed, the next process knows what is left to do.

To write to the folder that all worktrees share, git needs the repository's lock for a few
milliseconds; files are checked out after that, in many worktrees at once.
"""

import asyncio
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from lfgtui.processes.sandbox.git_folders import forget_run
from lfgtui.processes.waiting import finish
from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.repository import (
    Repository,
    folder_locked,
    locked,
    pack_objects,
    repository_of,
)

_CHECKOUT_SECONDS = 1800.0
"""Seconds for checking out all files of a large repository."""

_LITTLE = 1024 * 1024
"""With fewer free bytes, a full disk counts as the cause of a failed write: git does not say it."""

_UNFIT = re.compile(r"^\.|\.(?=\.)|\.$|\.(?=lock$)")
"""Dots of a ticket's id that the name of a branch or a folder cannot have."""


class Worktree(msgspec.Struct, frozen=True):
    """A ticket's worktree, below the folder `root`; also the form of its record.

    `checkout` is the person's own folder that it was made from, `common` the git folder that both
    share, and `inside` the workspace's folder in each. It began at the commit `base`. A `phase`
    other than "ready" says what lfg is doing with it, or was doing when it was killed.
    """

    root: str
    run: str
    ticket: str
    checkout: str
    common: str
    inside: str
    base: str
    phase: Literal["making", "ready", "restoring", "discarding"] = "ready"

    @property
    def branch(self) -> str:
        return f"lfg/{self.run}/{path_part(self.ticket)}"

    @property
    def path(self) -> Path:
        """The worktree's top folder."""
        return Path(self.root, self.run, path_part(self.ticket))

    @property
    def record(self) -> Path:
        """The record's file; its time is when the folder was ready for an agent, setup included."""
        return self.path.parent / _record_name(self.ticket)


def find_worktree(root: Path, run: str, ticket: str) -> Worktree | None:
    """Return the record of a ticket's worktree; None if it has none. Blocks for a moment."""
    return _read(root, root / run / _record_name(ticket))


def find_worktrees(root: Path, run: str = "*") -> list[Worktree]:
    """Return the records of all worktrees, or of those of a run. Blocks for a moment."""
    files = sorted(root.glob(f"{run}/=*.json"))
    return [found for file in files if (found := _read(root, file)) is not None]


async def open_worktree(
    root: Path, run: str, ticket: str, workspace: Path, start: str | None = None
) -> Worktree:
    """Return the ticket's worktree, made if there is none; raises `GitError`.

    It begins at the commit `start`, or at the workspace's HEAD. An unfinished one is made anew,
    since nobody has worked in it. One whose folder is gone is made again from its branch.
    """
    opened = await _open(root, run, ticket, workspace, start)
    async with locked(opened.common) as lock:
        await pack_objects(Path(opened.common), lock)
    return opened


async def _open(root: Path, run: str, ticket: str, workspace: Path, start: str | None) -> Worktree:
    """Find, restore or make the worktree; see `open_worktree`."""
    known = await asyncio.to_thread(find_worktree, root, run, ticket)
    if known is not None:
        if known.phase == "ready" and await asyncio.to_thread((known.path / ".git").exists):
            return known
        if known.phase in ("ready", "restoring") and await _has_branch(known, known.branch):
            return await _restore(known)
        await discard_worktree(known)
    of = await repository_of(workspace)
    start = start or of.head
    if of.inside:
        await _check_folder(of, workspace, start)
    made = Worktree(str(root), run, ticket, of.checkout, of.common, of.inside, start, "making")
    await _check_names(made)
    return await _make(made)


async def _check_folder(of: Repository, workspace: Path, start: str) -> None:
    """Raise `GitError` if the commit `start` does not have the workspace's folder."""
    found = await git("rev-parse", "-q", "--verify", f"{start}:{of.inside}", cwd=of.checkout)
    if found.code:
        shown = visible_line(str(workspace))
        raise GitError(f"{shown} is not in the last commit, so a worktree would not have it")


async def _check_names(made: Worktree) -> None:
    """Raise `GitError` if the worktree's branch or folder cannot be made."""
    if await _has_branch(made, made.branch):
        raise GitError(f"branch {made.branch} already exists; rename it or delete it")
    for other in ("lfg", f"lfg/{made.run}"):
        if await _has_branch(made, other):
            raise GitError(
                f"cannot create branch {made.branch}: branch {other} is in the way; rename {other}"
            )
    if await asyncio.to_thread(os.path.lexists, made.path):
        raise GitError(f"{visible_line(str(made.path))} already exists; move it away")


async def _has_branch(worktree: Worktree, branch: str) -> bool:
    asking = ("rev-parse", "-q", "--verify", f"refs/heads/{branch}")
    return (await git(*asking, cwd=worktree.common)).code == 0


async def _make(worktree: Worktree) -> Worktree:
    """Make the worktree and its branch; on failure, remove what was made."""
    await asyncio.to_thread(_write, worktree)
    try:
        await _add(worktree, "--no-track", "-b", worktree.branch, str(worktree.path), worktree.base)
        return await _fill(worktree)
    except BaseException:
        with suppress(GitError):
            await finish(discard_worktree(worktree))
        raise


async def _restore(worktree: Worktree) -> Worktree:
    """Make the folder again, from its branch."""
    await asyncio.to_thread(_write, msgspec.structs.replace(worktree, phase="restoring"))
    if not await asyncio.to_thread((worktree.path / ".git").exists):
        await _add(worktree, "--force", str(worktree.path), worktree.branch)
    return await _fill(worktree)


async def _add(worktree: Worktree, *arguments: str) -> None:
    adding = ("worktree", "add", "--quiet", "--no-checkout", *arguments)
    async with locked(worktree.common) as lock:
        (await git(*adding, cwd=worktree.checkout, keeps=[lock])).checked()


async def _fill(worktree: Worktree) -> Worktree:
    """Check out its files, and note that it is ready."""
    filling = ("reset", "--hard", "--quiet", "HEAD")
    async with folder_locked(worktree.path) as lock:
        filled = await git(*filling, cwd=worktree.path, seconds=_CHECKOUT_SECONDS, keeps=[lock])
    if filled.code and (await asyncio.to_thread(shutil.disk_usage, worktree.path)).free < _LITTLE:
        raise GitError(f"{visible_line(str(worktree.path))}: no space left on the disk")
    filled.checked()
    ready = msgspec.structs.replace(worktree, phase="ready")
    await asyncio.to_thread(_write, ready)
    return ready


async def discard_worktree(worktree: Worktree) -> None:
    """Remove the worktree with all that is in it, and its branch; raises `GitError`.

    Called again after an interruption, it continues where it stopped.
    """
    with suppress(GitError):  # the disk may be full, and removing the folder makes room
        await asyncio.to_thread(_write, msgspec.structs.replace(worktree, phase="discarding"))
    with suppress(OSError):  # there is no folder, or it cannot be read
        async with folder_locked(worktree.path):  # a git that outlived lfg may still fill it
            pass
    await asyncio.to_thread(_remove_folder, worktree)
    if await asyncio.to_thread(Path(worktree.common).is_dir):
        async with locked(worktree.common) as lock:
            await _forget(worktree, lock)
    await asyncio.to_thread(_remove_record, worktree)
    if not await asyncio.to_thread(find_worktrees, Path(worktree.root), worktree.run):
        await asyncio.to_thread(forget_run, Path(worktree.common), worktree.run)


async def _forget(worktree: Worktree, lock: int) -> None:
    """Remove the worktree's entry and its branch from the repository."""
    common = worktree.common
    listed = (await git("worktree", "list", "--porcelain", "-z", cwd=common)).checked().names
    if f"worktree {await asyncio.to_thread(worktree.path.resolve)}" in listed:
        removing = ("worktree", "remove", "--force", "--force", str(worktree.path))
        (await git(*removing, cwd=common, keeps=[lock])).checked()
    if await _has_branch(worktree, worktree.branch):
        (await git("branch", "-D", "--", worktree.branch, cwd=common, keeps=[lock])).checked()


def path_part(ticket: str) -> str:
    """Return the ticket's id in a form that a branch and a folder can have; each id has its own."""
    return _UNFIT.sub("%2E", ticket)


def _record_name(ticket: str) -> str:
    return f"={path_part(ticket)}.json"  # no id has a "="


def _read(root: Path, file: Path) -> Worktree | None:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Worktree)
    except (OSError, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(found, root=str(root))


def _write(worktree: Worktree) -> None:
    """Write the record in one step; raises `GitError`."""
    file = worktree.record
    beside = file.with_name(f"{file.name}.new")
    try:
        worktree.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(worktree))
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise GitError(f"{visible_line(str(file))}: {error.strerror}") from None


def _remove_record(worktree: Worktree) -> None:
    worktree.record.unlink(missing_ok=True)
    with suppress(OSError):  # other tickets of the run still have folders in it
        worktree.path.parent.rmdir()


def _remove_folder(worktree: Worktree) -> None:
    """Remove the folder. It is renamed first, so that nobody finds half of it."""
    leaving = worktree.path.with_name(f"={path_part(worktree.ticket)}.leaving")
    for folder in (leaving, worktree.path):
        if not os.path.lexists(folder):
            continue
        try:
            if folder != leaving:
                folder.rename(leaving)
            remove_tree(leaving)
        except OSError as error:
            raise GitError(f"{visible_line(str(leaving))}: {error.strerror}") from None


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, if there is one. Blocks."""
    if folder.is_symlink():
        folder.unlink()
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:  # there are folders that may not be written to, as in package caches
        folder.chmod(stat.S_IRWXU)
        for parent, names, _ in os.walk(folder):
            for inner in (Path(parent, name) for name in names):
                if not inner.is_symlink():
                    inner.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)
