"""The panes of a run, tiled; or one of them alone."""

from collections.abc import Iterator, Sequence

from textual.containers import ScrollableContainer
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.cached_container import CachedContainer
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.tiling import Direction, neighbour, tile


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
    """All panes side by side, scrolling when they are many; `alone` shows one only.

    The layout is asked again when the size or `alone` changes, not when text
    arrives: a pane's size never depends on what is in it.
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

    @property
    def alone(self) -> Pane | None:
        """The one pane that is shown, or None for all."""
        return self._alone

    def show_alone(self, pane: Pane | None) -> None:
        """Give one pane all the room, or (None) share it out again."""
        if pane is not self._alone:
            self._alone = pane
            for other in self._panes:
                other.display = pane is None or other is pane

    def place(self, size: Size) -> list[tuple[Pane, Region]]:
        """Where each shown pane lies in a room of that size."""
        if self._alone is not None:
            return [(self._alone, Region(0, 0, size.width, size.height))]
        self._regions = tile(
            len(self._panes), size, across=self._across, rows_taken=self._rows_taken
        )
        return list(zip(self._panes, self._regions, strict=False))

    def in_view(self) -> Iterator[Pane]:
        """The panes of which something is on the screen."""
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
        """The pane next to this one in that direction, as tiled."""
        if len(self._regions) != len(self._panes):
            return pane
        return self._panes[neighbour(self._regions, self._panes.index(pane), direction)]

    def reveal(self, pane: Pane) -> None:
        """Scroll the pane into view."""
        if self._alone is None and len(self._regions) == len(self._panes):
            region = self._regions[self._panes.index(pane)]
            self.scroll_to_region(region, animate=False, immediate=True)
