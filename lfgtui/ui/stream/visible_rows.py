"""The rows in view as strips: only for rows that changed are new ones made."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from lfgtui.ui.items import UNCHANGED
from lfgtui.ui.stream.chunk_list import Changes, StreamRow
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.stream.row_strips import Strips, styled
from lfgtui.ui.stream.viewport import Viewport
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import fit, width_of

RowRange = tuple[int, int]
"""Rows of the viewport, the last exclusive."""


class Overlay(NamedTuple):
    """The selection and its style, and the filter that every strip goes through at last."""

    selection: Selection | None
    selected: Style
    filter: Callable[[Strip], Strip]


class VisibleRows:
    """The strips of the rows in view. `update` returns the ones to paint.

    `shown` has the strips on the screen; `strips` brings them up to date.
    """

    def __init__(
        self, lines: LineIndex, viewport: Viewport, finder: Finder, palette: Palette, width: int
    ) -> None:
        self._finder = finder
        self._lines = lines
        self._viewport = viewport
        self._palette = palette
        self._width = width
        self._strips = Strips(width, palette)
        self.shown: list[Strip] = []
        self._stale: RowRange = (0, 0)
        self._top: Position | None = None
        self._hint = ""

    # Rows to paint

    def update(self, anchor: Position | None) -> list[RowRange]:
        """Move the viewport to where it belongs and return the rows to paint.

        `anchor` is the position to stay at; None where it follows, or is where it should be.
        """
        chunks, viewport = self._lines.chunks, self._viewport
        changes = chunks.take_changes()
        if changes is not None and self._finder.is_active:
            self._finder.update(changes)
        if anchor is not None:
            viewport.return_to(anchor)
        viewport.fit()
        viewport.trim()
        return self._take(Changes.merge(changes, chunks.take_changes()))

    def _take(self, changes: Changes | None) -> list[RowRange]:
        height, top, hint = self._viewport.height, self._viewport.position(), self._hint_text()
        if top != self._top or len(self.shown) != height:
            self._top, self._hint = top, hint
            return self.invalidate()
        rows = list(self._changed(changes)) if changes else []
        if hint != self._hint:
            self._hint = hint
            rows.append((height - 1, height))
        for first, last in rows:
            self._stale = (
                (min(first, self._stale[0]), max(last, self._stale[1]))
                if self.is_stale
                else (first, last)
            )
        return rows

    def highlight(self, finder: Finder) -> None:
        """Show other matches, with the next update."""
        self._finder, self._top = finder, None

    def invalidate(self) -> list[RowRange]:
        """Make all strips again; return all rows."""
        height = self._viewport.height
        self.shown = (self.shown + [self._strips.blank] * height)[:height]
        self._stale = (0, height)
        return [self._stale] if height else []

    @property
    def is_stale(self) -> bool:
        """True while strips are out of date."""
        return self._stale[0] < self._stale[1]

    def _changed(self, changes: Changes) -> Iterator[RowRange]:
        chunks, top, height = self._lines.chunks, self._viewport.top, self._viewport.height
        first = chunks.find(top)[0]
        for index, row in changes.rows.items():
            if index >= first:
                start = chunks.heights.start(index) - top
                begin, end = max(0, start + row), min(height, start + chunks.heights[index])
                if begin < end:
                    yield begin, end
        if first < changes.moved < UNCHANGED:
            begin = chunks.heights.start(min(changes.moved, len(chunks))) - top
            if begin < height:
                yield max(0, begin), height

    # Strips

    def strips(self, overlay: Overlay) -> list[Strip]:
        """Return the strips of all rows; those out of date are made."""
        if self.is_stale:
            first, last = self._stale
            top, height = self._viewport.top, self._viewport.height
            seen = list(self._lines.chunks.rows(top + first, top + last))
            for y, one in enumerate(seen, first):
                self.shown[y] = overlay.filter(self._strip(one, overlay))
            if first + len(seen) < last:
                blank = overlay.filter(self._strips.blank)
                for y in range(first + len(seen), last):
                    self.shown[y] = blank
            if self._hint and last == height:
                self.shown[-1] = overlay.filter(self._hint_strip())
            self._stale = (0, 0)
            if last - first == height:
                self._strips.forget_others([one.row for one in seen])
        return self.shown

    def strip_at(self, y: int) -> Strip:
        """Return a row's strip with offsets, by which Textual finds what is under the pointer."""
        chunks = self._lines.chunks
        for seen in chunks.rows(self._viewport.top + y, self._viewport.top + y + 1):
            drawn = self._strips.drawn(seen.row, chunks[seen.chunk])
            aside = self._strips.characters_aside(drawn)
            return drawn.strip.apply_offsets(aside, self._position(seen).offset.y)
        below = self._lines.position(len(chunks), y)
        return self._strips.blank.apply_offsets(0, below.offset.y)

    @property
    def is_hinted(self) -> bool:
        """True while the last row is the hint at the lines below."""
        return bool(self._hint)

    def _position(self, seen: StreamRow) -> Position:
        return self._lines.position(seen.chunk, seen.number)

    def _strip(self, seen: StreamRow, overlay: Overlay) -> Strip:
        drawn = self._strips.drawn(seen.row, self._lines.chunks[seen.chunk])
        strip, shift = drawn.strip, drawn.shift
        if self._finder.is_active:
            for match in self._finder.highlights(seen.chunk, seen.number):
                style = self._palette.current if match.is_current else self._palette.match
                strip = styled(strip, match.begin - shift, match.end - shift, style)
        if overlay.selection is not None:
            span = overlay.selection.get_span(self._position(seen).offset.y)
            if span is not None:
                text = seen.row.text.rstrip()
                begin = width_of(text[: span[0]])
                end = width_of(text if span[1] == -1 else text[: span[1]])
                strip = styled(strip, begin - shift, end - shift, overlay.selected)
        return strip

    # Lines below, and to the right

    def _hint_text(self) -> str:
        """Return the text of the last row while the end is not in view."""
        viewport = self._viewport
        if viewport.is_at_end or not (below := viewport.below):
            return ""
        new = viewport.new
        count, kind = (new, "new") if new > 0 else (below, "more")
        return f" ↓ {count} {kind} line{'s' * (count != 1)} · f to follow "

    def _hint_strip(self) -> Strip:
        style = self._palette.hint
        row = fit([(self._hint, style)], (), self._width, style)
        return strip_of(row, self._width, style)

    def scroll_sideways(self, columns: int) -> bool:
        """Scroll what is wider than the viewport sideways; return whether that moved anything."""
        top = self._viewport.top
        rows = self._lines.chunks.rows(top, top + self._viewport.height)
        widest = max((width_of(seen.row.text) for seen in rows), default=0)
        before, most = self._strips.aside, max(0, widest - self._width)
        self._strips.aside = max(0, min(min(before, most) + columns, most))
        return self._strips.aside != before
