"""Containers whose own lines are drawn once.

The compositor has every widget that a repaint touches draw all of its lines,
in each frame, also those that are covered whole, and cuts them into pieces. A
container's own lines are all the same and change only with its size and style: one
line is drawn for each, and none for a frame that paints only what lies over it.
"""

from typing import TYPE_CHECKING, Self

from textual.geometry import Region
from textual.strip import Strip

from lfgtui.ui.painting.canvas import Canvas

if TYPE_CHECKING:
    from textual.widget import Widget as _Widget
else:  # Textual takes a widget's style from its first base that is a widget: not this one
    _Widget = object


class CachedContainer(_Widget):
    """Draws one line for all of its own, until its size or style changes.

    Stands before a widget's class, which sets `canvas`. The widget has no edge at its
    top or bottom.
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
