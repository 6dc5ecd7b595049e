"""Styled text to rows that fit.

A `Span` is text in one style. A `Row` is a line of spans without newlines, tabs and
control characters, as `wrap`, `cut`, `fit` and `Flow` make it. Rows are kept in memory;
`strips` makes a strip of a row when it comes into view.

Width is counted in terminal cells: Chinese and most emoji take two. A cluster of
characters (a letter and its accents, a family of emoji) is never split, neither by
the edge of a line nor by a change of style: only the whole has a known look and
width.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec
from rich.style import Style

from lfgtui.text.terminal_safe import visible
from lfgtui.ui.text.cell_width import fitting, is_loose, is_narrow, measure, stream_safe, width_of
from lfgtui.ui.text.line_breaking import RowBounds, filled, wrapped

__all__ = (
    "TAB",
    "Flow",
    "Row",
    "Span",
    "cut",
    "fit",
    "one_line",
    "text_of",
    "width_of",
    "wrap",
)

Span = tuple[str, Style]
"""A text in one style; `styled_line.Span` is another."""

TAB = 4
"""Columns between tab stops."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A line without its padding.

    `glue`: the text between it and the row before in the line that both were wrapped from;
    None if it begins a line. `fill`: the style of the rest of the line; None: the background's.
    `margin`: the number of characters at its beginning that are not text, such as a quote's bar.
    """

    spans: tuple[Span, ...]
    glue: str | None = None
    fill: Style | None = None
    margin: int = 0

    def indented(self, prefix: Sequence[Span]) -> "Row":
        return Row((*prefix, *self.spans), self.glue, self.fill, self.margin + _length(prefix))

    @property
    def text(self) -> str:
        return "".join([text for text, _ in self.spans])

    @property
    def indent(self) -> int:
        """The number of characters that wrapping put at its beginning; 0 if it begins a line."""
        return 0 if self.glue is None else self.margin


def text_of(rows: Sequence[Row], number: int) -> str:
    """Return a row's text as it was before wrapping.

    Without the characters that wrapping put before it, and without blanks at its end unless the
    line goes on after them.
    """
    row, text = rows[number], rows[number].text
    if number + 1 == len(rows) or rows[number + 1].glue != "":
        text = text.rstrip()
    return text[row.indent :]


def wrap(
    spans: Iterable[Span], width: int, first: Sequence[Span] = (), rest: Sequence[Span] = ()
) -> list[Row]:
    """Return rows, broken at blanks, and inside a word only if it is wider than the line.

    Newlines in the text end lines; tabs go to the next stop. `first` is put before the
    first row and `rest` before the others, within the width.
    """
    layout = _Layout.of(width, first, rest)
    rows: list[Row] = []
    for line in _lines(spans):
        rows += layout.lay(line, len(rows)).rows
    return rows


def cut(spans: Iterable[Span], width: int) -> list[Row]:
    """Return rows, broken wherever the line is full: for code, where every blank counts."""
    rows: list[Row] = []
    room = max(1, width)
    for line in _lines(spans):
        text = "".join([part for part, _ in line])
        glue = None
        for part in _parts(_whole(line, text), filled(text, room, room)):
            rows.append(Row(part, glue))
            glue = ""
    return rows


class Flow:
    """Text that grows, wrapped as `wrap` would wrap all of it.

    The cost of adding depends on the addition and the last row only: all other rows of settled
    text cannot change any more (`line_breaking` says why).
    """

    rows: list[Row]
    """All rows, always the same list."""

    def __init__(self, width: int, first: Sequence[Span] = (), rest: Sequence[Span] = ()) -> None:
        self._layout = _Layout.of(width, first, rest)
        self._closed = 0  # rows at the beginning that cannot change any more
        # The settled text that begins in the last row, what glues that row to the one
        # before, and the cells of its line that are above it.
        self._open: list[Span] = []
        self._glue: str | None = None
        self._column = 0
        self.rows = self._layout.lay([], 0).rows
        # The rows after the last `show`, from the row `_seen_from` on.
        self._seen_from = 0
        self._seen: list[Row] = []
        self._left: int | None = None  # cells left in the last row; None until `extend` needs it

    def settle(self, spans: Iterable[Span]) -> None:
        """Append text that will not change any more, in place of the shown text; then `show`."""
        del self.rows[self._closed :]
        *complete, self._open = _lines(spans, self._open, self._column)
        for line in complete:
            self.rows += self._layout.lay(line, len(self.rows), self._glue).rows
            self._glue, self._column = None, 0
        laid = self._layout.lay(self._open, len(self.rows), self._glue)
        self.rows += laid.rows
        self._closed = len(self.rows) - 1
        if begin := laid.places[-1][0]:
            self._glue = self.rows[-1].glue
            self._column += width_of(laid.text[:begin])
            self._open = list(next(_parts(self._open, [(begin, len(laid.text))])))

    def show(self, spans: Iterable[Span]) -> int:
        """Show text after the settled one, until the next call of either method.

        Return the index of the first row that differs from those after the last `show`, or
        the number of rows; the rows before it are the same objects.
        """
        self._left = None
        del self.rows[self._closed :]
        glue = self._glue
        for line in _lines(spans, self._open, self._column):
            self.rows += self._layout.lay(line, len(self.rows), glue).rows
            glue = None
        return self._look()

    def extend(self, text: str) -> bool:
        """Add to the end of the shown text, in its style.

        Return False if it does not fit after the last row or is not plain: then all of the text
        must be shown again.
        """
        row = self.rows[-1]
        if not (row.spans and text.isascii() and text.isprintable()) or text.endswith(" "):
            return False
        last, style = row.spans[-1]
        if self._left is None:
            self._left = self._layout.room(len(self.rows) - 1, row) if is_narrow(last) else 0
        self._left -= len(text)
        if self._left < 0:
            self._left = 0
            return False
        self.rows[-1] = Row((*row.spans[:-1], (last + text, style)), row.glue, margin=row.margin)
        self._seen[-1] = self.rows[-1]
        return True

    def _look(self) -> int:
        """Replace rows by equal ones that were there before; return the first that differs."""
        first = self._seen_from
        for old, new in zip(self._seen, self.rows[first:], strict=False):
            if old != new:
                break
            self.rows[first] = old
            first += 1
        self._seen_from, self._seen = self._closed, self.rows[self._closed :]
        return first


class _Laid(NamedTuple):
    """The rows of one line, its whole text, and where each row is in that."""

    rows: list[Row]
    text: str
    places: list[RowBounds]


class _Layout(NamedTuple):
    """Prefixes of the first row of a text and of the others, and the cells left."""

    first: tuple[Span, ...]
    rest: tuple[Span, ...]
    first_room: int
    rest_room: int

    @classmethod
    def of(cls, width: int, first: Sequence[Span], rest: Sequence[Span]) -> "_Layout":
        rooms = (
            max(1, width - sum(width_of(text) for text, _ in spans)) for spans in (first, rest)
        )
        return cls(tuple(first), tuple(rest), *rooms)

    def room(self, number: int, row: Row) -> int:
        """Return the cells left in a row, the text's row `number`."""
        prefix, room = (self.rest, self.rest_room) if number else (self.first, self.first_room)
        return room - sum(width_of(text) for text, _ in row.spans[len(prefix) :])

    def lay(self, line: list[Span], number: int, glue: str | None = None) -> _Laid:
        """Return the rows of one line, the first being the text's row `number`."""
        text = line[0][0] if len(line) == 1 else "".join([part for part, _ in line])
        prefix, room = (self.rest, self.rest_room) if number else (self.first, self.first_room)
        places = wrapped(text, room, self.rest_room)
        if text and places == [(0, len(text))]:
            row = Row((*prefix, *_whole(line, text)), glue, margin=_length(prefix))
            return _Laid([row], text, places)
        rows: list[Row] = []
        last = 0
        for part, (begin, end) in zip(_parts(_whole(line, text), places), places, strict=True):
            if begin:
                prefix, glue = self.rest, text[last:begin]
            spans = prefix + part if prefix else part
            rows.append(Row(spans, glue, margin=_length(prefix)))
            last = end
        return _Laid(rows, text, places)


