"""Tables that grow line by line, in columns that fit.

A column's width follows from two figures of its cells, the widest content and
the longest word, taken over all lines of the table. So the order of lines does
not matter, and a line costs the same anywhere, unless it is the first to need a
wider column: only then is the whole table laid out again.

What a column may ask for, from most to least: its content rounded up (a cell
being typed would widen its column at every key otherwise), its content, its
longest word, its longest word if that is no address or path, a few cells. The
table takes the first of these that the pane has room for, and shares what is
left so that the widest columns give way first. Where not even the last fits,
the table is wider than the pane, and nothing wraps that the pane could show
in one piece.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, cut, width_of, wrap

Alignment = Literal["left", "right", "center"]
Cell = Sequence[Span]

_NARROWEST = 3
"""Fewest cells of a column: as many as its delimiter in the source has."""

_STEP = 4
_ORDINARY = 16
"""Cells: a word longer than that may be broken to spare the ordinary ones."""

_LEAST = 6
"""Words broken into less than this are no longer read as words."""

_GAP = 3
_ENDLESS = 1 << 30

# East Asian text breaks after any character: it is no part of a word. Compiled when first used.
_WORD = (
    "[^ \u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]+"
)


_Folded = Sequence[tuple[tuple[Span, ...], int]]
"""Lines of a cell: their spans, and their width in terminal cells."""


class _Cell:
    """Content of a cell, and its lines at the width last asked for."""

    __slots__ = ("_folded", "_size", "_whole", "natural", "word")

    def __init__(self, spans: Cell) -> None:
        rows = cut(spans, _ENDLESS)
        self._whole = _measured(rows)
        self._folded = self._whole
        self._size = _ENDLESS
        self.natural = max(size for _, size in self._whole)
        self.word = max(_longest_word(row.text) for row in rows)

    def folded(self, size: int) -> _Folded:
        if size >= self.natural:
            return self._whole
        if size != self._size:
            self._size = size
            self._folded = _measured([row for line, _ in self._whole for row in wrap(line, size)])
        return self._folded


_Line = tuple[_Cell, ...]


class _Needs:
    """Widths that the columns need, over all lines so far."""

    __slots__ = ("_natural", "_room", "_widths", "_words")

    def __init__(self, natural: tuple[int, ...] = (), words: tuple[int, ...] = ()) -> None:
        self._natural = natural
        self._words = words
        self._room = -1
        self._widths: tuple[int, ...] = ()

    def with_line(self, line: _Line) -> "_Needs":
        """Return the needs with the line; the same object if it adds nothing."""
        missing = (_NARROWEST,) * (len(line) - len(self._natural))
        natural, words = [*self._natural, *missing], [*self._words, *missing]
        for number, cell in enumerate(line):
            natural[number] = max(natural[number], cell.natural)
            words[number] = max(words[number], cell.word)
        grown = tuple(natural), tuple(words)
        return self if grown == (self._natural, self._words) else _Needs(*grown)

    def widths(self, room: int) -> tuple[int, ...]:
        if room != self._room:
            self._room = room
            self._widths = _widths(self._natural, self._words, room)
        return self._widths


class TableLayout:
    """The rows of a table whose last line is still being written."""

    def __init__(
        self, width: int, palette: Palette, alignments: Sequence[Alignment | None] = ()
    ) -> None:
        self._room = width
        self._palette = palette
        self._alignments = alignments
        self._bar: Span = (" │ ", palette.faint)
        self._blanks: list[Span] = []
        self._lines: list[_Line] = []
        self._open: _Line | None = None
        self._open_source: tuple[tuple[Span, ...], ...] = ()
        self._needs = _Needs()
        self._open_needs = self._needs
        self._widths: tuple[int, ...] = ()
        self._rules = (Row(()), Row(()))
        self._rows: list[Row] = []
        self._starts: list[int] = []
        self._stale = 0  # lines before this one are drawn as they are
        self._changed = 0

    @property
    def rows(self) -> Sequence[Row]:
        """Rows so far: the same list at every call, its end replaced as the table grows."""
        self._draw()
        return self._rows

    @property
    def width(self) -> int:
        """Width of the widest row in cells: more than was given if the table cannot fit."""
        self._draw()
        return sum(self._widths) + _GAP * max(0, len(self._widths) - 1)

    def settle(self, line: Sequence[Cell]) -> None:
        """Add a line that can change no more, in place of the one that was shown.

        The first is the table's head.
        """
        cells = self._cells(line)
        if cells is not self._open:
            self._stale = min(self._stale, len(self._lines))
        self._needs = self._needs.with_line(cells)
        self._lines.append(cells)
        self._open, self._open_source, self._open_needs = None, (), self._needs

    def show(self, line: Sequence[Cell] | None) -> int:
        """Put the line that is still being written after the settled ones.

        Return the index of the first row that changed since the last call.
        """
        cells = None if line is None else self._cells(line)
        if cells is not self._open or cells is None:
            self._stale = min(self._stale, len(self._lines))
        self._open = cells
        self._open_source = tuple(map(tuple, line or ()))
        self._open_needs = self._needs if cells is None else self._needs.with_line(cells)
        self._draw()
        changed, self._changed = self._changed, len(self._rows)
        return changed

    def _cells(self, line: Sequence[Cell]) -> _Line:
        """Return the cells; equal ones of the line shown last are kept: all but one, mostly."""
        kept, source = self._open or (), self._open_source
        cells = tuple(
            kept[number] if number < len(kept) and source[number] == tuple(cell) else _Cell(cell)
            for number, cell in enumerate(line)
        )
        return kept if self._open is not None and cells == kept else cells

    def _draw(self) -> None:
        """Lay out stale lines, and return the first row that changes."""
        self._fit()
        starts, settled = self._starts, len(self._lines)
        count = settled + (self._open is not None)
        if self._stale == count == len(starts):
            return
        begin = starts[self._stale] if self._stale < len(starts) else len(self._rows)
        del starts[self._stale :]
        rows: list[Row] = []
        above = self._lines[self._stale - 1] if self._stale else ()
        for number in range(self._stale, count):
            line = self._lines[number] if number < settled else self._open or ()
            starts.append(begin + len(rows))
            if number > 1 and self._is_parted(above, line):
                rows.append(self._rules[1])
            rows += self._laid(line)
            if number == 0:
                rows.append(self._rules[0])
            above = line
        same = _common(rows, self._rows, begin)
        self._rows[begin + same :] = rows[same:]
        self._changed = min(self._changed, begin + same)
        self._stale = count

    def _fit(self) -> None:
        widths = self._open_needs.widths(self._room)
        if widths == self._widths:
            return
        self._widths = widths
        self._stale = 0
        self._rules = self._rule("─"), self._rule("┄")
        for size in range(len(self._blanks), max(widths, default=0) + 1):
            self._blanks.append((" " * size, self._palette.text))

    def _rule(self, dash: str) -> Row:
        text = f"{dash}┼{dash}".join(dash * size for size in self._widths)
        return Row(((text, self._palette.faint),) if text else ())

    def _is_parted(self, above: _Line, line: _Line) -> bool:
        """Return True if a rule must show where the line begins, as its first cell does not."""
        if self._wraps(above[:1]) or self._wraps(line[:1]):
            return True
        is_lost = not _says(line[:1]) and _says(line)
        return is_lost and (self._wraps(above) or self._wraps(line))

    def _wraps(self, cells: _Line) -> bool:
        pairs = zip(cells, self._widths, strict=False)
        return any(len(cell.folded(size)) > 1 for cell, size in pairs)

    def _laid(self, line: _Line) -> list[Row]:
        columns = [cell.folded(size) for cell, size in zip(line, self._widths, strict=False)]
        height = max(map(len, columns), default=1)
        return [self._row(columns, at) for at in range(height)]

    def _row(self, columns: Sequence[_Folded], at: int) -> Row:
        spans: list[Span] = []
        last = len(self._widths) - 1
        for number, size in enumerate(self._widths):
            column = columns[number] if number < len(columns) else ()
            content, taken = column[at] if at < len(column) else ((), 0)
            spare = max(0, size - taken)
            if before := self._before(number, spare):
                spans.append(self._blanks[before])
            spans += content
            if number < last:
                if spare > before:
                    spans.append(self._blanks[spare - before])
                spans.append(self._bar)
        return Row(tuple(spans))

    def _before(self, column: int, spare: int) -> int:
        alignment = self._alignments[column] if column < len(self._alignments) else None
        if alignment == "right":
            return spare
        return spare // 2 if alignment == "center" else 0


def _widths(natural: Sequence[int], words: Sequence[int], width: int) -> tuple[int, ...]:
    room = width - _GAP * (len(natural) - 1)
    stepped = [-(-size // _STEP) * _STEP for size in natural]
    ordinary = [min(size, _ORDINARY) for size in words]
    least = [min(size, _LEAST) for size in words]
    wishes = ((stepped, natural), (natural, words), (natural, ordinary), (ordinary, least))
    for most, fewest in wishes:
        if sum(fewest) <= room:
            return tuple(_shared(fewest, most, room))
    return tuple(min(size, max(width, _LEAST)) for size in stepped)


def _shared(fewest: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Return the width of each column: the widest give way first, none below its fewest."""

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


def _says(cells: _Line) -> bool:
    return any(cell.natural for cell in cells)


def _measured(rows: Sequence[Row]) -> _Folded:
    return tuple((row.spans, sum(width_of(text) for text, _ in row.spans)) for row in rows)


def _longest_word(text: str) -> int:
    if text.isascii():
        return max(map(len, text.split(" ")))
    return max(map(width_of, re.findall(_WORD, text)), default=0)


def _common(rows: Sequence[Row], others: Sequence[Row], begin: int) -> int:
    """Return the number of equal rows at the beginning."""
    for number, row in enumerate(rows):
        if begin + number >= len(others) or row != others[begin + number]:
            return number
    return len(rows)
