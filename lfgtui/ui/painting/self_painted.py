"""Widgets that draw their own lines and are painted with the frame they change in."""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.text.palette import line_filter


class Painted(Guarded, Widget):
    """Passes on the strips of `render_line`, which are styled and as wide as the widget.

    Past Textual's cache of styled lines, which would not know of a change that the
    canvas is told of.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas

    def changed(self, y: int) -> None:
        """Have a row painted."""
        self._canvas.changed(self, Region(0, y, self.size.width, 1))

    def draw_lines(self, crop: Region) -> list[Strip]:
        rows = map(self.render_line, range(crop.y, crop.bottom))
        return [strip.crop(crop.x, crop.right) for strip in map(line_filter(self), rows)]

    @property
    def allow_select(self) -> bool:
        return False
