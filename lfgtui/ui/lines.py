"""Styled text to lines of a known width.

A `Span` is text in one style, a `Row` a line of them without a width yet, a
`Line` what the screen is given: a strip of exactly the pane's width. All text
on its way to the screen passes `visible` before its width is counted (`wrap`, `cut`,
`fit`), and once more where it becomes a strip.

Width is counted in terminal cells: Chinese and most emoji take two.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import msgspec
from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lfgtui.visible import visible

Span = tuple[str, Style]

TAB = 4
"""Columns between tab stops."""

# A word with the blanks after it; in East Asian text a line may break after any character.
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
)


@cache
def _words() -> re.Pattern[str]:
    """Compiled when the first line is wrapped: it takes as long as the rest of this import."""
    return re.compile(rf"[{_WIDE}] *|[^ {_WIDE}]+ *| +")


class Row(msgspec.Struct, frozen=True):
    """A line without its padding. `glue`: what joined it to the line before in the
    text it was wrapped from; None where it is a line of its own."""

    spans: tuple[Span, ...]
    glue: str | None = None
    fill: Style | None = None

    def indented(self, prefix: Sequence[Span]) -> "Row":
        return Row((*prefix, *self.spans), self.glue, self.fill)

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)


class Line(msgspec.Struct, frozen=True):
    """A line as drawn. `text` is what it says, without the padding."""

    strip: Strip
    text: str
    glue: str | None = None


def width_of(text: str) -> int:
    """Terminal cells the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def wrap(spans: Iterable[Span], width: int) -> list[Row]:
    """Break at blanks, and inside a word only where it is wider than the line.

    Newlines in the text end lines; tabs go to the next stop.
    """
    rows: list[Row] = []
    for line in _split(spans):
        text = "".join(part for part, _ in line)
        for begin, end, glue in _breaks(text, max(1, width)):
            rows.append(Row(tuple(_slice(line, begin, end)), glue))
    return rows


def cut(spans: Iterable[Span], width: int) -> list[Row]:
    """Break wherever the line is full: for code, where every blank counts."""
    rows: list[Row] = []
    for line in _split(spans):
        text, begin, glue = "".join(part for part, _ in line), 0, None
        for piece in [text] if width_of(text) <= width else chop_cells(text, max(2, width)):
            rows.append(Row(tuple(_slice(line, begin, begin + len(piece))), glue))
            begin, glue = begin + len(piece), ""
    return rows


def fit(left: Sequence[Span], right: Sequence[Span], width: int, base: Style) -> Row:
    """One row: `right` at the right edge, `left` shortened by an ellipsis to what remains."""
    left, right = _one_line(left), _one_line(right)
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


def finish(rows: Iterable[Row], width: int, base: Style) -> list[Line]:
    """Strips of exactly `width` cells."""
    return [_finish(row, width, base) for row in rows]


def _finish(row: Row, width: int, base: Style) -> Line:
    segments = [Segment(visible(text), base + style) for text, style in row.spans if text]
    taken = sum(width_of(segment.text) for segment in segments)
    strip = Strip(segments, taken)
    base = row.fill or base
    if taken < width:
        strip = Strip([*segments, Segment(" " * (width - taken), base)], width)
    elif taken > width:
        strip = strip.crop(0, width)
    return Line(strip, row.text.rstrip(), row.glue)


def _split(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """The spans of each line, made visible, tabs expanded."""
    line: list[Span] = []
    column = 0
    for text, style in spans:
        for number, part in enumerate(visible(text).split("\n")):
            if number:
                yield line
                line, column = [], 0
            line.append((_expand(part, column), style))
            column += len(part)
    yield line


def _expand(text: str, column: int) -> str:
    if "\t" not in text:
        return text
    return (" " * column + text).expandtabs(TAB)[column:]


def _one_line(spans: Sequence[Span]) -> list[Span]:
    return [(visible(text).replace("\n", " ").replace("\t", " "), style) for text, style in spans]


def _shortened(spans: Iterable[Span], room: int) -> Iterator[Span]:
    """As much as fits, an ellipsis last."""
    room -= 1
    for text, style in spans:
        if (size := width_of(text)) > room:
            kept = chop_cells(text, room)[0] if room > 1 else text[:room]
            yield (kept if width_of(kept) <= room else "") + "…", style
            return
        room -= size
        yield text, style


def _breaks(text: str, width: int) -> Iterator[tuple[int, int, str | None]]:
    """Begin, end and glue of each line; ends leave the blanks out."""
    begin = end = used = 0
    glue: str | None = None
    for match in _words().finditer(text):
        word = match.group()
        core = word.rstrip(" ")
        size, blanks = width_of(core), len(word) - len(core)
        if used and core and used + size > width:
            yield begin, end, glue
            glue = text[end : match.start()]
            begin, used = match.start(), 0
        if size > width:
            at = match.start()
            *full, last = chop_cells(core, max(2, width))
            for piece in full:
                yield begin, at + len(piece), glue
                at += len(piece)
                begin, glue = at, ""
            size = width_of(last)
        used += size + blanks
        end = match.end() - blanks if core else end
    yield begin, end, glue


def _slice(spans: Iterable[Span], begin: int, end: int) -> Iterator[Span]:
    """The part of the spans between two character offsets."""
    at = 0
    for text, style in spans:
        part = text[max(0, begin - at) : max(0, end - at)]
        if part:
            yield part, style
        at += len(text)
