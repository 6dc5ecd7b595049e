"""One row a ticket: all gauges at once, for many tickets; slim, a strip beside one pane."""

from collections.abc import Sequence

from textual import events

from lfgtui.model.states import RUNNING
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, fit
from lfgtui.ui.widgets.footer import pattern_status
from lfgtui.ui.widgets.pane import PaneSettings
from lfgtui.ui.widgets.row_list import RowList
from lfgtui.ui.widgets.ticket_row import (
    COLUMNS,
    FILE_ORDER,
    NEEDS,
    Column,
    TicketRow,
    arrange,
    draw_row,
    fit_columns,
)

_UP, _DOWN = "▲", "▼"


class TicketTable(RowList):
    """The tickets as rows, the current one marked. `slim` is the strip beside a pane.

    The rows and their order are found anew when a person sorts or filters, and only then:
    what arrives changes cells and moves nothing. The strip has all tickets in file order.
    """

    DEFAULT_CSS = """
    TicketTable.slim { width: 30; max-width: 30%; background: $surface; border-left: solid $line; }
    """

    def __init__(self, run: RunView, settings: PaneSettings) -> None:
        super().__init__()
        self.pattern = ""
        """The words of the filter; empty without one."""
        self.sorted_by = FILE_ORDER
        self.is_reversed = False
        """True if what is largest comes first."""
        self._run = run
        self._settings = settings
        self._health = run.health
        self._all = range(len(run.tickets))
        self._shown: Sequence[int] = self._all
        self._current = run.tickets[0].id
        self._layout_of: object = None
        self._widths: Sequence[tuple[Column, int]] = ()
        self._lines: dict[int, Line] = {}
        self.count = len(self._all)

    # The rows and their order

    @property
    def _columns(self) -> Sequence[Column]:
        has_needs = any(ticket.needs for ticket in self._run.tickets)
        return [column for column in COLUMNS if has_needs or column is not NEEDS]

    @property
    def shown(self) -> Sequence[int]:
        """The indices of the tickets that pass the filter, in the order of the rows."""
        return self._shown

    @property
    def status(self) -> str:
        """The filter and how many tickets pass it; empty without one."""
        return pattern_status(self.pattern, self._passing) if self.pattern else ""

    @property
    def _passing(self) -> str:
        return f"{len(self._shown)} of {len(self._all)}"

    def ticket_at(self, row: int) -> str:
        """Return the id of the ticket in a row, or in the nearest; of none, the current one."""
        rows = self._rows
        nearest = max(0, min(row, len(rows) - 1))
        return self._run.tickets[rows[nearest]].id if rows else self._current

    def take_new(self) -> None:
        """Show the tickets that were added to the run, if there are any, below the others."""
        if new := range(len(self._all), len(self._run.tickets)):
            rows = map(self._row, new)
            self._all = range(new.stop)
            self._shown = [
                *self._shown,
                *arrange(rows, self.pattern, self.sorted_by, is_reversed=self.is_reversed),
            ]
            self._take_rows()

    def present(self, ticket: str, *, is_slim: bool) -> None:
        """Be the table or the strip, with the cursor on the ticket."""
        self._current = ticket
        if is_slim is not self.has_class("slim"):
            self.set_class(is_slim, "slim")
            self.ground = "surface" if is_slim else "background"
            self._take_rows()
        self._mark_current()

    def sort(self, column: Column) -> None:
        """Sort by the column; by the one it is sorted by already, the other way round."""
        is_same = column is self.sorted_by
        self.is_reversed = not self.is_reversed if is_same else column.is_high_first
        self.sorted_by = column
        self._arrange(sorted(self._shown))

    def sort_beside(self, step: int) -> None:
        """Sort by the column so many to the right, and so on round."""
        at = self._columns.index(self.sorted_by) + step
        self.sort(self._columns[at % len(self._columns)])

    def filter(self, pattern: str) -> None:
        """Show the tickets with all words of the pattern, sorted anew."""
        self.pattern = pattern.strip()
        self._arrange(self._all, self.pattern)

    def uncover(self, ticket: str) -> bool:
        """Clear the filter if it hides the ticket; return True if it did."""
        if any(self._run.tickets[index].id == ticket for index in self._shown):
            return False
        self.filter("")
        return True

    def _arrange(self, tickets: Sequence[int], pattern: str = "") -> None:
        """Show those of the tickets that match, sorted; what is sorted is not filtered anew."""
        self._health = self._run.health
        rows = map(self._row, tickets)
        self._shown = arrange(rows, pattern, self.sorted_by, is_reversed=self.is_reversed)
        self._take_rows()

    def _take_rows(self) -> None:
        """Show the rows that there are now, with the cursor on the current ticket's."""
        self._layout_of = None
        self._lay_out()
        self.grow(len(self._rows))
        self._mark_current()

    def _mark_current(self) -> None:
        tickets = [self._run.tickets[index].id for index in self._rows]
        self.move_to(tickets.index(self._current) if self._current in tickets else 0)

    @property
    def _rows(self) -> Sequence[int]:
        return self._all if self.has_class("slim") else self._shown

    def _row(self, index: int) -> TicketRow:
        now, stall_after = self._settings.clock(), self._settings.stall_after
        return TicketRow(self._run, index, self._health, now, stall_after)

    # Drawing

    def update_rows(self) -> None:
        """Bring the rows in view up to date; only those that changed are painted."""
        self._lay_out()
        self._health = self._run.health
        top, width = round(self.scroll_y), self.size.width
        in_view = range(top, min(self.count, top + self.size.height - len(self.heading)))
        lines = {index: self._draw(index, width) for index in in_view}
        old, self._lines = self._lines, lines
        for index, line in lines.items():
            if old.get(index) != line:
                self.redraw(index)

    def entry(self, index: int, width: int) -> Sequence[Line]:
        if index not in self._lines:
            self._lines[index] = self._draw(index, width)
        return [self._lines[index]]

    def on_resize(self) -> None:
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        if event.y >= len(self.heading):
            return
        end = 0
        for column, width in self._widths:
            end += width + 1
            if event.x < end:
                self.sort(column)
                return

    def _lay_out(self) -> None:
        """Choose columns and their widths, if those there are were for another size or look."""
        width, is_slim = self.size.width, self.has_class("slim")
        if self._layout_of != (width, is_slim):
            self._layout_of = (width, is_slim)
            self._lines = {}
            self._widths = fit_columns(self._columns, width - 1)  # there may be a scrollbar
            self.heading = () if is_slim else (self._heading(),)
            self.refresh()

    def _heading(self) -> Line:
        arrow = _DOWN if self.is_reversed else _UP
        columns = [column for column, _ in self._widths]
        line: Line = []
        for column, width in self._widths:
            text = column.heading
            is_sorted = column is self.sorted_by
            if is_sorted:
                text += f" {arrow}" if len(text) + 2 <= width else arrow
            if column.heading == "ticket":
                if self.sorted_by not in columns:
                    by = f"by {self.sorted_by.heading} {arrow}"
                    text = f"{text} {by}" if len(text) + 1 + len(by) <= width else by
                if self.pattern:
                    text += f" {self._passing}"
            colour = "foreground" if is_sorted else "muted"
            line.append(Span(column.cell(text, width) + " ", colour, is_sorted))
        return line

    def _draw(self, index: int, width: int) -> Line:
        row = self._row(self._rows[index])
        return self._slim(row, width) if self.has_class("slim") else draw_row(self._widths, row)

    def _slim(self, row: TicketRow, width: int) -> Line:
        badge, rate = row.badge, row.rate
        tail = f"{rate:.0f}/s" if row.state in RUNNING and rate >= 0.5 else ""
        return [
            Span(f" {badge.sign} ", badge.colour),
            Span(fit(row.ticket.id, max(1, width - 9))),
            Span(f"{tail:>5} ", "muted"),
        ]
