"""Breaks of a line of text into rows; `wrapping` styles them.

`wrapped` breaks after blanks, and in East Asian text between any two characters
except where typesetters do not (a closing bracket or a full stop never begins a line,
an opening bracket never ends it); a word wider than the line is broken where the line
is full. `filled` breaks only where the line is full.

A break depends on the text before it and on the cluster after it, never on later text,
and each row is as long as possible. So as text grows, every row but the last stays as
it is.
"""

import re
from bisect import bisect_left, bisect_right
from functools import cache

from lfgtui.ui.text.cell_width import Measure, is_narrow, measure

RowBounds = tuple[int, int]
"""Begin and end of a row in the text. Between two rows there are only blanks."""

# A line may be broken after any of these; emoji count as East Asian characters.
_WIDE = (
    "\u1100-\u115f\u231a\u231b\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60"
    "\uffe0-\uffe6\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_SPACES = " \u1680\u2000-\u2006\u2008-\u200a\u205f"
# Invisible, and part of the cluster before: the first allows a break, the others forbid it.
_MAY_BREAK = "\u200b"
_MAY_NOT = frozenset("\u2060\ufeff")
_GLUE = "\u00a0\u2007\u202f"  # blanks at which no line is broken
# Kinsoku: characters that never begin a line, and characters that never end one.
_CLOSING = (
    _GLUE + r"!%),.:;?\]}'\"’”»…‥‼⁇-⁉%、。，．：；！？）］｝」』】〕〉》〙〗〟｠｡｣､･・"
    "ヽヾゝゞ々〻ー゠〜～ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ\u3000"
)
_OPENING = _GLUE + r"(\[{‘“«（［｛「『【〔〈《〘〖〝｟｢"


def wrapped(text: str, first: int, rest: int) -> list[RowBounds]:
    """Break a line without newlines and tabs at blanks, into rows of `first` cells and then of
    `rest`. No row ends in a blank, and only the first may begin with one."""
    if len(text) <= first and text.isascii() and not text.endswith(" "):
        return [(0, len(text))]
    last = len(text.rstrip(" "))
    indent = _after_blanks(text, 0, last)
    places: list[RowBounds] = []
    begin, room = 0, first
    while (end := _row_end(text, begin, room, indent, last)) < last:
        places.append((begin, begin + len(text[begin:end].rstrip(" "))))
        begin, room = _after_blanks(text, end, last), rest
    places.append((begin, last))
    return places


def filled(text: str, first: int, rest: int) -> list[RowBounds]:
    """Break a line of code where a row is full, since every blank counts."""
    begin, end = 0, _full(text, 0, first)[0]
    places = [(begin, end)]
    while end < len(text):
        begin, end = end, _full(text, end, rest)[0]
        places.append((begin, end))
    return places


def _row_end(text: str, begin: int, room: int, indent: int, last: int) -> int:
    """Return the end of the row from `begin`, of `room` cells; blanks may end or follow it.

    The blanks before `indent`, with which the line begins, are no place to break it.
    """
    full, window = _full(text, begin, room)
    if full >= last:
        return last
    least = max(begin, indent)
    if window is None:
        if text[full] == " ":
            return full
        end = text.rfind(" ", least, full) + 1
        return end if end > least else full
    heads, _, offsets = window
    index = bisect_left(offsets, full - begin)
    if heads[index] == " ":
        return full
    while (end := begin + offsets[index]) > least:
        if _may_break(heads, index, text[end - 1]):
            return end
        index -= 1
    return full


def _full(text: str, begin: int, room: int) -> tuple[int, Measure | None]:
    """Return the end of a full row, of at least one cluster, and the `Measure` of its clusters and
    at least the next one; None instead of that if all text there is narrow."""
    size = room + 2
    while True:
        part = text[begin : begin + size]
        if is_narrow(part):
            return min(begin + room, len(text)), None
        window = measure(part)
        index = max(1, bisect_right(window.cells, room) - 1)
        # The last cluster of a part may be incomplete.
        if index + 1 < len(window.heads) or begin + size >= len(text):
            return begin + window.offsets[index], window
        size *= 2


def _after_blanks(text: str, begin: int, last: int) -> int:
    """Return the first index after the blanks; a blank with a combining mark counts as text."""
    end = begin
    while end < last and text[end] == " ":
        end += 1
    if begin < end < last and len(measure(text[end - 1 : end + 1]).heads) == 1:
        return end - 1
    return end


def _may_break(heads: str, index: int, before: str) -> bool:
    """Return True if the row may end before `index`; `before` is the character before it."""
    if before == _MAY_BREAK:
        return heads[index] != " "
    return before not in _MAY_NOT and _break().match(heads, index) is not None


@cache
def _break() -> re.Pattern[str]:
    """Return the pattern, compiled with the first line that needs it."""
    return re.compile(
        f"(?<=[{_SPACES}])(?=[^ ])"
        f"|(?<=[{_WIDE}])(?<![{_OPENING}])(?=[^ {_CLOSING}])"
        f"|(?<=[^{_OPENING}])(?=[{_WIDE}])(?![{_CLOSING}])"
    )
