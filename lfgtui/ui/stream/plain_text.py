"""Lines back to text, for copying a selection and for searching."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from textual.selection import Selection

from lfgtui.ui.items import LineChunk
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.text.wrapping import Row, width_of


class MatchPart(NamedTuple):
    """The part of a match in one row: its first and last cell (exclusive)."""

    row: int
    begin: int
    end: int


Match = tuple[MatchPart, ...]


_Edge = tuple[int, int, int]
"""One end of a selection: a chunk's index, the row in it, the character in that."""


def plain_text(lines: LineIndex) -> str:
    """Return all rows as shown; none of them is kept in memory for it."""
    chunks = lines.chunks
    return "\n".join(
        row.text.rstrip() for index in range(len(chunks)) for row in chunks.rows_once(index)
    )


def selected_text(lines: LineIndex, selection: Selection) -> str:
    """Return the source of the chunks that a selection covers whole, the text of the rest.

    Its offsets are positions. What is not in memory is drawn for the moment.
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
        if source and _covers(begin, end, index, rows):
            gap = "\n" if parts and not rows[0].text else ""
            parts.append(_after(chunks[index], parts) + gap + source)
        elif clipped := list(_clipped(begin, end, index, rows)):
            parts.append(_after(chunks[index], parts) + _joined(clipped))
    return "".join(parts)


def _after(chunk: LineChunk, parts: Sequence[str]) -> str:
    """Return the separator between a chunk and the one before."""
    return "\n" if parts and not chunk.goes_on else ""


def _covers(begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]) -> bool:
    """Return whether all the words of the rows lie between the two."""
    numbers = [number for number, row in enumerate(rows) if row.text.strip()]
    if not numbers:
        return False
    first, last = rows[numbers[0]].text, rows[numbers[-1]].text
    before, after = len(first) - len(first.lstrip()), len(last.rstrip())
    return begin <= (index, numbers[0], before) and end >= (index, numbers[-1], after)


def _clipped(
    begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]
) -> Iterator[tuple[str, str | None]]:
    """Yield the selected part of each row, and its glue."""
    for number, row in enumerate(rows):
        here = (index, number)
        if begin[:2] <= here <= end[:2]:
            text = _ended(rows, number)
            left = 0 if row.glue is None else row.margin
            left = max(left, begin[2]) if here == begin[:2] else left
            right = end[2] if here == end[:2] else len(text)
            yield text[left:right], row.glue


def _joined(clipped: Sequence[tuple[str, str | None]]) -> str:
    """Return the text the rows were wrapped from: breaks that only the width made are undone."""
    parts = [clipped[0][0]]
    for text, glue in clipped[1:]:
        parts += ("\n" if glue is None else glue, text)
    return "".join(parts)


def find_matches(rows: Sequence[Row], pattern: str, first: int = 0) -> list[Match]:
    """Return all matches from a row on, also across a wrapped edge.

    `first` has to begin a line. A pattern with upper case is case-sensitive.
    """
    folds = pattern == pattern.lower()
    found: list[Match] = []
    if not pattern:
        return found
    for begin, end in _paragraphs(rows, first):
        offsets, text = _laid_out(rows[begin:end])
        if folds and len(lower := text.lower()) == len(text):
            text = lower
        at = text.find(pattern)
        while at >= 0:
            found.append(tuple(_parts(rows, begin, offsets, at, at + len(pattern))))
            at = text.find(pattern, at + len(pattern))
    return found


def first_row_of_line(rows: Sequence[Row], row: int) -> int:
    """Return the row that begins the line which this row was wrapped from."""
    row = min(row, len(rows) - 1)
    while row > 0 and rows[row].glue is not None:
        row -= 1
    return max(0, row)


def _paragraphs(rows: Sequence[Row], first: int) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) row of each run that was one line before wrapping."""
    edges = [n for n in range(first, len(rows)) if n == first or rows[n].glue is None]
    yield from pairwise([*edges, len(rows)])


def _ended(rows: Sequence[Row], number: int) -> str:
    """Return a row's text without the blanks at its end, unless the line goes on behind them."""
    text = rows[number].text
    goes_on = number + 1 < len(rows) and rows[number + 1].glue == ""
    return text if goes_on else text.rstrip()


def _own(rows: Sequence[Row], number: int) -> str:
    """Return a row's text without what wrapping put before it."""
    row, text = rows[number], _ended(rows, number)
    return text if row.glue is None else text[row.margin :]


def _laid_out(rows: Sequence[Row]) -> tuple[list[int], str]:
    """Return the offset at which each row begins, and the paragraph as one string."""
    offsets: list[int] = []
    parts: list[str] = []
    length = 0
    for number, row in enumerate(rows):
        glue, own = row.glue or "", _own(rows, number)
        offsets.append(length + len(glue))
        length += len(glue) + len(own)
        parts += (glue, own)
    return offsets, "".join(parts)


def _parts(
    rows: Sequence[Row], first: int, offsets: Sequence[int], begin: int, end: int
) -> Iterator[MatchPart]:
    number = max(0, bisect_right(offsets, begin) - 1)
    while number < len(offsets) and offsets[number] < end:
        text = _ended(rows, first + number)
        indent = len(text) - len(_own(rows, first + number))
        left = indent + max(0, begin - offsets[number])
        right = min(len(text), indent + end - offsets[number])
        if right > left:
            yield MatchPart(first + number, width_of(text[:left]), width_of(text[:right]))
        number += 1
