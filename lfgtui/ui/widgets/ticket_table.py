"""The table: all figures of many tickets, sorted, filtered, grouped, or as a tree of needs."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partialmethod
from typing import Literal

from textual import events

from lfgtui.model.tickets import Ticket
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, one_line
from lfgtui.ui.widgets.footer import pattern_status
from lfgtui.ui.widgets.header import KINDS
from lfgtui.ui.widgets.pane import PaneSettings
from lfgtui.ui.widgets.ticket_columns import COLUMNS, FILE_ORDER, NEEDS, Column, arrange
from lfgtui.ui.widgets.ticket_list import TicketList
from lfgtui.ui.widgets.ticket_row import TicketRow

Grouping = Literal["", "state", "provider"]

_NEXT_GROUPING: Mapping[Grouping, Grouping] = {"": "state", "state": "provider", "provider": ""}

_UP, _DOWN = "▲", "▼"
"""The signs of the column by which rows are sorted, and of the reversed order."""
_BRANCH = "└ "
_BEFORE_TICKET = sum(column.most + 1 for column in COLUMNS[:2])
"""Cells of the columns before the ticket's name."""


class TicketTable(TicketList):
    """The table. Which rows there are, and their order, changes only when a person changes it.

    Added tickets come last.
    """

    def __init__(self, run: RunView, settings: PaneSettings) -> None:
        super().__init__(run, settings)
        self.pattern = ""
        """The words of the filter; empty without one."""
        self.sorted_by = FILE_ORDER
        """The column by which rows are sorted; by `NEEDS` they form a tree."""
        self.is_reversed = False
        """True if the order is reversed."""
        self.grouping: Grouping = ""
        self.shown: Sequence[int] = range(self._count)
        """The indices of the tickets that pass the filter, in the order of the rows."""
        self._branches: Mapping[int, str] = {}
        self._empty: Sequence[Column] = ()
        """Columns that were empty when they were laid out."""

    @property
    def _columns(self) -> Sequence[Column]:
        return [one for one in COLUMNS if one not in self._empty or one is self.sorted_by]

    @property
    def status(self) -> str:
        """The filter and the number of tickets that pass it; empty without one."""
        return pattern_status(self.pattern, self._passing) if self.pattern else ""

    @property
    def _passing(self) -> str:
        return f"{len(self.shown)} of {self._count}"

    def beside(self, rows: int) -> str:
        """Return the id of the ticket `rows` below the current one, or of the last."""
        ids = [self._run.tickets[index].id for index in self.shown]
        at = ids.index(self._current) if self._current in ids else 0
        return ids[max(0, min(at + rows, len(ids) - 1))] if ids else self._current

    def sort(self, column: Column) -> None:
        """Sort by the column; if the rows are sorted by it already, reverse them.

        By needs they form a tree, which is not reversed: each ticket is under its first need.
        """
        is_same = column is self.sorted_by
        is_reversed = not self.is_reversed if is_same else column.is_high_first
        self.is_reversed = is_reversed and column is not NEEDS
        self.sorted_by = column
        self._arrange(sorted(self.shown))

    def action_reverse(self) -> None:
        """Sort by the same column, the other way round."""
        self.sort(self.sorted_by)

    def _sort_beside(self, step: int) -> None:
        """Sort by the column `step` to the right, wrapping round."""
        at = self._columns.index(self.sorted_by) + step
        self.sort(self._columns[at % len(self._columns)])

    action_aside_left = partialmethod(_sort_beside, -1)
    action_aside_right = partialmethod(_sort_beside, 1)

    def action_group(self) -> None:
        """Group by state, then by provider, then not at all, and so on."""
        self.grouping = _NEXT_GROUPING[self.grouping]
        self._arrange(sorted(self.shown))

    def filter(self, pattern: str) -> None:
        """Show the tickets with all words of the pattern, sorted anew."""
        self.pattern = pattern.strip()
        self._arrange(range(self._count), self.pattern)

    def uncover(self, ticket: str) -> bool:
        """Clear the filter if it hides the ticket; return True if it did.

        A filter that no ticket passes stays until the current ticket changes.
        """
        if not self.shown and ticket == self._current:
            return False
        if any(self._run.tickets[index].id == ticket for index in self.shown):
            return False
        self.filter("")
        return True

    def _arrange(self, tickets: Sequence[int], pattern: str = "") -> None:
        """Show the tickets that match, sorted."""
        self._health = self._run.health
        self.shown = self._sorted(tickets, pattern)
        if not self.grouping:
            self._show(self._with_headings())
            return
        groups: dict[str, list[int]] = {}
        for index in self.shown:
            row = self._row(index)
            name = row.kind if self.grouping == "state" else row.provider
            groups.setdefault(name, []).append(index)
        order = list(KINDS) if self.grouping == "state" else sorted(groups)
        names = sorted(groups, key=lambda name: order.index(name) if name in order else len(order))
        self.shown = [index for name in names for index in groups[name]]
        contents: list[int | Line] = []
        for name in names:
            contents += [_group_heading(name, len(groups[name])), *groups[name]]
        self._show(contents)

    def _with_headings(self) -> Sequence[int | Line]:
        """Return the rows; in the tree, with a line above the copies of each ticket."""
        contents: list[int | Line] = []
        name = ""
        for index in self.shown:
            before, name = name, self._run.tickets[index].copy_of
            if self.sorted_by is NEEDS and name not in ("", before):
                above = self._branches[index].removesuffix(_BRANCH)
                branch = above.removesuffix("  ") + _BRANCH if above else ""
                copies = sum(self._run.tickets[one].copy_of == name for one in self.shown)
                figure = Span(f"  {copies} {'copies' if copies > 1 else 'copy'}", "muted")
                contents.append([Span(" " * _BEFORE_TICKET + branch + name), figure])
            contents.append(index)
        return contents

    def _sorted(self, tickets: Sequence[int], pattern: str = "") -> Sequence[int]:
        """Return the tickets that match, sorted; by needs, note their branches in the tree."""
        rows = map(self._row, tickets)
        shown = arrange(rows, pattern, self.sorted_by, is_reversed=self.is_reversed)
        self._branches = {}
        if self.sorted_by is NEEDS:
            paths = need_paths(self._run.tickets)
            shown.sort(key=paths.__getitem__)
            depths = {index: len(paths[index]) - 1 for index in shown}
            self._branches = {
                n: "  " * (depth - 1) + _BRANCH for n, depth in depths.items() if depth
            }
        return shown

    def _add(self, tickets: Sequence[int]) -> None:
        new = arrange(
            map(self._row, tickets), self.pattern, self.sorted_by, is_reversed=self.is_reversed
        )
        self.shown = [*self.shown, *new]
        super()._add(new)

    def _row(self, index: int) -> TicketRow:
        row = super()._row(index)
        row.branch = self._branches.get(index, "")
        return row

    def on_click(self, event: events.Click) -> None:
        if event.y >= len(self.heading):
            return
        end = 0
        for column, width in self._widths:
            end += width + 1
            if event.x < end:
                self.sort(column)
                return

    def update_rows(self) -> None:
        """Bring the rows in view up to date; show columns that are no longer empty."""
        contents = (self._contents[index] for index in self._in_view)
        rows = [self._row(one) for one in contents if isinstance(one, int)]
        if any(_has_any(column, rows) for column in self._empty):
            self._lay_out()
        super().update_rows()

    def _lay_out(self) -> None:
        rows = list(map(self._row, range(self._count)))
        self._empty = [column for column in COLUMNS if not _has_any(column, rows)]
        super()._lay_out()
        nothing = [Span(f"  no ticket matches “{one_line(self.pattern)}”", "warning")]
        self.heading = (self._heading(),) if self.shown else (self._heading(), nothing)

    def _heading(self) -> Line:
        """Return the headings of the columns; the one sorted by has an arrow."""
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


def _has_any(column: Column, rows: Iterable[TicketRow]) -> bool:
    """Return True if the column is not empty in some row."""
    return any(column.key(row) is not None for row in rows)


def _group_heading(name: str, count: int) -> Line:
    word, colour = KINDS.get(name, (name or "no provider", "primary"))
    return [Span(f" {word} ", colour, True), Span(f"{count}", "muted")]


def need_paths(tickets: Sequence[Ticket]) -> Mapping[int, tuple[int, ...]]:
    """Return for each ticket, by its index, its path in the tree of first needs.

    Copies are under the ticket that they are copies of; the first copy's index stands for it.
    """
    indices = {ticket.copy_of: index for index, ticket in reversed([*enumerate(tickets)])}
    indices |= {ticket.id: index for index, ticket in enumerate(tickets)}
    paths = dict[int, tuple[int, ...]]()
    for index, ticket in enumerate(tickets):
        path: tuple[int, ...] = ()
        name = ticket.id
        while name:
            at = indices[name]
            is_copy = tickets[at].copy_of not in ("", name)
            path = (*((indices[tickets[at].copy_of], at) if is_copy else (at,)), *path)
            name = next(iter(tickets[at].needs), "")
        paths[index] = path
    return paths
