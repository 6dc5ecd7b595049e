"""Selecting with the mouse in a widget that scrolls by itself.

Textual selects between the cells under the pointer, and scrolls for it only
what it scrolls itself. So the widget takes the mouse for as long as the button
is down: the selection stays in it, and goes on past its edges.
"""

from collections.abc import Callable

from textual import events
from textual.geometry import Offset
from textual.selection import Selection
from textual.timer import Timer
from textual.widget import Widget

_PERIOD = 1 / 20
"""Seconds between two steps while the pointer stays outside."""

_FASTEST = 6
"""Lines a step, however far outside the pointer is."""


class Drag:
    """A mouse button held down over a widget."""

    def __init__(self, widget: Widget, creep: Callable[[int], None]) -> None:
        self._widget = widget
        self._scroll = creep
        self._begin: Offset | None = None
        self._pointer = Offset()
        self._timer: Timer | None = None

    @property
    def is_on(self) -> bool:
        """Whether the button is down."""
        return self._begin is not None

    @property
    def has_selection(self) -> bool:
        """Whether anything in the widget is selected."""
        selection = self._widget.text_selection
        return selection is not None and (selection.start is None or selection[0] != selection[1])

    def forget_selection(self) -> None:
        """Select nothing in the widget any more."""
        others = self._widget.screen.selections.items()
        self._widget.screen.selections = {w: s for w, s in others if w is not self._widget}

    def begin(self, event: events.MouseDown) -> None:
        """The button went down."""
        self._pointer = event.offset
        self._begin = self._under_pointer()
        if self.is_on:
            self._widget.capture_mouse()

    def move(self, event: events.MouseMove) -> None:
        """The pointer moved, perhaps outside."""
        if not self.is_on:
            return
        self._pointer = event.offset
        self._select()
        if not self._outside:
            self._stop()
        elif self._timer is None:
            self._timer = self._widget.set_interval(_PERIOD, self._creep)

    def end(self) -> None:
        """The button came up, or the mouse was taken away."""
        self._begin = None
        self._stop()
        self._widget.release_mouse()

    @property
    def _outside(self) -> int:
        """Lines from the pointer to the edge; negative above."""
        y, height = self._pointer.y, self._widget.size.height
        return y if y < 0 else max(0, y - height + 1)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _creep(self) -> None:
        far = self._outside
        self._scroll(max(-_FASTEST, min(_FASTEST, far)))
        self._select()

    def _under_pointer(self) -> Offset | None:
        """The place in the text that is nearest to the pointer."""
        region = self._widget.content_region
        x, y = self._pointer
        widget, offset = self._widget.screen.get_widget_and_offset_at(
            region.x + max(0, min(x, region.width - 1)),
            region.y + max(0, min(y, region.height - 1)),
        )
        return offset if widget is self._widget else None

    def _select(self) -> None:
        begin, end, widget = self._begin, self._under_pointer(), self._widget
        if begin is None or end is None:
            return
        if end.transpose < begin.transpose:
            begin, end = end, begin
        selection = Selection(begin, Offset(end.x + 1, end.y))
        if widget.screen.selections != {widget: selection}:
            widget.screen.selections = {widget: selection}
