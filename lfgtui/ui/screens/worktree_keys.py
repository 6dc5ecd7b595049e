"""The keys that apply or discard the worktree whose changes are shown."""

import asyncio
from collections.abc import Callable, Coroutine

from textual.worker import WorkType

from lfgtui.engine.commands import NoteDiscard
from lfgtui.errors import LfgError, UsageError
from lfgtui.history.recording.late_entries import add_late
from lfgtui.history.storage import leases
from lfgtui.model.events import WorktreeDiscarded
from lfgtui.model.fold.states import ENDED
from lfgtui.settings import paths
from lfgtui.text.figures import plural
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.run_view import LiveRun, RunView
from lfgtui.ui.screens.base import LfgScreen
from lfgtui.ui.screens.dialogs import Question
from lfgtui.workspace.applying import apply_worktree
from lfgtui.workspace.upkeep import state_of
from lfgtui.workspace.worktrees import Worktree, discard_worktree, find_worktree

_LONG = 10.0
"""Seconds that a longer message stays."""


class WorktreeKeys:
    """Its `action_NAME` act on the worktree of the ticket that `DiffScreen` shows.

    `ticket` returns that ticket's id; `acted` is called once the worktree is applied or discarded.
    """

    def __init__(
        self,
        screen: LfgScreen[None],
        run: RunView,
        ticket: Callable[[], str],
        acted: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._acted = acted
        self._run = run
        self._ticket = ticket
        self._is_acting = False

    @property
    def has_worktree(self) -> bool:
        """True if the ticket has worked in a worktree of its own, which was not discarded."""
        return self._run.transcript(self._ticket()).worktree is not None

    def action_apply(self) -> None:
        self._begin(self._apply)

    def action_discard(self) -> None:
        if self._is_at_work(self._ticket()):
            self._screen.notify(f"“{self._ticket()}” is still running; cancel it first")
        else:
            self._begin(self._discard)

    def _is_at_work(self, ticket: str) -> bool:
        return self._run.transcript(ticket).state not in (*ENDED, None)

    def _begin(self, act: Callable[[Worktree], Coroutine[None, None, None]]) -> None:
        """Act on the worktree in the background, on one worktree at a time, and show errors."""
        ticket = self._ticket()
        if self._is_acting:
            return
        if not self.has_worktree:
            self._screen.notify(
                f"“{ticket}” has no worktree of its own: its changes are in your folder"
            )
            return
        self._is_acting = True

        async def work() -> None:
            try:
                root = paths.worktrees_dir()
                found = await asyncio.to_thread(find_worktree, root, self._run.run, ticket)
                if found is None:
                    raise UsageError(f"“{ticket}” no longer has a worktree")
                await act(found)
            except LfgError as error:
                self._screen.notify(str(error), severity="error", timeout=_LONG)
            finally:
                self._is_acting = False

        working: WorkType[None] = work
        self._screen.run_worker(working, group="worktree")

    async def _apply(self, worktree: Worktree) -> None:
        """Apply the changes after a question, and say how many files they changed."""
        note = "They are merged with your branch and left uncommitted; conflicts change nothing."
        if self._is_at_work(worktree.ticket):
            note = f"It is still running: this is what it has so far. {note}"
        if await self._is_sure(f"Apply the changes of “{worktree.ticket}” to your checkout?", note):
            files = len(await apply_worktree(worktree))
            where, of = visible_line(worktree.checkout), f"“{worktree.ticket}”"
            done = f"applied {of}: changed {plural(files, 'file')} in {where}, not committed"
            self._screen.notify(
                done if files else f"nothing to apply from {of}: {where} already has all of it",
                timeout=_LONG,
            )
            self._acted()

    async def _discard(self, worktree: Worktree) -> None:
        """Discard the worktree after a question that says what would be lost."""
        found = await state_of(worktree)
        note = "This deletes its folder and branch, with all work not applied or merged."
        why = found.why or "HEAD has all that is in it" * (found.state == "clean")
        if why:
            note = f"{why[0].upper()}{why[1:]}. {note}"
        if not await self._is_sure(f"Discard the worktree of “{worktree.ticket}” for good?", note):
            return
        if isinstance(self._run, LiveRun):
            await discard_worktree(worktree)
            self._run.send(NoteDiscard(worktree.ticket))
        else:
            await self._discard_of_past_run(worktree)
        self._screen.notify(
            f"discarded the worktree of “{worktree.ticket}” and branch {worktree.branch}"
        )
        self._acted()

    async def _discard_of_past_run(self, worktree: Worktree) -> None:
        """Discard the worktree, and note that in the history and in the shown fold."""
        file = paths.history_file()
        lease = await asyncio.to_thread(leases.take, file.parent / "locks", worktree.run)
        if lease is None:
            raise UsageError("this run is in progress: discard it on its own screen")
        try:
            await discard_worktree(worktree)
            event = WorktreeDiscarded(worktree.branch)
            run, ticket = worktree.run, worktree.ticket
            for entry in await asyncio.to_thread(add_late, file, run, ticket, event):
                self._run.transcript(ticket).apply(entry)
        finally:
            await asyncio.to_thread(lease.release)

    async def _is_sure(self, question: str, note: str) -> bool:
        return await self._screen.app.push_screen_wait(Question(question, note))
