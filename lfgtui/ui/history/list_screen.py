"""The base of screens with a list, and of those from which past runs are opened."""

from collections.abc import Callable, Coroutine
from functools import partialmethod
from typing import TypeVar

from textual import on
from textual.worker import WorkType

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader
from lfgtui.history.search import SearchHit
from lfgtui.ui.history.stored_run import query, read_run
from lfgtui.ui.keymap import keymap
from lfgtui.ui.page_keys import PageKeys
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.screens.base import LfgScreen, ScreenContext
from lfgtui.ui.screens.modes import PastRun, RunBelow, RunElsewhere
from lfgtui.ui.screens.run import RunMode, RunScreen
from lfgtui.ui.widgets.row_list import RowList

T = TypeVar("T")


class RowScreen(PageKeys, LfgScreen[None]):
    """A screen whose keys and clicks move in a list."""

    rows: RowList
    """The list, which a subclass sets."""
    footer: LineRow

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.keymap = keymap(context.keys, "history")
        self.context = context
        self.footer = LineRow()

    def realign(self) -> None:
        self.rows.focus()

    def move_rows(self, rows: int) -> None:
        self.rows.move_to(self.rows.cursor + rows)

    action_up = partialmethod(move_rows, -1)
    action_down = partialmethod(move_rows, 1)
    action_first = PageKeys.action_start

    @on(RowList.Clicked)
    async def _clicked(self, event: RowList.Clicked) -> None:
        if event.is_second:
            await self.act("zoom")


class ListScreen(RowScreen):
    """A list whose other work, such as reading the history, is done in the background."""

    def __init__(self, context: ScreenContext, open_reader: Callable[[], Reader]) -> None:
        super().__init__(context)
        self._open_reader = open_reader

    # Off the loop

    def _start(
        self,
        work: Callable[[], Coroutine[None, None, None]],
        group: str,
        *,
        exclusive: bool = False,
    ) -> None:
        """Work in the background; `exclusive`: cancel earlier work of its group."""
        typed: WorkType[None] = work
        self.run_worker(typed, group=group, exclusive=exclusive)

    async def _read(self, question: Callable[[Reader], T]) -> T | None:
        """Return a reader's answer; if that fails, None, and a toast says why."""
        try:
            return await query(self._open_reader, question)
        except LfgError as error:
            self.notify(str(error), severity="error")
            return None

    async def _open(self, run: str, hit: SearchHit | None = None) -> None:
        """Open the run, at the hit if there is one.

        A run that is on a live screen below is not opened anew, unless to show a hit.
        """
        is_below = any(
            isinstance(one, RunScreen) and one.mode.is_live and one.run.run == run
            for one in self.app.screen_stack
        )
        if is_below and hit is None:
            self._go_back()
            return
        stored = await self._read(lambda reader: read_run(reader, run, hit))
        if stored is None or not self.is_current:
            return
        if not stored.tickets:
            self.notify("this run has no tickets")
            return
        mode: RunMode = PastRun()
        if is_below:
            mode = RunBelow(self._go_back)
        elif stored.is_at_work:
            mode = RunElsewhere()
        simulated, note = stored.is_simulated, stored.note
        screen = RunScreen(stored, self.context, mode, note=note, simulated=simulated)
        if hit is not None:
            screen.show_target(hit.ticket, stored.target_of(hit))
        self.app.push_screen(screen)

    def _go_back(self) -> None:
        """Leave for the live screen below, from here or from a run that was opened here."""
        while self in self.app.screen_stack:
            self.app.screen.dismiss()
        self.app.notify("this run is open already: back on its live screen")
