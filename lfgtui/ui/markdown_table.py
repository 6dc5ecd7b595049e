"""Tables that fit: columns give way from the widest, cells wrap."""

from collections.abc import Sequence

from lfgtui.ui.lines import Row, Span, width_of, wrap
from lfgtui.ui.palette import Palette

_LEAST = 3
_GAP = 3


Cells = Sequence[Sequence[Sequence[Span]]]
"""The lines of a table, their cells, the spans in each."""


def table_rows(cells: Cells, width: int, palette: Palette) -> list[Row]:
    """The rows of a table; the first of `cells` is its head."""
    columns = max((len(row) for row in cells), default=0)
    if not columns:
        return []
    widths = _fitted(_natural(cells, columns), width - _GAP * (columns - 1))
    rows: list[Row] = []
    for number, line in enumerate(cells):
        rows += _line(line, widths, palette)
        if number == 0:
            rule = "─┼─".join("─" * size for size in widths)
            rows.append(Row(((rule, palette.faint),)))
    return rows


def _natural(cells: Cells, columns: int) -> list[int]:
    widths = [_LEAST] * columns
    for line in cells:
        for number, cell in enumerate(line):
            widths[number] = max(widths[number], width_of("".join(text for text, _ in cell)))
    return widths


def _fitted(widths: list[int], room: int) -> list[int]:
    """Take from the widest column, one cell at a time, until all fit or none can give."""
    widths = [min(size, max(_LEAST, room)) for size in widths]
    while sum(widths) > room and (widest := max(widths)) > _LEAST:
        widths[widths.index(widest)] -= 1
    return widths


def _line(line: Sequence[Sequence[Span]], widths: Sequence[int], palette: Palette) -> list[Row]:
    columns = [wrap(cell, size) for cell, size in zip(line, widths, strict=False)]
    columns += [[]] * (len(widths) - len(columns))
    rows = []
    for height in range(max(len(column) for column in columns)):
        spans: list[Span] = []
        for number, (column, size) in enumerate(zip(columns, widths, strict=True)):
            if number:
                spans.append((" │ ", palette.faint))
            row = column[height] if height < len(column) else Row(())
            spans += row.spans
            spans.append((" " * max(0, size - width_of(row.text)), palette.text))
        rows.append(Row(tuple(spans)))
    return rows
