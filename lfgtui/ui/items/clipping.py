"""Long texts in cards: their first and last rows, and how much lies between.

The cost depends on what is shown, not on the text's length: a line of a megabyte
is not laid out to show a screenful of it.
"""

from collections.abc import Iterator, Sequence

from rich.style import Style

from lfgtui.model.fold.items import SHOWN
from lfgtui.text.growing_text import Growing
from lfgtui.text.terminal_safe import plain_output
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, cut

_HEAD, _TAIL = 12, 36
"""Rows of a long output that an unfolded card shows, from its start and its end."""

_LIVE = 12
"""Most rows of live output, from its end."""

_LONG = 24
"""Most rows of one line."""

_READ = 5_000
"""Least characters shown of both ends of a text that is wrapped whole."""

_STRIDE = 4
"""An endless line is laid out from a multiple of this many windows (`room` in `_end_of`), so that
its rows begin elsewhere only once in a while."""


def clipped(
    text: str,
    style: Style,
    palette: Palette,
    width: int,
    head: int,
    tail: int,
    longest: int = _LONG,
    before: int = 0,
) -> Sequence[Row]:
    """Return the rows of the first `head` and the last `tail` lines of a text, and one between
    them with the number of lines left out.

    Of a line that fills more than `longest` rows the beginning and the end are shown.
    `before`: the number of lines before the text; then none of its first lines are shown.
    """
    text = text.strip("\n")
    hidden = before + text.count("\n") + 1 - head - tail
    if hidden <= 1:
        return list(_cut(text.split("\n"), style, width, palette, longest))
    last = text.rsplit("\n", tail)[-tail:] if tail else ()
    return [
        *_cut(text.split("\n", head)[:head], style, width, palette, longest),
        left_out(hidden, "line", palette),
        *_cut(last, style, width, palette, longest),
    ]


def live_rows(text: str, palette: Palette, width: int) -> Sequence[Row]:
    """Return the last rows of live output."""
    return clipped(text, palette.muted, palette, width, 0, _LIVE)


def output_rows(output: str, live: tuple[str, int], palette: Palette, width: int) -> Sequence[Row]:
    """Return the rows of a tool's output or, until it is complete, of the end of its live output.

    `live` is that end, and the number of lines before it.
    """
    if len(output) > 2 * SHOWN:  # of the middle only the lines are counted
        first = plain_output(output[:SHOWN]).lstrip("\n").split("\n")
        last = plain_output(output[-SHOWN:]).rstrip("\n").split("\n")
        hidden = max(0, len(first) - _HEAD) + max(0, len(last) - _TAIL)
        hidden += output.count("\n", SHOWN, len(output) - SHOWN)
        return [
            *_cut(first[:_HEAD], palette.text, width, palette, _LONG),
            left_out(hidden, "line", palette),
            *_cut(last[-_TAIL:], palette.text, width, palette, _LONG),
        ]
    if whole := plain_output(output).strip("\n"):
        return clipped(whole, palette.text, palette, width, _HEAD, _TAIL)
    text, before = live
    if end := plain_output(text).strip("\n"):
        return clipped(end, palette.text, palette, width, 0, _LIVE, before=before)
    return ()


def shortened(text: str) -> str:
    """Return the text, or the beginning and end of one too long to read."""
    if (over := len(text) - 2 * _READ) <= 0:
        return text
    return f"{text[:_READ]} … {over:,} more characters … {text[-_READ:]}"


def last_rows(
    text: Growing, breaks: int, style: Style, palette: Palette, width: int, count: int
) -> Sequence[Row]:
    """Return the last rows of a text that grows; `breaks` is the number of newlines in it.

    Rows begin where they would if all of the text were laid out, so that they move up
    unchanged. (In one endless line of wide characters they may begin elsewhere.)
    """
    begin, tail = _end_of(text, count * max(1, width))
    closed = tail.rstrip("\n")
    rows = cut([(closed if begin else closed.lstrip("\n"), style)], width)
    if begin == 0 and len(rows) <= count + 1:
        return rows
    shown = rows[-count:]
    if breaks == 0:
        hidden = len(text) - sum(len(row.text) for row in shown)
        return [left_out(hidden, "character", palette), *shown]
    last = breaks - (len(tail) - len(closed)) + 1
    hidden = last - sum(row.glue is None for row in shown)
    return [left_out(hidden, "line", palette), *shown]


def _end_of(text: Growing, room: int) -> tuple[int, str]:
    """Return where a row begins, at least `room` characters from the end, and the text from it."""
    begin = max(0, len(text) - 2 * room)
    tail = text.since(begin)
    if begin == 0:
        return begin, tail
    edge = tail.find("\n", 0, room) + 1
    if edge:
        return begin + edge, tail[edge:]
    whole = str(text)
    line = whole.rfind("\n", 0, begin) + 1
    begin = line + (begin - line) // (_STRIDE * room) * (_STRIDE * room)
    return begin, whole[begin:]


def _cut(
    lines: Sequence[str], style: Style, width: int, palette: Palette, longest: int
) -> Iterator[Row]:
    """Yield the rows of the lines; of a very long line, the first and the last ones."""
    half = longest // 2 * max(1, width)
    for line in lines:
        if len(line) <= 2 * half:
            yield from cut([(line, style)], width)
            continue
        yield from cut([(line[:half], style)], width)
        yield left_out(len(line) - 2 * half, "character", palette)
        yield from cut([(line[-half:], style)], width)


def left_out(count: int, what: str, palette: Palette) -> Row:
    """Return the row that says how many lines or characters (`what`) are left out."""
    return Row(((f"… {count:,} more {what}{'s' * (count != 1)}", palette.faint),))