def fit(left: Sequence[Span], right: Sequence[Span], width: int, base: Style) -> Row:
    """Return one row: `right` at the right edge, `left` cut with an ellipsis to the rest."""
    left, right = one_line(left), one_line(right)
    room = width - sum(width_of(text) for text, _ in right)
    if room < min(8, width) and right:
        return fit(left, (), width, base)
    taken = sum(width_of(text) for text, _ in left)
    space = 1 if right else 0
    if taken > room - space:
        left = list(_shortened(left, room - space))
        taken = sum(width_of(text) for text, _ in left)
    if right:
        left = [*left, (" " * (room - taken), base)]
    return Row((*left, *right))


def _lines(
    spans: Iterable[Span], before: Iterable[Span] = (), column: int = 0
) -> Iterator[list[Span]]:
    """Yield the spans of each line, control characters visible, tabs expanded; the first line
    begins with `before`, and that at `column`."""
    line = list(before)
    for text, style in spans:
        if text.isprintable():
            _append(line, text, style)
            continue
        for number, part in enumerate(visible(text).split("\n")):
            if number:
                yield _safe(line)
                line, column = [], 0
            if "\t" in part:
                part = _expanded(part, column + width_of("".join([text for text, _ in line])))
            _append(line, part, style)
    yield _safe(line)


