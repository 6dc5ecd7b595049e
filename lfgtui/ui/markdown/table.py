"""Tables that grow line by line, in columns that fit.

A column's width follows from two figures of its cells, the widest content and
the longest word, over all lines of the table. So the order of lines does not
matter, and all lines cost the same, except one that needs a wider column: only
then is the whole table laid out again.

A column may ask for, from most to least: its content rounded up (otherwise a cell
that grows would widen its column with each character), its content, its longest
word, its longest word that is not an address or path, a few cells. The table takes
the first of these for which the pane has room, and shares the rest so that the
widest columns give way first. If not even the last fits, the table is wider than
the pane, and only text that is wider than the pane wraps.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import takewhile, zip_longest
from operator import eq
from typing import Literal, NamedTuple

from markdown_it.token import Token

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import BlockView, RenderContext
from lfgtui.ui.markdown.paragraph import spans_of
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, cut, width_of, wrap

Alignment = Literal["left", "right", "center"]
Cell = Sequence[Span]

_NARROWEST = 3
"""Least cells of a column: as many as its delimiter in the source has."""

_STEP = 4
"""Cells to a multiple of which a column's content is rounded up."""

_ORDINARY = 16
"""Most cells of an ordinary word; a longer one may be broken to spare the others."""

_LEAST = 6
"""Least cells of a piece of a broken word that can still be read."""

_GAP = 3
"""Cells between two columns: ` │ `."""

_ENDLESS = 1 << 30
"""A width in which nothing wraps."""

# East Asian text breaks after any character: it is no part of a word. Compiled when first used.
_WORD = (
    "[^ \u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]+"
)

_Folded = Sequence[tuple[tuple[Span, ...], int]]
"""Lines of a cell: their spans, and their width in terminal cells."""


class TableView(BlockView):
    """Reads the lines of a table off its tokens; `TableLayout` lays them out."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        self._rows: list[Row] = []
        self._table = TableLayout(self.width, context.palette)
        self._alignments: list[Alignment | None] = []
        self._generation = block.generation
        self._read = 0  # the first token of the last line, which is read again

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def update(self, tokens: Sequence[Token]) -> int:
        block = self.block
        alignments = _alignments(tokens)
        is_new = block.generation != self._generation or alignments != self._alignments
        if is_new:
            self._generation, self._read, self._alignments = block.generation, 0, alignments
            self._table = TableLayout(self.width, self.context.palette, alignments)
        lines, last = self._lines(tokens), None
        if lines:  # only the last one can still grow, or turn out not to be a row
            self._read, last = lines.pop()
        first = self._table.show([line for _, line in lines], last)
        first = 0 if is_new else min(first, len(self._rows))
        self._rows[first:] = [
            row.indented(self.rest if number else self.first) if self.rest else row
            for number, row in enumerate(self._table.rows[first:], first)
        ]
        return first

    def _lines(self, tokens: Sequence[Token]) -> list[tuple[int, list[Cell]]]:
        """Return the lines that are not stable yet, each with the index of its first token."""
        palette = self.context.palette
        lines: list[tuple[int, list[Cell]]] = []
        begin, style, cells = 0, palette.text, list[Cell]()
        for index in range(self._read, len(tokens)):
            token = tokens[index]
            match token.type:
                case "tr_open":
                    begin, cells = index, []
                case "th_open":
                    style = palette.heading
                case "td_open":
                    style = palette.text
                case "inline":
                    cells.append(list(spans_of(token.children or (), style, self.context)))
                case "tr_close":
                    lines.append((begin, cells))
                case _:
                    pass
        return lines


def _alignments(tokens: Sequence[Token]) -> list[Alignment | None]:
    """Return the columns' alignments, from the row of dashes below the head."""
    alignments: list[Alignment | None] = []
    for token in takewhile(lambda token: token.type != "thead_close", tokens):
        if token.type == "th_open":
            match str(token.attrs.get("style", "")).removeprefix("text-align:"):
                case "left" | "right" | "center" as alignment:
                    alignments.append(alignment)
                case _:
                    alignments.append(None)
    return alignments


class _Cell:
    """The content of a cell, and its lines at the last width.

    `natural` and `word` are the cells that its widest line and its longest word take.
    """

    __slots__ = ("_folded", "_size", "_whole", "natural", "source", "word")

    def __init__(self, source: tuple[Span, ...]) -> None:
        self.source = source
        rows = cut(source, _ENDLESS)
        self._folded = self._whole = _measured(rows)
        self._size = _ENDLESS
        self.natural = max(size for _, size in self._whole)
        self.word = max(_longest_word(row.text) for row in rows)

    def folded(self, size: int) -> _Folded:
        """Return the lines of the cell, wrapped to `size` cells."""
        if size >= self.natural:
            return self._whole
        if size != self._size:
            self._size = size
            self._folded = _measured([row for line, _ in self._whole for row in wrap(line, size)])
        return self._folded


_Line = tuple[_Cell, ...]


