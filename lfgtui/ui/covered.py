"""Widgets of which little shows beside their children.

The compositor has every widget that a repaint touches draw all of its lines,
in each frame, also those that are covered whole. What a container itself
looks like only its size and its style change, so it is drawn once for each.
"""

from typing import TYPE_CHECKING, Self

from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.widget import Widget as _Widget
else:  # Textual takes a widget's style from its first base that is a widget: not this one
    _Widget = object


class Covered(_Widget):
    """Draws its own lines once, until its size or style changes. Stands before a widget's class."""

    def render_lines(self, crop: Region) -> list[Strip]:
        key = (crop, self.size, self.app.theme)
        known: dict[object, list[Strip]] = self.__dict__.setdefault("_lines", {})
        lines = known.get(key)
        if lines is None:
            known.clear()
            lines = known[key] = super().render_lines(crop)
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
