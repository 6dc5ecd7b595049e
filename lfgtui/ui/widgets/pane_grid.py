"""The panes of a run, tiled or one of them alone."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from math import ceil, log
from typing import Literal

from textual.containers import ScrollableContainer
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from lfgtui.model.states import RUNNING
from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.widgets import CachedContainer
from lfgtui.ui.run_view import RunView
from lfgtui.ui.widgets.pane import Pane, PaneSettings

Direction = Literal["left", "right", "up", "down"]

MIN_WIDTH, MIN_HEIGHT = 38, 9

_BARS = 2
"""Rows of the header and the footer."""

_PLEASANT_ASPECT = 3.2
"""Cells across for each cell down; a cell is about twice as high as wide."""


class _Tiles(Layout):
    """Textual's layout interface over `tile`."""

    name = "tiles"

    def __init__(self, grid: "PaneGrid") -> None:
        self._grid = grid

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements = self._grid.place(size)
        return [
            WidgetPlacement(region, Offset(), Spacing(), pane)
            for pane, region in placements
            if pane in children
        ]


class PaneGrid(
    CachedContainer, Guarded, ScrollableContainer, can_focus=False, inherit_bindings=False
):
    """All panes side by side, scrolling when they are many; or one of them alone.

    The layout is made again when the size or the pane alone changes, not when text
    arrives: a pane's size never depends on its text.
    """

    DEFAULT_CSS = """
    PaneGrid {
        width: 1fr; height: 1fr;
        overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(
        self, run: RunView, settings: PaneSettings, *, is_across: bool = False, rows_taken: int = 0
    ) -> None:
        self.panes = [Pane(run, ticket, settings) for ticket in run.tickets]
        """One for each ticket, in their order."""
        super().__init__(*self.panes)
        self.canvas = settings.canvas
        self._run, self._settings = run, settings
        self._is_across = is_across
        self._rows_taken = rows_taken
        self._alone: Pane | None = None
        self._tiles = _Tiles(self)
        self._regions: list[Region] = []

    @property
    def layout(self) -> Layout:
        return self._tiles

    def mark(self, tickets: Collection[str]) -> None:
        """Have the tickets' panes painted anew when they are next visible; make new ones."""
        if added := self._run.tickets[len(self.panes) :]:
            new = [Pane(self._run, ticket, self._settings) for ticket in added]
            self.panes += new
            self.mount(*new)
        for pane in self.panes:
            if pane.ticket_id.partition(" #")[0] in tickets:  # of an attempt: its ticket's
                pane.mark_dirty()

    def show_alone(self, pane: Pane | None) -> None:
        """Give one pane all the room, or (None) share it out again."""
        if pane is not self._alone:
            self._alone = pane
            self._foresee_length()
            self.panes[0].refresh(layout=True)  # a widget's makes its parent arrange anew

    def _foresee_length(self) -> None:
        """Scroll as the next layout will have it: Textual finds out then, and makes another one."""
        length = max((region.bottom for region in self._regions), default=0)
        if self._alone is not None:
            length = 0
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.virtual_size = Size(self.size.width, max(length, self.size.height))
        is_long = length > self.size.height
        if is_long != self.show_vertical_scrollbar:
            self.show_vertical_scrollbar = self.vertical_scrollbar.display = is_long

    def place(self, size: Size) -> list[tuple[Pane, Region]]:
        """Return the region of each pane shown in a grid of that size."""
        if self._alone is not None:
            return [(self._alone, Region(0, 0, size.width, size.height))]
        # A line of input that is open takes more rows than the footer, in whose place it is.
        rows_taken = max(self._rows_taken, self.app.size.height - _BARS - size.height)
        self._regions = tile(
            len(self.panes), size, is_across=self._is_across, rows_taken=rows_taken
        )
        return list(zip(self.panes, self._regions, strict=False))

    def in_view(self) -> Iterator[Pane]:
        """Yield the panes of which a part is on the screen."""
        if not self.display:
            return
        if self._alone is not None:
            yield self._alone
            return
        top, height = round(self.scroll_y), self.size.height
        for pane, region in zip(self.panes, self._regions, strict=False):
            if region.y < top + height and region.bottom > top:
                yield pane

    def out_of_sight(self) -> str:
        """Return how many tickets work in panes that are not in view, and where; "" if none do."""
        seen = [self.panes.index(pane) for pane in self.in_view()]
        if self._alone is not None or not seen:
            return ""
        working = [self._run.transcript(pane.ticket_id).state in RUNNING for pane in self.panes]
        above, below = sum(working[: seen[0]]), sum(working[seen[-1] + 1 :])
        where = "out of sight" if above and below else "above" if above else "below"
        return f"{above + below} working {where}" if above or below else ""

    def step(self, pane: Pane, direction: Direction) -> Pane:
        """Return the pane next to this one in that direction, or itself at the edge."""
        if len(self._regions) != len(self.panes):
            return pane
        return self.panes[neighbour(self._regions, self.panes.index(pane), direction)]

    def reveal(self, pane: Pane) -> None:
        """Scroll the pane into view."""
        if self._alone is None and len(self._regions) == len(self.panes):
            region = self._regions[self.panes.index(pane)]
            self.scroll_to_region(region, animate=False, immediate=True)


