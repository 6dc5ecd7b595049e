"""Selecting with the mouse in a widget that does its own scrolling, and the selected text.

Textual selects between the cells under the pointer, and scrolls only its own
scrollable widgets meanwhile. So the widget captures the mouse while the button is
down: the selection stays in it, and goes on past its edges.
"""

from collections.abc import Callable, Iterator, Sequence

from textual import events
from textual.geometry import Offset
from textual.selection import Selection
from textual.timer import Timer
from textual.widget import Widget

from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.text.wrapping import Row, text_of

_Edge = tuple[int, int, int]
"""One end of a selection: a chunk's index, the row in the chunk, the character in the row."""

_PERIOD = 1 / 20
"""Seconds between two steps of scrolling while the pointer stays outside."""

_FASTEST = 6
"""Most lines a step, however far outside the pointer is."""


class MouseSelection:
    """The selection made while a mouse button is held down over a widget.

    The widget passes its mouse events to `begin`, `move` and `end`. `scroll` is called with a
    number of lines while the pointer is outside.
    """

    def __init__(self, widget: Widget, scroll: Callable[[int], None]) -> None:
        self._widget = widget
        self._scroll = scroll
        self._begin: Offset | None = None
        self._pointer = Offset()
        self._timer: Timer | None = None

    @property
    def is_on(self) -> bool:
        """True while the button is down."""
        return self._begin is not None

    @property
    def has_selection(self) -> bool:
        """True if anything in the widget is selected."""
        selection = self._widget.text_selection
        return selection is not None and (selection.start is None or selection[0] != selection[1])

    def clear(self) -> None:
        """Clear the selection in the widget."""
        others = self._widget.screen.selections.items()
        self._widget.screen.selections = {w: s for w, s in others if w is not self._widget}

    def begin(self, event: events.MouseDown) -> None:
        """Begin where the button went down."""
        self._pointer = event.offset
        self._begin = self._under_pointer()
        if self.is_on:
            self._widget.capture_mouse()

    def move(self, event: events.MouseMove) -> None:
        """Select up to the pointer; scroll while it is outside."""
        if not self.is_on:
            return
        self._pointer = event.offset
        self._select()
        if not self._outside:
            self._stop()
        elif self._timer is None:
            self._timer = self._widget.set_interval(_PERIOD, self._scroll_on)

    def end(self) -> None:
        """End: the button was released, or the mouse was captured elsewhere."""
        self._begin = None
        self._stop()
        self._widget.release_mouse()

    @property
    def _outside(self) -> int:
        """Lines from the edge to the pointer; negative above."""
        y, height = self._pointer.y, self._widget.size.height
        return y if y < 0 else max(0, y - height + 1)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _scroll_on(self) -> None:
        far = self._outside
        self._scroll(max(-_FASTEST, min(_FASTEST, far)))
        self._select()

    def _under_pointer(self) -> Offset | None:
        """Return the offset in the text that is nearest to the pointer."""
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


def selected_text(lines: LineIndex, selection: Selection) -> str:
    """Return the selected text: the source of chunks that it covers whole, of others as shown.

    Each of the selection's offsets stands for a `Position`. Rows that are not in memory are
    drawn for this alone and not kept.
    """
    chunks, count = lines.chunks, len(lines.chunks)
    start, stop = selection
    begin = (*lines.locate(Position.from_offset(start)), start.x) if start else (0, 0, 0)
    end = (*lines.locate(Position.from_offset(stop)), stop.x) if stop else (count, 0, 0)
    parts: list[str] = []
    for index in range(begin[0], min(end[0] + 1, count)):
        source, rows = chunks[index].source, chunks.rows_once(index)
        if source == "" and index < end[0]:
            continue
        separator = "\n" if parts and not chunks[index].continues_line else ""
        if source and _covers(begin, end, index, rows):
            parts += (separator, "\n" if parts and not rows[0].text else "", source)
        elif clipped := list(_clipped(begin, end, index, rows)):
            parts += (separator, *clipped[1:])
    return "".join(parts)


def _covers(begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]) -> bool:
    """Return True if all visible text of the chunk's rows lies between the two edges."""
    numbers = [number for number, row in enumerate(rows) if row.text.strip()]
    if not numbers:
        return False
    first, last = rows[numbers[0]].text, rows[numbers[-1]].text
    before, after = len(first) - len(first.lstrip()), len(last.rstrip())
    return begin <= (index, numbers[0], before) and end >= (index, numbers[-1], after)


def _clipped(begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]) -> Iterator[str]:
    """Yield for each row the text that joins it to the row above, then its selected part."""
    for number, row in enumerate(rows):
        here = (index, number)
        if begin[:2] <= here <= end[:2]:
            left = max(0, begin[2] - row.indent) if here == begin[:2] else 0
            right = max(0, end[2] - row.indent) if here == end[:2] else None
            yield "\n" if row.glue is None else row.glue
            yield text_of(rows, number)[left:right]
