"""Lines back to text: for copying what was selected, and for finding."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from textual.selection import Selection

from lfgtui.ui.items import Piece
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.text.wrapping import Row, width_of


class Part(NamedTuple):
    """What of a match stands in one row: its first and last cell (exclusive)."""

    row: int
    begin: int
    end: int


Match = tuple[Part, ...]


class _Point(NamedTuple):
    """A place in the text: piece, row in it, character in that."""

    piece: int
    row: int
    at: int


class _Said(NamedTuple):
    text: str
    glue: str | None


def plain_text(lines: StreamLines) -> str:
    """All rows as shown; none of them is kept in memory for it."""
    pieces = lines.pieces
    return "\n".join(
        row.text.rstrip() for index in range(len(pieces.pieces)) for row in pieces.passing(index)
    )


def selected(lines: StreamLines, selection: Selection) -> str:
    """What a selection means: the source of what it covers whole, the text of the rest.

    The lines of a selection are addresses. What is not in memory is drawn for the moment.
    """
    pieces, count = lines.pieces, len(lines.pieces.pieces)
    start, stop = selection
    begin = _Point(*lines.find(start.y), start.x) if start else _Point(0, 0, 0)
    end = _Point(*lines.find(stop.y), stop.x) if stop else _Point(count, 0, 0)
    parts: list[str] = []
    for index in range(begin.piece, min(end.piece + 1, count)):
        source, rows = pieces.pieces[index].source, pieces.passing(index)
        if source == "" and index < end.piece:
            continue
        if source and _covers(begin, end, index, rows):
            gap = "\n" if parts and not rows[0].text else ""
            parts.append(_after(pieces.pieces[index], parts) + gap + source)
        elif said := list(_clipped(begin, end, index, rows)):
            parts.append(_after(pieces.pieces[index], parts) + _joined(said))
    return "".join(parts)


def _after(piece: Piece, parts: Sequence[str]) -> str:
    """Return the separator between a piece and the one before."""
    return "\n" if parts and not piece.goes_on else ""


def _covers(begin: _Point, end: _Point, index: int, rows: Sequence[Row]) -> bool:
    """Whether all the words of the rows lie between the two."""
    said = [number for number, row in enumerate(rows) if row.text.strip()]
    if not said:
        return False
    first, last = rows[said[0]].text, rows[said[-1]].text
    before, after = len(first) - len(first.lstrip()), len(last.rstrip())
    return begin <= (index, said[0], before) and end >= (index, said[-1], after)


def _clipped(begin: _Point, end: _Point, index: int, rows: Sequence[Row]) -> Iterator[_Said]:
    for number, row in enumerate(rows):
        here = (index, number)
        if begin[:2] <= here <= end[:2]:
            text = _ended(rows, number)
            left = 0 if row.glue is None else row.margin
            left = max(left, begin.at) if here == begin[:2] else left
            right = end.at if here == end[:2] else len(text)
            yield _Said(text[left:right], row.glue)


def _joined(said: Sequence[_Said]) -> str:
    """The text the rows were wrapped from: breaks that only the width made are undone."""
    parts = [said[0].text]
    for text, glue in said[1:]:
        parts += ("\n" if glue is None else glue, text)
    return "".join(parts)


def matches(rows: Sequence[Row], pattern: str, first: int = 0) -> list[Match]:
    """All places of the pattern from a row on, also across a wrapped edge.

    `first` is where a line begins. Upper case in the pattern is meant.
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


def line_begin(rows: Sequence[Row], row: int) -> int:
    """The row that begins the line which this row was wrapped from."""
    row = min(row, len(rows) - 1)
    while row > 0 and rows[row].glue is not None:
        row -= 1
    return max(0, row)


def _paragraphs(rows: Sequence[Row], first: int) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) row of each run that was one line before wrapping."""
    edges = [n for n in range(first, len(rows)) if n == first or rows[n].glue is None]
    yield from pairwise([*edges, len(rows)])


def _ended(rows: Sequence[Row], number: int) -> str:
    """The row's text without the blanks at its end, unless they are part of a line that goes on."""
    text = rows[number].text
    goes_on = number + 1 < len(rows) and rows[number + 1].glue == ""
    return text if goes_on else text.rstrip()


def _own(rows: Sequence[Row], number: int) -> str:
    """What the row says without what wrapping put before it."""
    row, text = rows[number], _ended(rows, number)
    return text if row.glue is None else text[row.margin :]


def _laid_out(rows: Sequence[Row]) -> tuple[list[int], str]:
    """The paragraph as one string, and where in it each row begins."""
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
) -> Iterator[Part]:
    number = max(0, bisect_right(offsets, begin) - 1)
    while number < len(offsets) and offsets[number] < end:
        text = _ended(rows, first + number)
        indent = len(text) - len(_own(rows, first + number))
        left = indent + max(0, begin - offsets[number])
        right = min(len(text), indent + end - offsets[number])
        if right > left:
            yield Part(first + number, width_of(text[:left]), width_of(text[:right]))
        number += 1