class _Needs(NamedTuple):
    """The cells of each column's widest content (`natural`) and longest word, over some lines."""

    natural: tuple[int, ...] = ()
    words: tuple[int, ...] = ()

    def with_line(self, line: _Line) -> "_Needs":
        return _Needs(
            _widened(self.natural, [cell.natural for cell in line]),
            _widened(self.words, [cell.word for cell in line]),
        )

    def widths(self, width: int) -> tuple[int, ...]:
        """Return the columns' widths in a table that should take at most `width` cells."""
        natural, words = self
        room = width - _GAP * (len(natural) - 1)
        stepped = [-(-size // _STEP) * _STEP for size in natural]
        ordinary = [min(size, _ORDINARY) for size in words]
        least = [min(size, _LEAST) for size in words]
        wishes = ((stepped, natural), (natural, words), (natural, ordinary), (ordinary, least))
        for most, fewest in wishes:
            if sum(fewest) <= room:
                return tuple(_shared(fewest, most, room))
        return tuple(min(size, max(width, _LEAST)) for size in stepped)


class TableLayout:
    """The rows of a table whose last line is still being written.

    `rows` is always the same list; its end is replaced as the table grows.
    """

    def __init__(
        self, width: int, palette: Palette, alignments: Sequence[Alignment | None] = ()
    ) -> None:
        self.rows: list[Row] = []
        self._room = width
        self._palette = palette
        self._alignments = alignments
        self._bar: Span = (" │ ", palette.faint)
        self._lines: list[_Line] = []
        self._settled = 0  # lines at the beginning that will not change
        self._needs = self._shown_needs = _Needs()
        self._widths: tuple[int, ...] = ()
        self._rules = (Row(()), Row(()))
        self._starts: list[int] = []  # the first row of each line

    def show(self, settled: Sequence[Sequence[Cell]], last: Sequence[Cell] | None = None) -> int:
        """Replace the last line by lines that will not change, and a new last one.

        The first line of all is the table's head. Return the first row that changed.
        """
        lines, first = self._lines, self._settled
        known = lines[first] if first < len(lines) else ()
        new = [_line_of(line, known) for line in (*settled, *([] if last is None else [last]))]
        for line in new[: len(settled)]:
            self._needs = self._needs.with_line(line)
        lines[first:] = new
        self._settled += len(settled)
        needs = self._needs if last is None else self._needs.with_line(new[-1])
        if needs != self._shown_needs:
            self._shown_needs = needs
            if (widths := needs.widths(self._room)) != self._widths:
                self._widths = widths
                self._rules = self._rule("─"), self._rule("┄")
                return self._draw(0)
        return self._draw(first + (bool(known) and new[:1] == [known]))

    def _draw(self, stale: int) -> int:
        """Lay out the lines from `stale` on; return the first row that changed."""
        starts, lines = self._starts, self._lines
        begin = starts[stale] if stale < len(starts) else len(self.rows)
        del starts[stale:]
        rows: list[Row] = []
        for number in range(stale, len(lines)):
            starts.append(begin + len(rows))
            if number > 1 and self._is_parted(lines[number - 1], lines[number]):
                rows.append(self._rules[1])
            rows += self._laid(lines[number])
            if number == 0:
                rows.append(self._rules[0])
        same: int = sum(takewhile(bool, map(eq, rows, self.rows[begin:])))
        self.rows[begin + same :] = rows[same:]
        return begin + same

    def _rule(self, dash: str) -> Row:
        text = f"{dash}┼{dash}".join(dash * size for size in self._widths)
        return Row(((text, self._palette.faint),) if text else ())

    def _is_parted(self, above: _Line, line: _Line) -> bool:
        """Return True if a rule must mark where the line begins, as its first cell does not."""
        if self._wraps(above[:1]) or self._wraps(line[:1]):
            return True
        is_lost = any(cell.natural for cell in line) and not line[0].natural
        return is_lost and (self._wraps(above) or self._wraps(line))

    def _wraps(self, cells: _Line) -> bool:
        pairs = zip(cells, self._widths, strict=False)
        return any(len(cell.folded(size)) > 1 for cell, size in pairs)

    def _laid(self, line: _Line) -> Iterator[Row]:
        """Yield the rows of a line, its cells side by side."""
        columns = [cell.folded(size) for cell, size in zip(line, self._widths, strict=False)]
        for at in range(max(map(len, columns), default=1)):
            spans: list[Span] = []
            for number, size in enumerate(self._widths):
                column = columns[number] if number < len(columns) else ()
                content, taken = column[at] if at < len(column) else ((), 0)
                spare = max(0, size - taken)
                before = self._before(number, spare)
                is_last = number == len(self._widths) - 1
                spans += self._blank(before)
                spans += content
                if not is_last:
                    spans += (*self._blank(spare - before), self._bar)
            yield Row(tuple(spans))

    def _blank(self, size: int) -> tuple[Span, ...]:
        return ((" " * size, self._palette.text),) if size else ()

    def _before(self, column: int, spare: int) -> int:
        """Return how many of the `spare` cells of a column come before its content."""
        alignment = self._alignments[column] if column < len(self._alignments) else None
        if alignment == "right":
            return spare
        return spare // 2 if alignment == "center" else 0


def _line_of(line: Sequence[Cell], known: _Line) -> _Line:
    """Return the line's cells; reuse equal ones of the line shown last, mostly all but one."""
    cells = tuple(
        cell if cell is not None and cell.source == source else _Cell(source)
        for source, cell in zip(map(tuple, line), (*known, *(None,) * len(line)), strict=False)
    )
    return known if cells == known else cells


def _widened(sizes: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(max, zip_longest(sizes, more, fillvalue=_NARROWEST)))


def _shared(fewest: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Return the width of each column: the widest give way first, none below `fewest`."""

    def at(level: int) -> list[int]:
        return [max(low, min(high, level)) for low, high in zip(fewest, most, strict=True)]

    levels = range(max(most, default=0) + 1)
    level = bisect_right(levels, room, key=lambda level: sum(at(level))) - 1
    widths = at(level)
    spare = room - sum(widths)
    for number, size in enumerate(widths):
        if spare and size == level < most[number]:
            widths[number] += 1
            spare -= 1
    return widths


def _measured(rows: Sequence[Row]) -> _Folded:
    return tuple((row.spans, sum(width_of(text) for text, _ in row.spans)) for row in rows)


def _longest_word(text: str) -> int:
    if text.isascii():
        return max(map(len, text.split(" ")))
    return max(map(width_of, re.findall(_WORD, text)), default=0)
