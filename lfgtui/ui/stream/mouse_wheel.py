"""The mouse's wheel, for a widget that does its own scrolling."""

from textual import events
from textual.widget import Widget

WHEEL = 3
"""Lines a notch of the wheel scrolls."""

ASIDE = 8
"""Columns a notch scrolls sideways."""


class Wheeled(Widget):
    """Scrolls by the wheel; sideways with shift, or by a wheel that turns so."""

    def scroll_by(self, lines: int) -> None:
        """Scroll down, or (negative) up."""
        raise NotImplementedError

    def scroll_aside(self, columns: int) -> None:
        """Move what is wider than the widget to the left, or (negative) to the right."""
        raise NotImplementedError

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1, is_aside=event.shift)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1, is_aside=event.shift)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, is_aside=True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, is_aside=True)

    def _wheel(self, event: events.MouseEvent, notches: int, *, is_aside: bool) -> None:
        event.stop()
        if is_aside:
            self.scroll_aside(notches * ASIDE)
        else:
            self.scroll_by(notches * WHEEL)
