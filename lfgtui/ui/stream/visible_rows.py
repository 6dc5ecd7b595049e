"""The rows in view as strips: new ones are made only for rows that changed.

A strip takes some 2 kB, mostly caches with which Textual paints an unchanged strip
for next to nothing. So each row in view has one strip, the same in every frame, and
other rows have none.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from lfgtui.ui.items import UNCHANGED
from lfgtui.ui.stream.chunk_list import Changes, StreamRow
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.stream.viewport import Viewport
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.strips import RowStrip, strip_of
from lfgtui.ui.text.wrapping import Row, fit, width_of

RowRange = tuple[int, int]
"""Rows of the viewport, the last exclusive."""

_MORE_LEFT, _MORE_RIGHT = "‹", "›"


class Overlay(NamedTuple):
    """Styles put on the strips: the selection, and a filter of their colours, as for NO_COLOR."""

    selection: Selection | None
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
        self._aside = 0  # cells that wide rows are scrolled
        self.shown: list[Strip] = []
        self._stale: RowRange = (0, 0)  # rows whose strips in `shown` are outdated
        self._top: Position | None = None  # of the last update; None to have all rows painted
        self._hint = ""  # the text in place of the last row; "" if there is none

    # Rows to paint

    def update(self, anchor: Position | None) -> list[RowRange]:
        """Move the viewport to where it belongs and return the rows to paint.

        `anchor` is the position to stay at; None if it follows the end or need not move.
        """
        chunks, viewport = self._lines.chunks, self._viewport
        changes = chunks.take_changes()
        if self._finder.is_active:
            self._finder.update(changes)
        if anchor is not None:
            viewport.return_to(anchor)
        viewport.fit()
        viewport.trim()
        changes.add(chunks.take_changes())
        height, top, hint = viewport.height, viewport.position(), self._hint_text()
        if top != self._top or len(self.shown) != height:
            self._top, self._hint = top, hint
            return self.invalidate()
        rows = list(self._changed(changes))
        if hint != self._hint:
            self._hint = hint
            rows.append((height - 1, height))
        if rows:
            edges = [self._stale, *rows] if self.is_stale else rows
            self._stale = min(first for first, _ in edges), max(last for _, last in edges)
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
        """Yield the rows of the viewport in which chunks changed or moved."""
        if not changes:
            return
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
        """Return the strips of all rows, after making outdated ones again."""
        if self.is_stale:
            first, last = self._stale
            top, height = self._viewport.top, self._viewport.height
            seen = list(self._lines.chunks.rows(top + first, top + last))
            shifts = {index: self._shift(index) for index in {one.chunk for one in seen}}
            for y, one in enumerate(seen, first):
                strip = self._overlaid(one, shifts[one.chunk], overlay)
                self.shown[y] = overlay.filter(strip)
            if first + len(seen) < last:
                blank = overlay.filter(self._strips.blank)
                self.shown[first + len(seen) : last] = [blank] * (last - first - len(seen))
            if self._hint and last == height:
                hint, style = [(self._hint, self._palette.hint)], self._palette.hint
                strip = strip_of(fit(hint, (), self._width, style), self._width, style)
                self.shown[-1] = overlay.filter(strip)
            self._stale = (0, 0)
            if last - first == height:
                self._strips.forget_others([one.row for one in seen])
        return self.shown

    def strip_at(self, y: int) -> Strip:
        """Return a row's strip with offsets, by which Textual finds the text under the pointer."""
        chunks, line = self._lines.chunks, self._viewport.top + y
        for seen in chunks.rows(line, line + 1):
            shift = self._shift(seen.chunk)
            strip = self._strips.of(seen.row, shift)
            left_out = strip_of(seen.row, shift, self._palette.text).text if shift else ""
            return strip.apply_offsets(len(left_out), self._offset(seen))
        below = self._lines.position(len(chunks), y)
        return self._strips.blank.apply_offsets(0, below.offset.y)

    @property
    def is_hinted(self) -> bool:
        """True while the last row is the hint at the lines below."""
        return bool(self._hint)

    def _offset(self, seen: StreamRow) -> int:
        return self._lines.position(seen.chunk, seen.number).offset.y

    def _overlaid(self, seen: StreamRow, shift: int, overlay: Overlay) -> Strip:
        """Return the row's strip with its matches and the selection marked."""
        strip = self._strips.of(seen.row, shift)
        if self._finder.is_active:
            for match in self._finder.highlights(seen.chunk, seen.number):
                style = self._palette.current if match.is_current else self._palette.match
                strip = styled(strip, match.begin - shift, match.end - shift, style)
        if overlay.selection is not None:
            span = overlay.selection.get_span(self._offset(seen))
            if span is not None:
                text = seen.row.text.rstrip()
                begin = width_of(text[: span[0]])
                end = width_of(text if span[1] == -1 else text[: span[1]])
                strip = styled(strip, begin - shift, end - shift, self._palette.selected)
        return strip

    def _hint_text(self) -> str:
        """Return the text of the last row while the end is not in view."""
        viewport = self._viewport
        if viewport.is_at_end or not (below := viewport.below):
            return ""
        if self._lines.is_over:
            return f" ↓ {below} more line{'s' * (below != 1)} "
        new = viewport.new
        count, kind = (new, "new") if new > 0 else (below, "more")
        return f" ↓ {count} {kind} line{'s' * (count != 1)} · f to follow "

    # Sideways

    def scroll_sideways(self, columns: int) -> bool:
        """Scroll rows that are wider than the viewport; return whether that moved anything."""
        top = self._viewport.top
        rows = self._lines.chunks.rows(top, top + self._viewport.height)
        widest = max((width_of(seen.row.text) for seen in rows), default=0)
        before, most = self._aside, max(0, widest - self._width)
        self._aside = max(0, min(min(before, most) + columns, most))
        return self._aside != before

    def _shift(self, index: int) -> int:
        """Return the cells to scroll: the same for all rows of a chunk, so columns stay columns."""
        if not self._aside:
            return 0
        wide = max((width_of(row.text) for row in self._lines.chunks[index].rows), default=0)
        return max(0, min(self._aside, wide - self._width))