def _safe(line: list[Span]) -> list[Span]:
    """Return the line without too long clusters, even across spans."""
    for part, _ in line:
        if not part.isascii():
            break
    else:
        return line
    text = "".join([text for text, _ in line])
    safe = stream_safe(text)
    return line if safe is text else [*_restyled(line, safe)]


def _restyled(line: Sequence[Span], text: str) -> Iterator[Span]:
    """Return another text of the same length in the styles of this line."""
    begin = 0
    for part, style in line:
        yield text[begin : begin + len(part)], style
        begin += len(part)


def _length(spans: Iterable[Span]) -> int:
    return sum([len(text) for text, _ in spans])


def _append(line: list[Span], text: str, style: Style) -> None:
    if line and line[-1][1] is style:
        line[-1] = (line[-1][0] + text, style)
    elif text:
        line.append((text, style))


def _expanded(text: str, column: int) -> str:
    """Return the text, which begins at `column`, with tabs as blanks up to the next stop."""
    first, *others = text.split("\t")
    column += width_of(first)
    parts = [first]
    for part in others:
        blanks = TAB - column % TAB
        parts += (" " * blanks, part)
        column += blanks + width_of(part)
    return "".join(parts)


def _whole(spans: list[Span], text: str) -> list[Span]:
    """Return the spans of the text, with each cluster in the style of its beginning."""
    if len(spans) < 2 or text.isascii():
        return spans
    ends = list(accumulate(len(part) for part, _ in spans))
    if all(is_loose(text[end - 1 : end + 1]) for end in ends):
        return spans
    edges = measure(text).offsets
    whole: list[Span] = []
    begin = 0
    for end, (_, style) in zip(ends, spans, strict=True):
        edge = edges[bisect_left(edges, end)]
        if edge > begin:
            whole.append((text[begin:edge], style))
            begin = edge
    return whole


def _parts(spans: Sequence[Span], places: Iterable[RowBounds]) -> Iterator[tuple[Span, ...]]:
    """Yield the spans of each row, given the rows in order."""
    if len(spans) == 1:
        text, style = spans[0]
        for begin, end in places:
            yield ((text[begin:end], style),) if end > begin else ()
        return
    index = at = 0
    for begin, end in places:
        while index < len(spans) and at + len(spans[index][0]) <= begin:
            at += len(spans[index][0])
            index += 1
        yield tuple(_slice(spans, index, begin - at, end - at))


def _slice(spans: Sequence[Span], index: int, begin: int, end: int) -> Iterator[Span]:
    """Return the spans between two characters, counted from the span at `index`."""
    while end > begin and index < len(spans):
        text, style = spans[index]
        if begin < len(text):
            yield text[begin:end], style
        begin, end = max(0, begin - len(text)), end - len(text)
        index += 1


def one_line(spans: Sequence[Span]) -> list[Span]:
    """Return the spans as one safe line: blanks for newlines and tabs."""
    flat = _safe([(_flat(text), style) for text, style in spans])
    return _whole(flat, "".join([text for text, _ in flat]))


def _flat(text: str) -> str:
    if text.isprintable():
        return text
    return visible(text).replace("\n", " ").replace("\t", " ")


def _shortened(spans: Iterable[Span], room: int) -> Iterator[Span]:
    """Return as much as fits, an ellipsis last."""
    room -= 1
    for text, style in spans:
        if (size := width_of(text)) > room:
            yield text[: fitting(text, room)] + "…", style
            return
        room -= size
        yield text, style
