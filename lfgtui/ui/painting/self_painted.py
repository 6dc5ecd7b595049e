"""Widgets of few rows that draw themselves."""

from collections.abc import Callable
from typing import ClassVar

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.text.palette import line_filter
from lfgtui.ui.text.styled_line import Line, draw


class SelfPainted(Guarded, Widget):
    """Passes on the strips of `render_line`, which are styled and as wide as the widget.

    Past Textual's cache of styled lines, which costs more than the rows: the compositor
    asks for them in each frame.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    def draw_lines(self, crop: Region) -> list[Strip]:
        rows = map(self.render_line, range(crop.y, crop.bottom))
        return [strip.crop(crop.x, crop.right) for strip in map(line_filter(self), rows)]


class LineRow(SelfPainted):
    """A row on the panel's ground, composed for its width: header, footer, progress bar."""

    DEFAULT_CSS = "LineRow { height: 1; background: $panel; }"

    def __init__(self) -> None:
        super().__init__()
        self._compose_line: Callable[[int], Line] = lambda width: []
        self._line: Line = []

    def show(self, compose: Callable[[int], Line]) -> None:
        """Show what `compose` returns for a width in cells; paint nothing if it is there."""
        self._compose_line = compose
        if (line := compose(self.size.width)) != self._line:
            self._line = line
            self.refresh()

    def on_resize(self) -> None:
        self.show(self._compose_line)

    def render_line(self, y: int) -> Strip:
        return draw(self._line, self.size.width, self.app.theme_variables, "panel")
