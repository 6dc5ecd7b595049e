"""The keys that apply or discard the worktree whose changes are shown."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from textual.worker import WorkType

from lfgtui.errors import LfgError, UsageError
from lfgtui.history.storage import leases
from lfgtui.model.fold.states import ENDED
from lfgtui.settings import paths
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.run_view import LiveRun, RunView
from lfgtui.ui.screens.base import LfgScreen
from lfgtui.ui.screens.dialogs import Question
from lfgtui.workspace.applying import apply_worktree
from lfgtui.workspace.worktrees import Worktree, discard_worktree, find_worktree


class WorktreeKeys:
    """Its `action_NAME` act on the worktree of the ticket that is shown."""

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

    @property
    def has_worktree(self) -> bool:
        """True if the ticket has worked in a worktree of its own."""
        return self._run.transcript(self._ticket()).worktree is not None

    def action_apply(self) -> None:
        self._ask(
            "Apply the changes of “{}” to your checkout?",
            "They are merged with your branch and left uncommitted; conflicts change nothing.",
            self._apply,
        )

    def action_discard(self) -> None:
        if self._is_at_work:
            self._screen.notify(f"“{self._ticket()}” is still at work; cancel it first")
            return
        self._ask(
            "Discard the worktree of “{}” for good?",
            "Its folder and its branch are deleted, with all that was not applied or merged.",
            self._discard,
        )

    @property
    def _is_at_work(self) -> bool:
        state = self._run.transcript(self._ticket()).state
        return state not in (*ENDED, None)

    def _ask(
        self,
        question: str,
        note: str,
        act: Callable[[Worktree], Coroutine[None, None, str]],
    ) -> None:
        ticket = self._ticket()
        if not self.has_worktree:
            self._screen.notify(
                f"“{ticket}” has no worktree of its own: its changes are in your folder"
            )
            return
        if self._is_at_work:
            note = f"It is still at work: this is what it has so far. {note}"

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                work: WorkType[None] = partial(self._act, ticket, act)
                self._screen.run_worker(work, group="worktree")

        self._screen.app.push_screen(Question(question.format(ticket), note), answered)

    async def _act(
        self, ticket: str, act: Callable[[Worktree], Coroutine[None, None, str]]
    ) -> None:
        try:
            root = paths.worktrees_dir()
            found = await asyncio.to_thread(find_worktree, root, self._run.run, ticket)
            if found is None:
                raise UsageError(f"“{ticket}” no longer has a worktree")
            self._screen.notify(await act(found))
            self._acted()
        except LfgError as error:
            self._screen.notify(str(error), severity="error", timeout=10)

    async def _apply(self, worktree: Worktree) -> str:
        files = await apply_worktree(worktree)
        return _applied(files, worktree.checkout)

    async def _discard(self, worktree: Worktree) -> str:
        locks = paths.data_dir() / "locks"
        lease = None
        if not isinstance(self._run, LiveRun):
            lease = await asyncio.to_thread(leases.take, locks, worktree.run)
            if lease is None:
                raise UsageError("this run is in progress: discard it on its own screen")
        try:
            await discard_worktree(worktree)
        finally:
            if lease is not None:
                lease.release()
        return f"the worktree of “{worktree.ticket}” and branch {worktree.branch} are gone"


def _applied(files: Sequence[str], checkout: str) -> str:
    where = visible_line(checkout)
    if not files:
        return f"nothing to apply: {where} has all of it"
    return f"changed {len(files):,} file{'' if len(files) == 1 else 's'} in {where}"
