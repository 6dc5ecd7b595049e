"""The worktree of a ticket on a worker, and its way back to the run's machine.

A worker has one repository for each remote, which exists only to hold the worktrees of tickets. A
ticket's changes are pushed while it works, so if this worker is lost, another one continues with
files that are only moments old.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lfgtui.errors import LfgError
from lfgtui.model import events as e
from lfgtui.processes.waiting import finish
from lfgtui.server.workers import transfer
from lfgtui.server.workers.connection import cancel
from lfgtui.server.workers.protocol import Source
from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.repository import locked
from lfgtui.workspace.snapshots import AUTHOR
from lfgtui.workspace.worktrees import Worktree, discard_worktree, open_worktree

REST = 10.0
"""Least seconds between two pushes while a ticket is at work."""

_NEAR = "refs/lfg/near"
"""Reference to a commit that the remote had, and probably still has: a fetch need not bring it."""

_log = logging.getLogger(__name__)


class FilesKeptError(LfgError):
    """A ticket's files could not be pushed, and stay on the worker."""


class Repositories:
    """A worker's repositories, in folders below `root`, one for each remote."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._first = asyncio.Lock()
        """Held during the first fetch from a remote."""

    async def workspace(self, source: Source) -> Path:
        """Return the folder that stands in for the workspace, made if need be; raises `GitError`.

        It is in a repository with one empty commit, of which worktrees can be made.
        """
        folder = self._folder(source)
        inside = folder / source.inside
        if not inside.is_relative_to(folder) or ".." in inside.parts:
            raise GitError(f"{visible_line(source.inside)} is not inside a repository")
        await asyncio.to_thread(inside.mkdir, parents=True, exist_ok=True)
        (await git("init", "--quiet", "--template=", ".", cwd=folder)).checked()
        async with locked(str(folder / ".git")) as lock:
            if (await git("rev-parse", "-q", "--verify", "HEAD", cwd=folder)).code:
                empty = (await git("write-tree", cwd=folder)).checked().text
                making = ("commit-tree", empty, "-m", "Nothing: the worktrees are elsewhere")
                commit = (await git(*making, cwd=folder, env=AUTHOR)).checked().text
                (await git("update-ref", "HEAD", commit, cwd=folder, keeps=[lock])).checked()
        return inside

    async def fetch(self, source: Source) -> tuple[str, str]:
        """Return the commit that carries the ticket's files, and the one that they began at.

        The first fetch from a remote brings its whole history, so others wait for it.
        """
        folder = self._folder(source)
        async with self._first:
            if not (near := await self._near(folder)):
                return await self._fetched(source, folder)
        return await self._fetched(source, folder, near)

    async def _fetched(self, source: Source, folder: Path, near: str = "") -> tuple[str, str]:
        """Fetch the files from the remote; for the result see `fetch`."""
        common = str(folder / ".git")
        carrier = await transfer.fetch(common, source.url, source.ref, near)
        if carrier is None:
            raise GitError(f"{visible_line(source.url)} no longer has the files of this ticket")
        _, base = await transfer.parents(folder, carrier)
        async with locked(common) as lock:
            (await git("update-ref", _NEAR, base, cwd=folder, keeps=[lock])).checked()
        return carrier, base

    async def _near(self, folder: Path) -> str:
        return (await git("rev-parse", "-q", "--verify", _NEAR, cwd=folder)).text

    def _folder(self, source: Source) -> Path:
        return self._root / hashlib.sha256(source.url.encode()).hexdigest()[:16]


class Checkout:
    """A ticket's worktree that began with the files of `carrier`; a sink of its entries."""

    def __init__(self, worktree: Worktree, source: Source, carrier: str) -> None:
        self._worktree = worktree
        self._source = source
        self._pushed = carrier
        self._due = asyncio.Event()
        self.pushed = asyncio.Event()
        """Set once a change is on the remote."""

    def take(self, entries: Sequence[e.Entry]) -> None:
        """Have changes pushed soon, if there may be any."""
        if any(isinstance(one.event, e.ChangesCounted) for one in entries):
            self._due.set()

    async def push_as_it_changes(self) -> None:
        """Push until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await finish(self.push())
            except GitError as error:  # the push at the end raises it, if that fails, too
                _log.info("%s", error)
            await asyncio.sleep(REST)

    async def push(self) -> None:
        """Push the files as they are now, unless they have not changed.

        Raises `GitError`, also if the run has deleted the reference, since it wants no more files.
        """
        made, source = self._worktree, self._source
        carrier = await transfer.pack(made.path, made.base, f"The work of {made.ticket}")
        if await transfer.is_same(made.path, carrier, self._pushed):
            return
        if await transfer.find(made.common, source.url, source.ref) is None:
            raise GitError("the run no longer waits for them")
        await transfer.push(made.common, source.url, source.ref, carrier)
        self._pushed = carrier
        self.pushed.set()


@asynccontextmanager
async def checked_out(
    repositories: Repositories, source: Source, root: Path, run: str, ticket: str, workspace: Path
) -> AsyncIterator[Checkout]:
    """Make the ticket's worktree below `root`, and remove it once all its files are pushed.

    Raises `GitError` if it cannot be made, and `FilesKeptError` if the last push fails.
    """
    carrier, base = await repositories.fetch(source)
    worktree = await open_worktree(root, run, ticket, workspace, base)
    try:
        await transfer.unpack(worktree.path, carrier)
    except BaseException:
        await finish(discard_worktree(worktree))
        raise
    checkout = Checkout(worktree, source, carrier)
    pushing = asyncio.create_task(checkout.push_as_it_changes())
    try:
        yield checkout
    finally:
        await cancel([pushing])
        kept = visible_line(str(worktree.path))
        try:
            await checkout.push()
        except GitError as error:
            message = f"its files could not be sent and are kept in {kept}: {error}"
            raise FilesKeptError(message) from None
        except asyncio.CancelledError:
            message = f"its files could not be sent in time and are kept in {kept}"
            raise FilesKeptError(message) from None
        await discard_worktree(worktree)
