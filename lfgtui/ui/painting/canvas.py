"""One update of the screen for all that changed in a frame.

`Widget.refresh` posts a message for each widget, which the screen takes in
one by one and paints by a timer of its own. With dozens of panes that costs
as much as what they show. A frame collects the regions that its widgets have
changed and paints them in one go:

- *direct*: the rows that changed are written where they stand. Nothing may
  lie over them, so this is for a screen that is on top, has no toast and
  waits for no other repaint. The compositor keeps no picture of what is on
  the terminal, so it need not be told.
- *compositor*: the regions are handed to the compositor at once. It has every
  widget on the way draw all of its lines, and cuts those at every edge of
  every widget: with 64 panes twice the work of the rows that changed.
- *refresh*: the ordinary way, where something is not as a frame needs it (a
  screen on top, a layout to be done, a batch of updates).

Neither the compositor nor `App._display` is part of Textual's public
interface. This is the only module that touches them. `direct_painting =
false` in the config does without the first way. A widget that uses a canvas
must draw its own lines in `render_lines`: Textual's cache of styled lines is
not told of the change.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from textual._compositor import CompositorUpdate
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import ToastRack

ResultT = TypeVar("ResultT")


class Canvas:
    """Takes in what widgets have changed while a frame is drawn."""

    def __init__(self, *, is_direct: bool = True) -> None:
        self._is_direct = is_direct
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
                _paint(screen, changed, is_direct=self._is_direct)


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


class _Rows(CompositorUpdate):
    """Strips, each with the column and the row of the terminal it begins at."""

    def __init__(self, rows: list[tuple[int, int, Strip]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return ()

    def render_segments(self, console: Console) -> str:
        return "".join(
            [f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self._rows]
        )


def _paint(screen: Screen[None], changed: list[tuple[Widget, Region]], *, is_direct: bool) -> None:
    app, compositor = screen.app, screen._compositor
    if app.screen is not screen or app._batch_count or screen._layout_required:
        for widget, region in changed:
            widget.refresh(region)
        return
    visible = compositor.visible_widgets
    if is_direct and not compositor._dirty_regions and not _has_toasts(screen):
        app._display(screen, _Rows(list(_rows(visible, changed))))
        return
    for widget, region in changed:
        if place := visible.get(widget):
            where, clip = place
            if dirty := clip.intersection(region.translate(where.offset)):
                compositor._dirty_regions.add(dirty)
    app._display(screen, compositor.render_update(screen_stack=app._background_screens))


def _rows(
    visible: Mapping[Widget, tuple[Region, Region]], changed: list[tuple[Widget, Region]]
) -> Iterator[tuple[int, int, Strip]]:
    """What is in sight of the regions that changed, row by row."""
    for widget, (x, y, width, height) in changed:
        if not (place := visible.get(widget)):
            continue
        where, clip = place
        # In numbers: a `Region` for every step would take as long as the strips.
        # Within the widget as laid out: it may not have been told yet that it is smaller now.
        left, top = max(where.x + x, clip.x), max(where.y + y, clip.y)
        right = min(where.x + x + width, where.right, clip.right)
        bottom = min(where.y + y + height, where.bottom, clip.bottom)
        if left >= right or top >= bottom:
            continue
        inside = Region(left - where.x, top - where.y, right - left, bottom - top)
        for row, strip in enumerate(widget.render_lines(inside), top):
            yield left, row, strip


def _has_toasts(screen: Screen[None]) -> bool:
    rack = next((child for child in screen.children if isinstance(child, ToastRack)), None)
    return rack is not None and bool(rack.children)
