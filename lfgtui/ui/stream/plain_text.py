"""Lines back to text, for copying a selection."""

from collections.abc import Iterator, Sequence

from textual.selection import Selection

from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.text.wrapping import Row

_Edge = tuple[int, int, int]
"""One end of a selection: a chunk's index, the row in it, the character in that."""


def plain_text(lines: LineIndex) -> str:
    """Return all rows as shown; none of them is kept in memory for it."""
    chunks = lines.chunks
    return "\n".join(
        row.text.rstrip() for index in range(len(chunks)) for row in chunks.rows_once(index)
    )


def text_of(rows: Sequence[Row], number: int) -> str:
    """Return a row's text as it was before wrapping.

    Without what wrapping put before it, and without the blanks at its end unless the line goes
    on behind them.
    """
    row, text = rows[number], rows[number].text
    if number + 1 == len(rows) or rows[number + 1].glue != "":
        text = text.rstrip()
    return text[row.indent :]


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
        after = "\n" if parts and not chunks[index].goes_on else ""
        if source and _covers(begin, end, index, rows):
            parts += (after, "\n" if parts and not rows[0].text else "", source)
        elif clipped := list(_clipped(begin, end, index, rows)):
            parts += (after, *clipped[1:])
    return "".join(parts)


def _covers(begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]) -> bool:
    """Return True if all the words of the rows lie between the two."""
    numbers = [number for number, row in enumerate(rows) if row.text.strip()]
    if not numbers:
        return False
    first, last = rows[numbers[0]].text, rows[numbers[-1]].text
    before, after = len(first) - len(first.lstrip()), len(last.rstrip())
    return begin <= (index, numbers[0], before) and end >= (index, numbers[-1], after)


def _clipped(begin: _Edge, end: _Edge, index: int, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the selected part of each row, before it what joins it to the row above."""
    for number, row in enumerate(rows):
        here = (index, number)
        if begin[:2] <= here <= end[:2]:
            left = max(0, begin[2] - row.indent) if here == begin[:2] else 0
            right = max(0, end[2] - row.indent) if here == end[:2] else None
            yield "\n" if row.glue is None else row.glue
            yield text_of(rows, number)[left:right]
