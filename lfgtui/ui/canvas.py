"""One update of the screen for all that changed in a frame.

`Widget.refresh` posts a message for each widget, which the screen takes in
one by one and paints by a timer of its own. With dozens of panes that costs
as much as what they show. A frame collects the regions that its widgets have
changed and hands them to the compositor at once: the same painting, by the
same compositor, without the messages.

The compositor is no part of Textual's public interface. This is the only
module that touches it; where anything is not as a frame needs it (a screen on
top, a layout to be done, a batch of updates), the widgets are refreshed in
the ordinary way. A widget that uses it must draw its own lines in
`render_lines`: Textual's cache of styled lines is not told of the change.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget


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
    app, compositor = screen.app, screen._compositor
    if app.screen is not screen or app._batch_count or screen._layout_required:
        for widget, region in changed:
            widget.refresh(region)
        return
    visible = compositor.visible_widgets
    for widget, region in changed:
        if place := visible.get(widget):
            where, clip = place
            if dirty := clip.intersection(region.translate(where.offset)):
                compositor._dirty_regions.add(dirty)
    app._display(screen, compositor.render_update(screen_stack=app._background_screens))
