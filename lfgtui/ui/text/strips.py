"""Rows to strips, which Textual paints.

Most of a strip's memory is what Textual keeps besides its segments, so only visible
rows become strips, and each is released as soon as it is replaced.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lfgtui.ui.text.cell_width import drawn, is_narrow, measure, width_of
from lfgtui.ui.text.wrapping import Row, Span, one_line

_CROWDED = 4
"""Characters a cell, on average, beyond which a row's segments are kept short."""

_LONGEST = 64
"""Characters of a segment in such a row, not counting its last cluster."""


class RowStrip(Strip):
    """A strip whose memory is free as soon as the last reference to it is gone.

    Textual's own keeps its divisions, and an undivided one is its own division: only Python's
    garbage collection frees such a cycle, which with dozens of panes stops everything for 200 ms.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        cuts = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if cuts == [self.cell_length] else super().divide(cuts)


def strip_of(row: Row, width: int, ground: Style, left: int = 0) -> Strip:
    """Return the row as a strip of exactly `width` cells, padded or cut off.

    `left`: the cells that are scrolled out at the left. A wide character that an edge cuts
    in half becomes a blank. Neighbours of one style become one segment.
    """
    spans = _merged(row.spans)
    if sum([len(text) for text, _ in spans]) > _CROWDED * width:
        spans = [*_parted(spans)]
    sizes = [width_of(text) for text, _ in spans]
    taken = sum(sizes)
    if left or taken > width:
        spans = list(_window(spans, sizes, left, left + width))
        taken = max(0, min(taken, left + width) - left)
    if taken < width:
        fill, blanks = ground if row.fill is None else row.fill, " " * (width - taken)
        if spans and spans[-1][1] == fill:
            spans[-1] = (spans[-1][0] + blanks, fill)
        else:
            spans.append((blanks, fill))
    return RowStrip([Segment(text, style) for text, style in spans], width)


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Return the spans as painted: neighbours of one style joined, no control characters."""
    if not all(is_narrow(text) and text.isprintable() for text, _ in spans):
        spans = [(drawn(text), style) for text, style in one_line(spans)]
    merged: list[Span] = []
    for text, style in spans:
        if merged and (merged[-1][1] is style or merged[-1][1] == style):
            merged[-1] = (merged[-1][0] + text, style)
        elif text:
            merged.append((text, style))
    return merged


def _parted(spans: Iterable[Span]) -> Iterator[Span]:
    """Split spans into shorter ones, at ends of clusters: cutting a segment takes Rich the square
    of its characters' number, and a letter under thirty accents takes one cell."""
    for text, style in spans:
        offsets, begin = measure(text).offsets, 0
        while begin < len(text):
            index = bisect_left(offsets, begin + _LONGEST)
            end = offsets[min(index, len(offsets) - 1)]
            yield text[begin:end], style
            begin = end


def _window(spans: Iterable[Span], sizes: Iterable[int], left: int, right: int) -> Iterator[Span]:
    """Return the spans between two cells."""
    at = 0
    for (text, style), size in zip(spans, sizes, strict=True):
        begin, end = max(0, left - at), min(size, right - at)
        if begin < end:
            yield _seen(text, begin, end), style
        at += size


def _seen(text: str, begin: int, end: int) -> str:
    """Return the text between two cells, with blanks for halves of characters."""
    if is_narrow(text):
        return text[begin:end]
    _, cells, offsets = measure(text)
    first, last = bisect_left(cells, begin), bisect_right(cells, end) - 1
    if first > last:
        return " " * (end - begin)
    before, after = cells[first] - begin, end - cells[last]
    return " " * before + text[offsets[first] : offsets[last]] + " " * after
