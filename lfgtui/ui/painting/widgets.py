"""Widgets that draw themselves, without Textual's cache of styled lines."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Self

from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.text.palette import line_filter
from lfgtui.ui.text.styled_line import Line, draw

if TYPE_CHECKING:
    from textual.widget import Widget as _Widget
else:  # Textual takes a widget's style from its first base that is a widget: not this one
    _Widget = object


class Placed(_Widget):
    """A mixin for a widget that takes the size a layout gives it, and asks for no other layout.

    Textual's own widgets ask for one whenever their size changes. Put it before a widget's class.
    """

    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)


class CachedContainer(Placed):
    """A mixin for a container: draws one line for all its lines, until its size or style changes.

    In each frame the compositor makes every widget that a repaint touches draw all of its lines,
    even covered ones, and cuts them into pieces. A container's own lines are all the same, and
    none are drawn for a frame that paints only widgets over it. Put it before a widget's class,
    which sets `canvas`. The widget has no edge at its top or bottom.
    """

    canvas: Canvas

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.canvas.covers_containers:
            return []
        key = (crop, self.size, self.app.theme)
        known: dict[object, list[Strip]] = self.__dict__.setdefault("_lines", {})
        lines = known.get(key)
        if lines is None:
            known.clear()
            line = super().render_lines(Region(crop.x, crop.y, crop.width, min(1, crop.height)))
            lines = known[key] = line * crop.height
        return lines

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.__dict__.pop("_lines", None)

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        self.__dict__.pop("_lines", None)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class CachedRow(CachedContainer, Horizontal):
    """A container of widgets side by side."""

    def __init__(self, canvas: Canvas, selector: str) -> None:
        super().__init__(id=selector)
        self.canvas = canvas


class SelfPainted(Placed, Guarded, Widget):
    """A widget whose `render_line` returns strips that are styled and as wide as the widget.

    They do not pass through Textual's cache of styled lines, which costs more than the rows,
    since the compositor asks for them in each frame.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    def draw_lines(self, crop: Region) -> list[Strip]:
        rows = map(self.render_line, range(crop.y, crop.bottom))
        return [strip.crop(crop.x, crop.right) for strip in map(line_filter(self), rows)]


class LineRow(SelfPainted):
    """A row on the panel's background, composed for its width: header, footer, progress bar.

    With a canvas it is painted in one update with all other changes of a frame.
    """

    DEFAULT_CSS = "LineRow { height: 1; background: $panel; }"

    def __init__(self, canvas: Canvas | None = None) -> None:
        super().__init__()
        self._canvas = canvas or Canvas()
        self._compose_line: Callable[[int], Line] = lambda width: []
        self._line: Line = []

    def show(self, compose: Callable[[int], Line]) -> None:
        """Show what `compose` returns for a width in cells; paint only if it differs."""
        self._compose_line = compose
        if (line := compose(self.size.width)) != self._line:
            self._line = line
            self._canvas.changed(self, self.size.region)

    def on_resize(self) -> None:
        self.show(self._compose_line)

    def render_line(self, y: int) -> Strip:
        return draw(self._line, self.size.width, self.app.theme_variables, "panel")
