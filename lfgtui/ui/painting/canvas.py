"""One update of the screen for all that changed in a frame.

`Widget.refresh` posts a message for each widget, which the screen takes in one
by one and paints by a timer of its own. A frame collects the regions that its
widgets changed and does the same for all of them at once, when it ends. Where
something is in its way (a screen on top, a layout to be done, a batch of
updates), the widgets are refreshed in the ordinary way.

Textual's compositor and what surrounds it are private. This is the only module
that touches them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget

ResultT = TypeVar("ResultT")


class Canvas:
    """Takes in what widgets have changed while a frame is drawn."""

    def __init__(self) -> None:
        self._changed: list[tuple[Widget, Region]] | None = None

    def changed(self, widget: Widget, region: Region) -> None:
        """Have a part of the widget, in its own coordinates, painted."""
        if self._changed is None:
            widget.refresh(region)
        else:
            self._changed.append((widget, region))

    @contextmanager
    def frame(self, screen: Screen[None]) -> Iterator[None]:
        """Collect what changes, and paint it at the end."""
        self._changed = []
        try:
            yield
        finally:
            changed, self._changed = self._changed, None
            if changed:
                _paint(screen, changed)


def _paint(screen: Screen[None], changed: list[tuple[Widget, Region]]) -> None:
    app = screen.app
    if app.screen is not screen or app._batch_count or screen._layout_required:
        for widget, region in changed:
            widget.refresh(region)
        return
    for widget, region in changed:
        widget._set_dirty(region)
    visible = screen._compositor.visible_widgets
    screen._dirty_widgets.update(widget for widget, _ in changed if widget in visible)
    screen._on_timer_update()


def layout_of(screen: Screen[ResultT]) -> object:
    """Where everything stands, as the compositor last laid it out: another object each time."""
    return screen._compositor._full_map


def rows_on_screen(widget: Widget) -> range:
    """Rows of the widget that are on the screen, in its own coordinates; none if cut at a side."""
    if (place := widget.screen._compositor.visible_widgets.get(widget)) is None:
        return range(0)
    where, clip = place
    shown = clip.intersection(where)
    return (
        range(shown.y - where.y, shown.bottom - where.y) if shown.width == where.width else range(0)
    )


def repaint(screen: Screen[ResultT], size: Size) -> None:
    """Have all of the screen, in that size, painted with what is painted next."""
    screen._compositor._dirty_regions = {size.region}


def paint_all(screen: Screen[ResultT]) -> None:
    """Paint the whole screen at once, whatever is on the terminal."""
    repaint(screen, screen.outer_size)
    paint_now(screen)


def is_busy(screen: Screen[ResultT]) -> bool:
    """Whether there is a message, a layout or a repaint of Textual's own to be done."""
    if _waits(screen):
        return True
    widgets = screen.walk_children(Widget)
    return bool(screen.app.message_queue_size) or any(
        one.message_queue_size
        or one._next_callbacks
        or (one.is_attached and (one._repaint_required or one._layout_required))
        for one in widgets
    )


def paint_now(screen: Screen[ResultT]) -> None:
    """Do the layout and the repaint that Textual's timer would do in a moment."""
    if _waits(screen):
        screen._on_timer_update()


def _waits(screen: Screen[ResultT]) -> bool:
    return bool(
        screen.message_queue_size
        or screen._next_callbacks
        or screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._compositor._dirty_regions
        or screen._callbacks
    )
