"""The table and the strip, and the keys that sort, filter, group and move in the table."""

from collections.abc import Iterator

from lfgtui.ui.page_keys import PageKeys
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.pane_screen import PaneScreen, View
from lfgtui.ui.widgets.pane import PaneSettings
from lfgtui.ui.widgets.ticket_list import TicketList, TicketStrip
from lfgtui.ui.widgets.ticket_table import TicketTable

_HINT = "words, state:failed, is:waiting; enter keeps it, esc clears it"


class TableKeys(PageKeys):
    """The run's table and strip, with the table's `action_NAME` that come before those of the run.

    They do so only while the table is shown.
    """

    def __init__(self, screen: PaneScreen, run: RunView, panes: PaneSettings) -> None:
        self.rows = self.table = TicketTable(run, panes)
        self.strip = TicketStrip(run, panes)
        self._screen = screen

    def show(self, ticket: str, view: View) -> None:
        """Show the list that belongs to a view, with its cursor on the ticket."""
        self.table.display, self.strip.display = view == "table", view == "focus"
        for tickets in self._displayed:
            tickets.present(ticket)

    @property
    def _displayed(self) -> Iterator[TicketList]:
        return (tickets for tickets in (self.table, self.strip) if tickets.display)

    @property
    def in_view(self) -> Iterator[str]:
        """The ids of the tickets whose rows are in view."""
        return (ticket for tickets in self._displayed for ticket in tickets.in_view)

    def update_rows(self) -> None:
        """Bring the rows that are shown up to date."""
        for tickets in self._displayed:
            tickets.update_rows()

    def take_new(self) -> None:
        """Show the tickets that were added to the run, if there are any."""
        self.table.take_new()
        self.strip.take_new()

    def clicked(self, row: int) -> None:
        """Go to the ticket of a row that was clicked."""
        for tickets in self._displayed:
            self._screen.go_to(tickets.ticket_at(row))

    def move_rows(self, rows: int) -> None:
        self._screen.go_to(self.table.beside(rows))

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
        self._screen.go_to(self.table.beside(0))

    def action_back(self) -> None:
        """Clear the filter; without one, leave the run as elsewhere."""
        if self.table.pattern:
            self.table.filter("")
            self._screen.update_bars()
        else:
            self._screen.leave()