def tile(count: int, room: Size, *, is_across: bool = False, rows_taken: int = 0) -> list[Region]:
    """Return a region for each pane, row by row; the last row's panes share its width.

    Where all of them fit at their least size they fill the room; else rows are
    as high as lets whole rows show, and the plan is longer than the room. `is_across`: side
    by side, as many as fit. `rows_taken` are left out of the room, and not of the plan: a
    bar below the panes does not make them others.
    """
    if count == 0:
        return []
    # Nowhere at all would be no overflow: the scrollbar would come and go for ever.
    room = Size(max(1, room.width), max(1, room.height))
    columns = _columns(count, Size(room.width, room.height + rows_taken), is_across)
    rows = ceil(count / columns)
    in_view = min(rows, max(1, room.height // MIN_HEIGHT))

    def top(row: int) -> int:
        screens, rest = divmod(row, in_view)
        return screens * room.height + rest * room.height // in_view

    regions: list[Region] = []
    for row in range(rows):
        abreast = min(columns, count - row * columns)
        edges = [column * room.width // abreast for column in range(abreast + 1)]
        height = top(row + 1) - top(row)
        regions += [Region(x, top(row), end - x, height) for x, end in pairwise(edges)]
    return regions


def _columns(count: int, room: Size, is_across: bool) -> int:
    """Return the number of columns whose panes have the most pleasant shape."""
    most = min(count, max(1, room.width // MIN_WIDTH))
    most_rows = max(1, room.height // MIN_HEIGHT)
    fitting = [number for number in range(1, most + 1) if ceil(count / number) <= most_rows]

    def strangeness(columns: int) -> float:
        rows = ceil(count / columns)
        aspect = (room.width / columns) / (room.height / rows)
        missing = (columns * rows - count) / columns
        return abs(log(aspect / _PLEASANT_ASPECT)) + missing / 2

    return most if is_across or not fitting else min(fitting, key=strangeness)


def neighbour(regions: Sequence[Region], index: int, direction: Direction) -> int:
    """Return the index of the pane one step away, or the same where there is none."""
    here = regions[index]
    sign, is_sideways = (-1 if direction in ("left", "up") else 1), direction in ("left", "right")
    ways = [(0.0, 0.0, index)]
    for other, region in enumerate(regions):
        across = sign * (region.x + region.width / 2 - here.x - here.width / 2)
        down = sign * (region.y + region.height / 2 - here.y - here.height / 2)
        ahead, aside = (across, 0.0) if is_sideways else (down, abs(across))
        if ahead > 0 and (region.y == here.y or not is_sideways):
            ways.append((ahead, aside, other))
    return min(ways[1:] or ways)[2]
