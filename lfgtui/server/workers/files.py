"""The files of tickets with a worktree, on their way to workers and back.

The worktree on the run's machine is the original: its files are sent each time that the ticket is
handed out, and replaced by the worker's when they come back. Until then they have a reference of
their own on the remote, which is not a branch. A reference in the repository here, `…/sent`, says
which commit was sent, so that this is known even after lfg was killed.
"""

import asyncio
from pathlib import Path

from msgspec import UNSET

from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.engine.workspaces import Workspaces, left_behind
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers import transfer
from lfgtui.server.workers.protocol import Source
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.repository import Repository, locked, repository_of
from lfgtui.workspace.worktrees import Worktree, find_worktree, open_worktree, path_part

_LAST = 15.0
"""Seconds that files have to come back when lfg is to end; otherwise the next lfg fetches them."""


class Files:
    """The files of a run's tickets, which travel over the git `remote`, a name or a URL.

    The run's worktrees are in the folder `root`. Remarks about files are emitted as events of the
    ticket.
    """

    def __init__(self, root: Path, run: str, workspaces: Workspaces, remote: str) -> None:
        self._root, self._run = root, run
        self._workspaces = workspaces
        self._remote = remote

    async def send(self, run: TicketRun) -> Source | None:
        """Send the ticket's files; return None if it has no worktree. Raises `GitError`.

        Files of an earlier hand-out that have not come back yet are brought back first.
        """
        ticket = run.ticket
        if not ticket.worktree:
            return None
        of = await repository_of(Path(ticket.workspace))
        url = await transfer.remote_url(of.checkout, self._remote)
        if sent := await self._sent(of, ticket):
            await self._receive(run, of, url, sent)
        carrier = await self._packed(run, of)
        ref = self._ref(ticket, carrier)
        await transfer.push(of.common, url, ref, carrier)
        await self._note(of, self._ref(ticket), carrier)
        return Source(transfer.without_password(url), ref, of.inside)

    async def bring_back(self, run: TicketRun, kept: str) -> bool:
        """Bring the worker's files into the worktree here; return True if that is all of them.

        `kept` says why the worker could not send the last of them, if that is so.
        """
        receiving = asyncio.ensure_future(self._bring_back(run, kept))
        try:
            return await asyncio.shield(receiving)
        except asyncio.CancelledError:
            await asyncio.wait([receiving], timeout=_LAST)
            receiving.cancel()
            await asyncio.wait([receiving])
            return not receiving.cancelled() and receiving.result()

    async def _bring_back(self, run: TicketRun, kept: str) -> bool:
        """Do the work of `bring_back`, which bounds its time once lfg is to end."""
        ticket = run.ticket
        if not ticket.worktree:
            return True
        if kept:
            run.emit(e.GuardTripped("worktree", kept))
        try:
            of = await repository_of(Path(ticket.workspace))
            if sent := await self._sent(of, ticket):
                url = await transfer.remote_url(of.checkout, self._remote)
                await self._receive(run, of, url, sent)
        except GitError as error:
            run.emit(e.GuardTripped("worktree", f"its files did not come back: {error}"))
            return False
        if kept and run.transcript.worktree is not None:
            place = run.transcript.worktree.path
            run.emit(e.GuardTripped("worktree", f"{place} lacks what its worker could not send"))
        return not kept

    async def _receive(self, run: TicketRun, of: Repository, url: str, sent: str) -> None:
        """Fetch the worker's version of the commit that was sent, and delete it on the remote."""
        ref = self._ref(run.ticket, sent)
        carrier = await transfer.fetch(of.common, url, ref, f"{sent}^1")
        # Without a worktree in the transcript no worker began, so the files are as they were sent.
        if carrier is not None and run.transcript.worktree is not None:
            await self._put(run, of, carrier, sent)
        await self._note(of, self._ref(run.ticket), "")
        if carrier is not None:
            try:
                await transfer.forget(of.common, url, ref)
            except GitError as error:
                run.emit(e.GuardTripped("worktree", f"{ref} stays on the remote: {error}"))

    async def _packed(self, run: TicketRun, of: Repository) -> str:
        """Return a commit that carries the worktree here or, if none exists, a new one's start."""
        ticket, title = run.ticket, f"The work of {run.ticket.id}"
        if (made := await self._worktree(ticket)) is not None:
            return await transfer.pack(made.path, made.base, title)
        start = await self._workspaces.start_of(ticket, run.emit)
        for remark in await left_behind(of.checkout, start):
            run.emit(e.GuardTripped("worktree", remark))
        return await transfer.carrier(of.common, start, start, start, title)

    async def _put(self, run: TicketRun, of: Repository, carrier: str, sent: str) -> None:
        """Make the worktree here as the commit carries it, unless it was changed meanwhile."""
        ticket = run.ticket
        _, base = await transfer.parents(of.common, carrier)
        made = await self._worktree(ticket)
        if made is None or await self._is_as_sent(made, sent):
            workspace = Path(ticket.workspace)
            made = await open_worktree(self._root, self._run, ticket.id, workspace, base)
            await transfer.unpack(made.path, carrier)
        elif not await transfer.is_same(of.common, carrier, sent):
            branch = f"{made.branch}-{carrier[:7]}"
            await self._note(of, f"refs/heads/{branch}", carrier)
            remark = f"{made.path} was changed here meanwhile; what the worker made is on {branch}"
            run.emit(e.GuardTripped("worktree", remark))
        path = str(await asyncio.to_thread(made.path.resolve))
        run.emit(e.WorktreeOpened(path, made.branch, made.base, made.inside or UNSET))
        tree = (await git("rev-parse", f"{base}^{{tree}}", cwd=made.path)).checked().text
        run.emit(e.BaseRecorded(str(Path(path, made.inside)), tree, base))

    async def _is_as_sent(self, made: Worktree, sent: str) -> bool:
        here = await transfer.pack(made.path, made.base, f"The work of {made.ticket}")
        return await transfer.is_same(made.path, here, sent)

    async def _worktree(self, ticket: Ticket) -> Worktree | None:
        made = await asyncio.to_thread(find_worktree, self._root, self._run, ticket.id)
        if made is None or not await asyncio.to_thread((made.path / ".git").exists):
            return None
        return made

    async def _sent(self, of: Repository, ticket: Ticket) -> str:
        """Return the commit that was sent and has not come back; "" if none was."""
        asking = ("rev-parse", "-q", "--verify", self._ref(ticket))
        return (await git(*asking, cwd=of.common)).text

    async def _note(self, of: Repository, ref: str, commit: str) -> None:
        """Set the reference here to the commit, or delete it."""
        noting = (ref, commit) if commit else ("-d", ref)
        async with locked(of.common) as lock:
            (await git("update-ref", *noting, cwd=of.common, keeps=[lock])).checked()

    def _ref(self, ticket: Ticket, carrier: str = "sent") -> str:
        """Return the remote's reference for the carrier; without one, that of `_sent` here."""
        return f"refs/lfg/{self._run}/{path_part(ticket.id)}/{carrier[:12]}"