class Strips:
    """Strips of one width; a row has the same strip in every frame."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._width = width
        self._palette = palette
        self._kept: dict[int, tuple[Row, int, Strip]] = {}
        self.blank = RowStrip([Segment(" " * width, palette.text)], width)

    def of(self, row: Row, shift: int = 0) -> Strip:
        """Return the row's strip, without the `shift` cells that are scrolled out at the left."""
        known = self._kept.get(id(row))
        if known is not None and known[0] is row and known[1] == shift:
            return known[2]
        strip = self._draw(row, shift)
        self._kept[id(row)] = row, shift, strip
        return strip

    def forget_others(self, seen: Sequence[Row]) -> None:
        """Drop the strips of all rows but these."""
        kept = self._kept
        if len(kept) > 2 * len(seen):
            self._kept = {id(row): kept[id(row)] for row in seen if id(row) in kept}

    def _draw(self, row: Row, shift: int) -> Strip:
        strip = strip_of(row, self._width, self._palette.text, shift)
        if shift:
            strip = self._edge(strip, 0, _MORE_LEFT)
        if width_of(row.text) > shift + self._width:
            strip = self._edge(strip, self._width - 1, _MORE_RIGHT)
        return strip

    def _edge(self, strip: Strip, at: int, sign: str) -> Strip:
        """Return the strip with a sign in its cell `at`: the row goes on beyond it."""
        there = next(iter(strip.crop(at, at + 1)), None)
        ground = Style(bgcolor=there.style.bgcolor) if there and there.style else Style.null()
        mark = Strip([Segment(sign, self._palette.faint + ground)], 1)
        return Strip.join([strip.crop(0, at), mark, strip.crop(at + 1)])


def styled(strip: Strip, begin: int, end: int, style: Style) -> Strip:
    """Return the strip with the cells between two columns in another style."""
    begin, end = max(0, begin), min(end, strip.cell_length)
    if begin >= end:
        return strip
    marked = [
        Segment(text, _over(own, style) if own else style)
        for text, own, _ in strip.crop(begin, end)
    ]
    return Strip.join([strip.crop(0, begin), Strip(marked), strip.crop(end)])


@lru_cache(maxsize=512)
def _over(own: Style, style: Style) -> Style:
    """Return both styles in one; cached, as each new style with a link gets a new id."""
    return own + style
