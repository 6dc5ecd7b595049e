"""One update of the screen for all that changed in a frame.

`Widget.refresh` posts a message for each widget; the screen handles these one
by one and paints by a timer of its own. A frame collects the regions that its
widgets changed and paints all of them at once, when it ends. If that is
impossible (a screen on top, a layout to be done, a batch of updates), the
widgets are refreshed in the ordinary way.

Textual's compositor, and how a screen uses it, is private: only this module touches
it, so an upgrade of Textual has to be checked here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from textual.app import App
from textual.geometry import Region, Size
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.walk import walk_depth_first
from textual.widget import Widget

ResultT = TypeVar("ResultT")

_REST = 3
"""Turns of the loop in a row that must find nothing to do."""


class Canvas:
    """Regions that widgets change while a frame is drawn; the widgets of a run's screen share one.

    `covers_containers` is True while only widgets that cover their containers are painted:
    a `CachedContainer` then draws nothing.
    """

    def __init__(self) -> None:
        self.covers_containers = False
        self._changed: list[tuple[Widget, Region]] | None = None
        self._is_layout = False

    def changed(self, widget: Widget, region: Region) -> None:
        """Have a region of the widget, in its own coordinates, painted with the frame, or soon."""
        if self._changed is None:
            widget.refresh(region)
        else:
            self._changed.append((widget, region))

    @contextmanager
    def frame(self, screen: Screen[None]) -> Iterator[None]:
        """Collect changed regions, and paint them at the end."""
        self._changed = []
        try:
            yield
        finally:
            changed, self._changed = self._changed, None
            if changed:
                self._paint(screen, changed)

    @contextmanager
    def layout(self) -> Iterator[None]:
        """Have the frame drawn in the body painted with a new layout, which is not painted yet."""
        self._is_layout = True
        try:
            yield
        finally:
            self._is_layout = False

    def _paint(self, screen: Screen[None], changed: list[tuple[Widget, Region]]) -> None:
        """Paint the regions: with the layout, by `refresh` if there is no other way, or at once."""
        if self._is_layout:
            for widget, region in changed:
                widget._set_dirty(region)
            visible = screen._compositor.visible_widgets
            screen._compositor.update_widgets({each for each, _ in changed if each in visible})
            return
        app = screen.app
        if app.screen is not screen or app._batch_count or screen._layout_required:
            for widget, region in changed:
                widget.refresh(region)
            return
        self.covers_containers = not (
            screen._dirty_widgets
            or screen._compositor._dirty_regions
            or screen._repaint_required
            or screen._scroll_required
        )
        for widget, region in changed:
            widget._set_dirty(region)
        visible = screen._compositor.visible_widgets
        screen._dirty_widgets.update(widget for widget, _ in changed if widget in visible)
        try:
            screen._on_timer_update()
        finally:
            self.covers_containers = False


def layout_of(screen: Screen[ResultT]) -> object:
    """Return the layout of the compositor, a new object after each layout."""
    return screen._compositor._full_map


def rows_on_screen(widget: Widget) -> range:
    """Return the rows of the widget on the screen; none if it is cut at a side."""
    if (place := widget.screen._compositor.visible_widgets.get(widget)) is None:
        return range(0)
    where, clip = place
    shown = clip.intersection(where)
    return (
        range(shown.y - where.y, shown.bottom - where.y) if shown.width == where.width else range(0)
    )


def repaint(screen: Screen[ResultT], size: Size) -> None:
    """Have the whole screen, which has the `size`, painted with its next update."""
    screen._compositor._dirty_regions = {size.region}


async def come_to_rest(app: App[ResultT]) -> None:
    """Return once no message, layout or repaint is pending, or the app has ended."""
    quiet, busy = 0, None
    while quiet < _REST and app.is_running:
        await asyncio.sleep(0)
        if _has_to_paint(app.screen):
            app.screen._on_timer_update()
        # A widget that was busy mostly still is, and then the others need not be checked.
        if busy is None or not (busy.is_running and _has_work(busy)):
            busy = _busy_one(app)
        quiet = 0 if busy is not None or _has_to_paint(app.screen) else quiet + 1


def _has_to_paint(screen: Screen[ResultT]) -> bool:
    """Return True if the screen would do something in `_on_timer_update`."""
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._compositor._dirty_regions
        or screen._callbacks
    )


def _busy_one(app: App[ResultT]) -> MessagePump | None:
    """Return the app, or a screen or widget of it, if one has work to do."""
    if _has_work(app):
        return app
    nodes = chain.from_iterable(map(walk_depth_first, app.screen_stack))
    return next(filter(_has_work, nodes), None)


def _has_work(pump: MessagePump) -> bool:
    if isinstance(pump, App) and pump._resize_event is not None:
        return True  # Textual waits a moment for the next one
    if pump._next_callbacks or pump.message_queue_size:
        return True
    if isinstance(pump, Screen) or not isinstance(pump, Widget):
        return False  # a screen under another is painted through the one on top
    return pump.is_attached and (pump._repaint_required or pump._layout_required)
