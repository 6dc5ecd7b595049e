"""The folders that the tickets of a run work in: those with `worktree` get one of their own.

A worktree begins at the last commit of the workspace, merged with the work of the tickets that its
ticket needs, if these have worktrees too. Uncommitted changes stay in the workspace alone, and a
remark says so. A ticket that is tried again, or resumed, finds its worktree as it was.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from msgspec import UNSET

from lfgtui.agent.context import AgentContext
from lfgtui.errors import LfgError
from lfgtui.model import events as e
from lfgtui.model.fold.items import SETUP
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.text.terminal_safe import visible_line
from lfgtui.tools.limits import ToolLimits, ToolOutcome
from lfgtui.tools.run import run_tool
from lfgtui.workspace.git import git
from lfgtui.workspace.repository import repository_of
from lfgtui.workspace.snapshots import merged_commit, snapshot
from lfgtui.workspace.worktrees import Worktree, find_worktree, open_worktree

_SETUP_SECONDS = 86_400.0
"""No limit in effect: the ticket's own timeout comes first."""


class Workspaces:
    """The worktrees of the run's tickets, in the folder `root`."""

    def __init__(self, root: Path, run: str) -> None:
        self._root, self._run = root, run
        self._tickets: dict[str, tuple[Ticket, Transcript]] = {}

    def add(self, ticket: Ticket, transcript: Transcript) -> None:
        """Add a ticket of the run."""
        self._tickets[ticket.id] = (ticket, transcript)

    async def prepare(self, context: AgentContext) -> None:
        """Open the ticket's worktree, if it has one, and run its setup; raises `LfgError`.

        It is called before each attempt, and does only what is not done yet.
        """
        ticket, transcript = context.ticket, context.transcript
        if not ticket.worktree:
            return
        before = await asyncio.to_thread(find_worktree, self._root, self._run, ticket.id)
        is_there = before is not None and await asyncio.to_thread((before.path / ".git").exists)
        start = None if is_there else await self.start_of(ticket, context.emit)
        workspace = Path(ticket.workspace)
        opened = await open_worktree(self._root, self._run, ticket.id, workspace, start)
        path = str(await asyncio.to_thread(opened.path.resolve))
        event = e.WorktreeOpened(path, opened.branch, opened.base, opened.inside or UNSET)
        if not is_there or transcript.worktree != event:
            context.emit(event)
            tree = (await git("rev-parse", f"{opened.base}^{{tree}}", cwd=opened.path)).checked()
            context.emit(e.BaseRecorded(str(Path(path, opened.inside)), tree.text, opened.base))
            for remark in await _remarks(opened):
                context.emit(e.GuardTripped("worktree", remark))
            await context.settle(saved=True)
        if ticket.setup and not transcript.is_set_up:
            try:
                await _set_up(context, ticket.setup)
            finally:  # its time stamp separates files of the setup from the agent's work
                await asyncio.to_thread(opened.record.touch)

    async def start_of(self, ticket: Ticket, emit: Callable[[e.Event], None]) -> str:
        """Return the commit at which the ticket's worktree is to begin, made if need be.

        `emit` gets a remark about needed work that is left out because it conflicts.
        """
        needed = [source for need in ticket.needs if (source := self._source(need))]
        found = [
            await asyncio.to_thread(find_worktree, self._root, self._run, one.id)
            for one in needed
            if one.worktree
        ]
        of = await repository_of(Path(ticket.workspace))
        start = of.head
        for worktree in found:
            if worktree is None or worktree.common != of.common:
                continue
            title = f"The uncommitted work of {worktree.ticket}"
            joined = await merged_commit(of.common, start, await snapshot(worktree.path, title))
            if joined is None:
                remark = f"starts without the work of {worktree.ticket}, which conflicts with"
                remark += " the last commit or with other work that this ticket needs"
                emit(e.GuardTripped("worktree", remark))
            else:
                start = joined
        return start

    def _source(self, need: str) -> Ticket | None:
        """Return the ticket that meets a need: the one of that id, or its chosen copy."""
        for ticket, transcript in self._tickets.values():
            if ticket.id == need or (ticket.copy_of == need and transcript.is_chosen):
                return ticket
        return None


async def left_behind(checkout: str, base: str) -> list[str]:
    """Return a remark about the checkout's uncommitted changes, which the commit `base` lacks."""
    looking = ("status", "--porcelain", "-z", "--no-renames")
    changes = len((await git(*looking, cwd=checkout)).checked().names)
    if not changes:
        return []
    files = "1 uncommitted change" if changes == 1 else f"{changes:,} uncommitted changes"
    where = visible_line(checkout)
    return [f"starts from the last commit ({base[:7]}); leaves out {files} in {where}"]


async def _remarks(opened: Worktree) -> list[str]:
    """Return remarks about what a new worktree lacks: uncommitted changes, submodules."""
    remarks = await left_behind(opened.checkout, opened.base)
    if await asyncio.to_thread((opened.path / ".gitmodules").exists):
        filling = 'setup = "git submodule update --init" with sandbox = "none" fills them'
        remarks.append(f"its submodules are empty; {filling}")
    return remarks


async def _set_up(context: AgentContext, command: str) -> None:
    """Run the command in the ticket's folder, as a call that the pane shows.

    It has the network, since such commands install things. It runs in the sandbox all the same,
    since files that agents wrote may be in the folder.
    """
    held = context.confinement
    context.emit(e.SetupStarted(SETUP, command))
    context.emit(e.ToolRunStarted(SETUP))
    await context.settle(saved=True)
    began = monotonic()
    outcome = await run_tool(
        "run_command",
        {"command": command},
        Path(context.transcript.workspace),
        on_output=lambda channel, text: context.emit(
            e.ToolOutputDelta(SETUP, channel, text) if text else e.Heartbeat()
        ),
        limits=ToolLimits(command_seconds=_SETUP_SECONDS, processes=held.limits),
        environment=context.environment,
        secrets=context.secrets,
        wall=held.wall and replace(held.wall, network=True),
    )
    seconds = round(monotonic() - began, 3)
    ended = (outcome.output, outcome.error, outcome.exit_code, seconds)
    context.emit(e.ToolCallFinished(SETUP, *ended))
    if outcome.error is not None or outcome.exit_code != 0:
        raise LfgError(f"setup failed: {_failure(outcome)}")


def _failure(outcome: ToolOutcome) -> str:
    """Return why the command failed and the end of its output, on one line."""
    if outcome.error is not None:
        return outcome.error
    *printed, code = outcome.output.strip().split("\n")
    last = next((line.strip() for line in reversed(printed) if line.strip()), "")
    return f"{code}: {last}" if last else code
