"""The keys that do something else in the table than in panes: to sort, filter and move in it."""

import sys
from functools import partialmethod

from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.pane_screen import PaneScreen
from lfgtui.ui.widgets.pane import PaneSettings
from lfgtui.ui.widgets.ticket_table import TicketTable

_HINT = "words, state:failed, is:waiting; enter keeps it, esc clears it"


class TableKeys:
    """While the table is shown, its `action_NAME` come before those of the run."""

    def __init__(self, screen: PaneScreen, run: RunView, panes: PaneSettings) -> None:
        self.table = TicketTable(run, panes)
        self._screen = screen

    def action_aside_left(self) -> None:
        self.table.sort_beside(-1)

    def action_aside_right(self) -> None:
        self.table.sort_beside(1)

    def action_reverse(self) -> None:
        self.table.sort(self.table.sorted_by)

    def _move(self, rows: int, *, pages: int = 0, parts: int = 1) -> None:
        rows += pages * max(1, self.table.page // parts)
        self._screen.go_to(self.table.ticket_at(self.table.cursor + rows))

    action_page_up = partialmethod(_move, 0, pages=-1)
    action_page_down = partialmethod(_move, 0, pages=1)
    action_half_page_up = partialmethod(_move, 0, pages=-1, parts=2)
    action_half_page_down = partialmethod(_move, 0, pages=1, parts=2)
    action_start = partialmethod(_move, -sys.maxsize)
    action_finish = partialmethod(_move, sys.maxsize)

    async def action_find(self) -> None:
        await self._screen.ask(
            "filter",
            self._keep,
            placeholder=_HINT,
            text=self.table.pattern,
            typed=self.table.filter,
        )

    def _keep(self, pattern: str) -> None:
        self.table.filter(pattern)
        if not self.table.shown:
            self._screen.toast(f"no ticket matches “{self.table.pattern}”")
            self.table.filter("")
        self._screen.go_to(self.table.ticket_at(self.table.cursor))

    def action_back(self) -> None:
        """Clear the filter; without one, leave the run as elsewhere."""
        if self.table.pattern:
            self.table.filter("")
            self._screen.update_bars()
        else:
            self._screen.leave()
