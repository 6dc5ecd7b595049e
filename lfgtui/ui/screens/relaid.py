"""Screens that paint all that has moved, also what Textual 8.2 forgets.

Textual paints what stands elsewhere than in the layout before. But for a scroll
it looks at what that exposes only; and when it is asked what is under the
pointer it may lay out anew and paint nothing. A toast that went meanwhile would
stay on the terminal.
"""

from typing import TypeVar

from textual.geometry import Size
from textual.screen import Screen

from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.canvas import layout_of, repaint

ResultT = TypeVar("ResultT")


class RelaidScreen(Guarded, Screen[ResultT], inherit_bindings=False):
    """Looks at all of a new layout, and paints all where the one before was never painted."""

    _painted: object = None

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        if layout_of(self) is not self._painted:
            repaint(self, size or self.outer_size)
        super()._refresh_layout(size)
        self._painted = layout_of(self)
