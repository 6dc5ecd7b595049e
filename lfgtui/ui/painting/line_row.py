"""A row of the screen that shows one line of spans: header, footer, transport."""

from typing import ClassVar

from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.text.styled_line import Line, draw


class LineRow(Guarded, Widget):
    """Shows a line on the panel's ground; nothing is painted where it stays the same."""

    DEFAULT_CSS = "LineRow { height: 1; background: $panel; }"
    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._line: Line = []

    def show(self, line: Line) -> None:
        """Have this line on the screen."""
        if line != self._line:
            self._line = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return draw(self._line, self.size.width, self.app.theme_variables, "panel")
