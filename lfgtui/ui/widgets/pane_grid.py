"""The panes of a run, tiled or one of them alone, and their turns in a frame."""

from collections.abc import Callable, Iterator, Sequence

from textual.containers import ScrollableContainer
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.cached_container import CachedContainer
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.tiling import Direction, neighbour, tile

BUDGET = 0.022
"""Seconds a frame draws before it leaves the rest of the panes to the next one."""


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

    def __init__(self, panes: Sequence[Pane], *, across: bool = False, rows_taken: int = 0) -> None:
        super().__init__(*panes)
        self._panes = panes
        self._across = across
        self._rows_taken = rows_taken
        self._alone: Pane | None = None
        self._tiles = _Tiles(self)
        self._regions: list[Region] = []

    @property
    def layout(self) -> Layout:
        return self._tiles

    def show_alone(self, pane: Pane | None) -> None:
        """Give one pane all the room, or (None) share it out again."""
        if pane is not self._alone:
            self._alone = pane
            for other in self._panes:
                other.display = pane is None or other is pane

    def place(self, size: Size) -> list[tuple[Pane, Region]]:
        """Return the region of each pane shown in a grid of that size."""
        if self._alone is not None:
            return [(self._alone, Region(0, 0, size.width, size.height))]
        self._regions = tile(
            len(self._panes), size, across=self._across, rows_taken=self._rows_taken
        )
        return list(zip(self._panes, self._regions, strict=False))

    def in_view(self) -> Iterator[Pane]:
        """Yield the panes of which a part is on the screen."""
        if not self.display:
            return
        if self._alone is not None:
            yield self._alone
            return
        top, height = round(self.scroll_y), self.size.height
        for pane, region in zip(self._panes, self._regions, strict=False):
            if region.y < top + height and region.bottom > top:
                yield pane

    def step(self, pane: Pane, direction: Direction) -> Pane:
        """Return the pane next to this one in that direction, or itself at the edge."""
        if len(self._regions) != len(self._panes):
            return pane
        return self._panes[neighbour(self._regions, self._panes.index(pane), direction)]

    def reveal(self, pane: Pane) -> None:
        """Scroll the pane into view."""
        if self._alone is None and len(self._regions) == len(self._panes):
            region = self._regions[self._panes.index(pane)]
            self.scroll_to_region(region, animate=False, immediate=True)


class FrameClock:
    """Shares the time between panes, and between drawing and everything else.

    After a frame that ran out of time the next one begins behind the pane that it ended
    with. And the next one begins half as long after a frame as that took: a third of the
    time is left for keys and for what arrives. `clock` is the time that passes for the
    person, whatever the panes' own is.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._last: Pane | None = None
        self._free_at = 0.0

    def is_due(self) -> bool:
        """Return whether the next frame may begin."""
        return self.clock() >= self._free_at

    def turns(self, panes: Sequence[Pane], first: Pane) -> Iterator[Pane]:
        """Yield the panes to draw in a frame; always `first`, the one that has the focus."""
        began = self.clock()
        others = [pane for pane in panes if pane is not first]
        if self._last in others:
            after = others.index(self._last) + 1
            others = others[after:] + others[:after]
        self._last = None
        for pane in [first, *others] if first in panes else others:
            yield pane
            if self.clock() - began > BUDGET:
                self._last = pane
                return

    def ended(self, began: float) -> None:
        """Note that the frame begun at that time is on the screen."""
        now = self.clock()
        self._free_at = now + max(0.0, now - began) / 2
