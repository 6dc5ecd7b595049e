"""The painting of a stream's window: rows that changed, or a bug in their place."""

from collections.abc import Callable

from rich.style import Style
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded, bug_strips
from lfgtui.ui.items import Context
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.viewport import Window
from lfgtui.ui.stream.visible_rows import Finish, Sight
from lfgtui.ui.text.palette import line_filter

_NO_STYLE = Style.null()


class PaintedStream(Guarded, Widget):
    """A widget that paints the rows of its window that changed since the last frame."""

    def __init__(self, kept: int, canvas: Canvas) -> None:
        super().__init__()
        self._kept = kept
        self._canvas = canvas
        self._look: Context | None = None
        self._width = self._height = 0
        # Looked up once: Textual finds both by walking up the tree.
        self._home: Screen[object] | None = None
        self._filter: Callable[[Strip], Strip] | None = None
        self._clear()

    def _clear(self) -> None:
        """Start with no lines."""
        self._stream = StreamLines(self._kept)
        self._window = Window(self._stream)
        self._window.height = self._height
        self._finder = Finder(self._stream, "")
        self._sight: Sight | None = None
        self._bug: Exception | None = None

    def break_off(self, bug: Exception) -> None:
        """Show the bug instead until the next update, which redraws everything."""
        self._clear()
        self._bug = bug
        self._repaint_all()

    def draw_lines(self, crop: Region) -> list[Strip]:
        if self._bug is not None:
            return bug_strips(self._bug, crop, self.rich_style)
        if self._sight is None:
            return [Strip.blank(crop.width, self.rich_style)] * crop.height
        strips = self._sight.strips(self._finish()) if self._sight.is_stale else self._sight.shown
        if missing := max(0, crop.bottom - len(strips)):
            strips = strips + [Strip.blank(self._width, self.rich_style)] * missing
        if crop.height != len(strips):
            strips = strips[crop.y : crop.bottom]
        if crop.x or crop.width != self._width:
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return a line, for hit-testing only: painting does not need its offsets."""
        if self._sight is None:
            return Strip.blank(self._width, self.rich_style)
        return self._sight.strip_at(y)

    def _finish(self) -> Finish:
        screen = self._home = self._home or self.screen
        self._filter = self._filter or line_filter(self)
        style = _NO_STYLE
        if (selection := screen.selections.get(self)) is not None:
            style = screen.get_component_rich_style("screen--selection")
        return Finish(selection, style, self._filter)

    def _mark(self) -> int | None:
        """Return the place that the window stays at; None while it follows the end."""
        return None if self._window.is_at_end else self._window.mark()

    def _measured(self, mark: int | None) -> None:
        """Drawing something out of sight may have told heights that were guesses."""
        if self._stream.pieces.has_changed:
            self._changed(mark)

    def _changed(self, mark: int | None = None) -> None:
        """Lines changed, or the window: keep it where it belongs and paint what differs."""
        if (look := self._look) is None:
            return
        if self._sight is None:
            self._sight = Sight(self._stream, self._window, self._finder, look.palette, look.width)
        for first, last in self._sight.update(mark):
            self._canvas.changed(self, Region(0, first, self._width, last - first))

    def _repaint_all(self) -> None:
        if self._sight is None or self._sight.take_all():
            self._canvas.changed(self, Region(0, 0, self._width, self._height))
