"""Lists with a row for each ticket: the base, and the strip beside a pane; the table is another."""

from collections.abc import Iterator, Sequence

from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line
from lfgtui.ui.widgets.pane import PaneSettings
from lfgtui.ui.widgets.row_list import RowList
from lfgtui.ui.widgets.ticket_columns import STRIP, WIDE_STRIP, Column, draw_row, fit_columns
from lfgtui.ui.widgets.ticket_row import TicketRow

_WIDE = 56
"""Least cells of a strip with the states in words."""


class TicketList(RowList):
    """The tickets as rows, the current one marked; other lines may stand between them.

    Arriving entries change cells but move no row. The run's screen calls `update_rows` with the
    gauges, and `take_new` when tickets were added.
    """

    def __init__(self, run: RunView, settings: PaneSettings) -> None:
        super().__init__()
        self._run = run
        self._settings = settings
        self._health = run.health
        self._count = len(run.tickets)
        # What stands in each row: a ticket, by its index, or another line.
        self._contents: Sequence[int | Line] = range(self._count)
        self._current = run.tickets[0].id
        self._width = 0
        self._widths: Sequence[tuple[Column, int]] = ()
        self._lines: dict[int, Line] = {}  # the lines drawn last, by row
        self.count = self._count

    @property
    def _columns(self) -> Sequence[Column]:
        """The columns to show, as far as they fit."""
        raise NotImplementedError

    def ticket_at(self, row: int) -> str:
        """Return the id of the ticket in a row, or in a near one; without any, the current one."""
        at = max(0, min(row, len(self._contents) - 1))
        nearest = (*self._contents[at:], *reversed(self._contents[:at]))
        index = next((one for one in nearest if isinstance(one, int)), None)
        return self._current if index is None else self._run.tickets[index].id

    def present(self, ticket: str) -> None:
        """Put the cursor on the ticket."""
        self._current = ticket
        self._mark_current()

    def take_new(self) -> None:
        """Show the tickets that were added to the run, if there are any, below the others."""
        if new := range(self._count, len(self._run.tickets)):
            self._count = new.stop
            self._add(new)

    def _add(self, tickets: Sequence[int]) -> None:
        self._show([*self._contents, *tickets])

    def _show(self, contents: Sequence[int | Line]) -> None:
        """Show these rows, with the cursor on the current ticket's."""
        self._contents = contents
        self._lay_out()
        self.grow(len(contents))
        self._mark_current()

    def _mark_current(self) -> None:
        ids = [self._run.tickets[one].id if isinstance(one, int) else "" for one in self._contents]
        self.move_to(ids.index(self._current) if self._current in ids else 0)

    def _row(self, index: int) -> TicketRow:
        now, stall_after = self._settings.clock(), self._settings.stall_after
        return TicketRow(self._run, index, self._health, now, stall_after)

    # Drawing

    @property
    def _in_view(self) -> range:
        """The rows on the screen, by index."""
        top = round(self.scroll_y)
        return range(top, min(self.count, top + self.size.height - len(self.heading)))

    @property
    def in_view(self) -> Iterator[str]:
        """The ids of the tickets whose rows are in view."""
        contents = self._contents[self._in_view.start : self._in_view.stop]
        return (self._run.tickets[one].id for one in contents if isinstance(one, int))

    def update_rows(self) -> None:
        """Bring the rows in view up to date; only those that changed are painted."""
        self._health = self._run.health
        self._fit()
        old, self._lines = self._lines, {index: self._draw(index) for index in self._in_view}
        for index, line in self._lines.items():
            if old.get(index) != line:
                self.redraw(index)

    def lines_at(self, index: int, width: int) -> Sequence[Line]:
        self._fit()
        if index not in self._lines:
            self._lines[index] = self._draw(index)
        return [self._lines[index]]

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Choose the columns anew if the width changed."""
        if self._width != self.size.width:
            self._lay_out()

    def _lay_out(self) -> None:
        """Choose columns and their widths for the list's width, and have all rows drawn again."""
        self._lines = {}
        self._width = self.size.width
        self._widths = fit_columns(self._columns, self.size.width - 1)  # there may be a scrollbar
        self.refresh()

    def _draw(self, index: int) -> Line:
        content = self._contents[index]
        return draw_row(self._widths, self._row(content)) if isinstance(content, int) else content


class TicketStrip(TicketList):
    """All tickets in file order, a line for each: its state, its id, its last words."""

    DEFAULT_CSS = """
    TicketStrip {
        width: 40%; min-width: 18; max-width: 66;
        background: $surface; border-left: solid $line;
    }
    """

    ground = "surface"

    @property
    def _columns(self) -> Sequence[Column]:
        return WIDE_STRIP if self.size.width >= _WIDE else STRIP
