"""Rows to strips, for the rows in view only.

A strip takes some 2 kB, most of it caches that make Textual paint an unchanged
one for next to nothing. So each row in view has one strip, the same in every
frame, and none is kept for the others.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lfgtui.ui.items import LineChunk
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.strips import RowStrip, strip_of
from lfgtui.ui.text.wrapping import Row, width_of

_MORE_LEFT, _MORE_RIGHT = "‹", "›"


class Drawn(NamedTuple):
    """A row's strip, and the number of the row's cells that are scrolled out at the left."""

    row: Row
    shift: int
    strip: Strip


class Strips:
    """Strips of one width. Wider rows are shown from column `aside` on."""

    def __init__(self, width: int, palette: Palette) -> None:
        self.aside = 0
        self._width = width
        self._palette = palette
        self._kept: dict[int, Drawn] = {}
        self.blank = RowStrip([Segment(" " * width, palette.text)], width)

    def drawn(self, row: Row, chunk: LineChunk) -> Drawn:
        """Return the row's strip: the one it had, if it is still known."""
        shift = self._shift(chunk) if self.aside else 0
        known = self._kept.get(id(row))
        if known is not None and known.row is row and known.shift == shift:
            return known
        drawn = self._kept[id(row)] = Drawn(row, shift, self._draw(row, shift))
        return drawn

    def forget_others(self, seen: Sequence[Row]) -> None:
        """Keep the strips of these rows only."""
        kept = self._kept
        if len(kept) > 2 * len(seen):
            self._kept = {id(row): kept[id(row)] for row in seen if id(row) in kept}

    def characters_aside(self, drawn: Drawn) -> int:
        """Return the number of the row's characters that are scrolled out at the left."""
        if not drawn.shift:
            return 0
        return len(strip_of(drawn.row, drawn.shift, self._palette.text).text)

    def _shift(self, chunk: LineChunk) -> int:
        """Return the cells to scroll: the same for all rows of a chunk, so columns stay columns."""
        wide = max((width_of(row.text) for row in chunk.rows), default=0)
        return max(0, min(self.aside, wide - self._width))

    def _draw(self, row: Row, shift: int) -> Strip:
        ground, width = self._palette.text, self._width
        cells = width_of(row.text)
        if not shift and cells <= width:
            return strip_of(row, width, ground)
        strip = strip_of(row, width, ground, shift)
        if shift:
            strip = self._edge(strip, 0, _MORE_LEFT)
        if cells > shift + width:
            strip = self._edge(strip, width - 1, _MORE_RIGHT)
        return strip

    def _edge(self, strip: Strip, at: int, sign: str) -> Strip:
        """Return the strip with a sign in one cell: there is more."""
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
    """Return both in one; cached, as each new style with a link has a new id for the terminal."""
    return own + style
