"""Painting the rows in view of a stream: the changed ones, or a bug instead."""

from collections.abc import Callable

from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded, bug_strips
from lfgtui.ui.items import Context
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.painting.widgets import Placed
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.stream.viewport import Viewport
from lfgtui.ui.stream.visible_rows import Overlay, VisibleRows
from lfgtui.ui.text.palette import line_filter


class PaintedStream(Placed, Guarded, Widget):
    """A widget that paints the rows in view that changed since the last frame.

    It is the base of `StreamView`, which updates `lines`, moves the `viewport`, sets a `finder`,
    and then calls `_paint_changes`.
    """

    def __init__(self, kept: int, canvas: Canvas) -> None:
        super().__init__()
        self._kept = kept
        self._canvas = canvas
        self._render_context: Context | None = None
        self._width = self._height = 0
        # Looked up once: Textual finds both by walking up the tree.
        self._home: Screen[object] | None = None
        self._filter: Callable[[Strip], Strip] | None = None
        self._clear()

    def _clear(self) -> None:
        """Start with no lines."""
        self.lines = LineIndex(self._kept)
        self.viewport = Viewport(self.lines, self._height)
        self.finder = Finder(self.lines, "")
        self._visible_rows: VisibleRows | None = None
        self._bug: Exception | None = None

    def break_off(self, bug: Exception) -> None:
        """Show the bug instead until the next update, which redraws everything."""
        self._clear()
        self._bug = bug
        self._repaint_all()

    def draw_lines(self, crop: Region) -> list[Strip]:
        if self._bug is not None:
            return bug_strips(self._bug, crop, self.rich_style)
        if (rows := self._visible_rows) is None:
            return [Strip.blank(crop.width, self.rich_style)] * crop.height
        strips = rows.strips(self._overlay()) if rows.is_stale else rows.shown
        if missing := max(0, crop.bottom - len(strips)):
            strips = strips + [Strip.blank(self._width, self.rich_style)] * missing
        if crop.height != len(strips):
            strips = strips[crop.y : crop.bottom]
        if crop.x or crop.width != self._width:
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return a line, for hit-testing only: painting does not need its offsets."""
        if self._visible_rows is None:
            return Strip.blank(self._width, self.rich_style)
        return self._visible_rows.strip_at(y)

    def _overlay(self) -> Overlay:
        screen = self._home = self._home or self.screen
        self._filter = self._filter or line_filter(self)
        return Overlay(screen.selections.get(self), self._filter)

    def _paint_changes(self, anchor: Position | None = None) -> None:
        """Keep the viewport at the anchor, or following, and paint the rows that differ."""
        if (context := self._render_context) is None:
            return
        if self._visible_rows is None:
            self._visible_rows = VisibleRows(
                self.lines, self.viewport, self.finder, context.palette, context.width
            )
        for first, last in self._visible_rows.update(anchor):
            self._canvas.changed(self, Region(0, first, self._width, last - first))

    def _repaint_all(self) -> None:
        """Paint all rows, since something else than their text changed, such as a selection."""
        if self._visible_rows is None or self._visible_rows.invalidate():
            self._canvas.changed(self, Region(0, 0, self._width, self._height))
