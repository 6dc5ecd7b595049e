"""Lines back to text: for copying what was selected, and for finding."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.cells import cell_len
from textual.selection import Selection

from lfgtui.ui.items import Piece
from lfgtui.ui.lines import Line

Match = tuple[tuple[int, int, int], ...]
"""The parts of one match: line, first and last cell (exclusive)."""


def joined(lines: Sequence[Line]) -> str:
    """The text the lines were wrapped from: breaks that only the width made are undone."""
    parts: list[str] = []
    for number, line in enumerate(lines):
        if number:
            parts.append("\n" if line.glue is None else line.glue)
        parts.append(_own(line) if number else line.text)
    return "".join(parts)


def selected(
    lines: Sequence[Line], pieces: Iterator[tuple[int, Piece]], selection: Selection
) -> str:
    """What a selection means: the source of what it covers whole, the text of the rest."""
    first, begin = (selection.start.y, selection.start.x) if selection.start else (0, 0)
    last, end = (selection.end.y, selection.end.x) if selection.end else (len(lines) - 1, 1 << 30)
    last = min(last, len(lines) - 1)
    parts: list[str] = []
    line = first
    for start, piece in pieces:
        stop = start + len(piece.lines)
        if stop <= line or start > last:
            continue
        if line < start:
            parts.append(joined(lines[line:start]))
        whole = _covers((first, begin), (last, end), start, stop, lines)
        if piece.source is not None and whole:
            gap = "\n" if parts and not piece.lines[0].text else ""
            parts.append(gap + piece.source)
        else:
            parts.append(_clipped(lines, max(line, start), min(stop - 1, last), selection))
        line = stop
    return "\n".join(parts)


def _covers(
    begin: tuple[int, int], end: tuple[int, int], start: int, stop: int, lines: Sequence[Line]
) -> bool:
    """Whether all the words of the lines lie between the two positions."""
    said = [number for number in range(start, stop) if lines[number].text]
    if not said:
        return False
    text = lines[said[0]].text
    before = len(text) - len(text.lstrip())
    return begin <= (said[0], before) and end >= (said[-1], len(lines[said[-1]].text))


def _clipped(lines: Sequence[Line], first: int, last: int, selection: Selection) -> str:
    parts = []
    for number in range(first, last + 1):
        line, span = lines[number], selection.get_span(number)
        if span is not None:
            begin, end = span
            text = line.text[begin:] if end == -1 else line.text[begin:end]
            parts.append(Line(line.strip, text, line.glue))
    return joined(parts)


def matches(lines: Sequence[Line], pattern: str) -> list[Match]:
    """All places of the pattern, also across a wrapped edge. Upper case in it is meant."""
    if not pattern:
        return []
    folds = pattern == pattern.lower()
    found: list[Match] = []
    for first, last in _paragraphs(lines):
        offsets, text = _laid_out(lines[first:last])
        text = text.lower() if folds and len(text.lower()) == len(text) else text
        at = text.find(pattern)
        while at >= 0:
            found.append(tuple(_parts(lines, first, offsets, at, at + len(pattern))))
            at = text.find(pattern, at + len(pattern))
    return found


def _paragraphs(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) line of each run that was one line before wrapping."""
    edges = [number for number, line in enumerate(lines) if line.glue is None]
    yield from pairwise([*edges, len(lines)])


def _own(line: Line) -> str:
    """What the line says without the indent that wrapping gave it."""
    return line.text if line.glue is None else line.text.lstrip(" ")


def _laid_out(lines: Sequence[Line]) -> tuple[list[int], str]:
    """The paragraph as one string, and where in it each line begins."""
    offsets, text = [], ""
    for line in lines:
        text += line.glue or ""
        offsets.append(len(text))
        text += _own(line)
    return offsets, text


def _parts(
    lines: Sequence[Line], first: int, offsets: Sequence[int], begin: int, end: int
) -> Iterator[tuple[int, int, int]]:
    number = max(0, bisect_right(offsets, begin) - 1)
    while number < len(offsets) and offsets[number] < end:
        line = lines[first + number]
        indent = len(line.text) - len(_own(line))
        left = indent + max(0, begin - offsets[number])
        right = min(len(line.text), indent + end - offsets[number])
        if right > left:
            yield first + number, cell_len(line.text[:left]), cell_len(line.text[:right])
        number += 1
