"""The diff in a request for approval, and of a call after the decision."""

import re
from collections.abc import Iterator

from rich.style import Style

from lfgtui.ui.items.clipping import left_out
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, cut

_NUMBERED = 40
"""Least columns for the text beside line numbers."""

_LONGEST = 24
"""Most rows of the diff of a decided call."""

_MOST_LINES, _MOST = 4_000, 500_000
"""Most lines and characters of any other diff; a diff that can be approved has fewer."""

_GOES_ON = "↪"
"""Replaces the sign in rows that continue a line."""

# Matches `@@ -12,7 +12,9 @@`; a count of 1 is left out, as in `@@ -1 +1,3 @@`.
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


def diff_rows(diff: str, palette: Palette, width: int, *, is_asking: bool) -> Iterator[Row]:
    """Yield the diff, with line numbers if they fit; for a decided call, only the beginning."""
    lines = diff[:_MOST].removesuffix("\n").split("\n")
    digits = _digits(lines) if is_asking else 0
    numbers = _Numbers(digits if width - digits - 2 >= _NUMBERED else 0)
    shown = 0
    for index, line in enumerate(lines):
        if index >= _MOST_LINES or (not is_asking and shown >= _LONGEST):
            yield left_out(len(lines) - index, "line", palette)
            return
        for row in _rows(line, numbers.of(line), palette, width):
            yield row
            shown += 1
    if (over := len(diff) - _MOST) > 0:
        yield left_out(over, "character", palette)


def _rows(line: str, number: str, palette: Palette, width: int) -> Iterator[Row]:
    """Yield a line, wrapped; its number is before the first row only."""
    sign, style = line[:1], _style(line, palette)
    if sign not in ("-", "+", " "):
        yield from cut([(line, style)], width)
        return
    for row in cut([(line[1:], style)], max(1, width - len(number) - 2)):
        margin: Span = (f"{sign} ", style)
        yield row.indented(((number, palette.faint), margin) if number else (margin,))
        number, sign = " " * len(number), sign if number else _GOES_ON


def _style(line: str, palette: Palette) -> Style:
    styles = {"-": palette.bad, "+": palette.good, " ": palette.text}
    return styles.get(line[:1], palette.faint)


def _digits(lines: list[str]) -> int:
    """Return the digits of the highest line number."""
    hunks = [match.groups("1") for line in lines if (match := _HUNK.match(line))]
    ends = [int(begin) + int(count) for a, b, c, d in hunks for begin, count in ((a, b), (c, d))]
    return len(str(max(ends, default=0)))


class _Numbers:
    """Line numbers, counted line by line: a removed line's in the old text, else in the new one."""

    def __init__(self, digits: int) -> None:
        self._digits = digits
        self._old = self._new = 0

    def of(self, line: str) -> str:
        """Return the number of the next line, padded to one width; "" if none are shown."""
        if hunk := _HUNK.match(line):
            self._old, self._new = int(hunk[1]), int(hunk[3])
        number = self._old if line.startswith("-") else self._new
        self._old += line.startswith(("-", " "))
        self._new += line.startswith(("+", " "))
        return f"{number:>{self._digits}} " if self._digits else ""
