"""Bounds on what is read as Markdown: lines, blocks, and the markup in them.

markdown-it takes quadratic time for some texts, and every frame reads the open block again. So
there are bounds, far beyond what anybody writes for a reader. The position of each depends
neither on the text that follows nor on the pieces in which it arrived:

- A line is split after `LONGEST_LINE` characters. Between the two lines is a *joint*, which is
  removed from all text that is shown or copied (`without_joints`).
- A block is split after `LONGEST_BLOCK` characters or `MOST_LINES` lines, and goes on in
  another one (`open_tail`).
- What follows `readable_end` in a paragraph or a cell is plain text.
- A row of dashes with more than `MOST_COLUMNS` columns makes no table, and a line that lacks
  more than `MOST_MISSING` of its cells ends one.
"""

import re

LONGEST_LINE = 10_000
LONGEST_BLOCK = 50_000
MOST_LINES = 500
MOST_COLUMNS = 64
MOST_MISSING = 8
"""Cells that a table line may lack; each is filled in and costs as much as a written one."""

MOST_CELLS = 2_000
"""Cells of a table before it is split; each line counts with all columns of the table."""

LONGEST_LABEL = 1_000
"""Most characters of an unclosed link label (CommonMark: 999)."""

_DEEPEST = 50
"""Most brackets that are open at once: markdown-it searches all of the text for the end of each."""

_MOST_BRACKETS = 400
_MOST_ADDRESSES = 500
"""Most signs of an address (`:`, `@`, `//`): linkify searches on from each of them."""

_MOST_SIGNS = 2_500
"""Most characters that may be markup; reading these takes 50 ms at worst."""

_SIGNS = "[]:@/*_~`<&\\\n!"  # the first five are unpacked in `readable_end`
_COUNTED = re.compile(r"[\[\]:@*_~`<&\\\n!]|//")

_JOINT = "\0\n"
"""The beginning of a joint; the line's margin and another NUL follow."""

_JOINED = re.compile(r"\0\n[ \t>]*\0")
_WIDEST_MARGIN = 100
"""Most characters of a margin (quote marks, indentation) that are repeated after a joint."""


class Lines:
    """Splits lines that are too long, as they arrive. The text must not contain NUL."""

    def __init__(self) -> None:
        self._length = 0  # of the last line since its beginning or joint
        self._margin = ""  # its beginning
        self._is_in_margin = True

    def cut(self, text: str) -> str:
        """Return the text with joints where a line would be too long."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if number:
                self._length, self._margin, self._is_in_margin = 0, "", True
            lines[number] = self._cut(line)
        return "\n".join(lines)

    def _cut(self, line: str) -> str:
        """Return more of the last line, with joints."""
        if self._is_in_margin and line:
            self._note_margin(line)
        if self._length + len(line) <= LONGEST_LINE:
            self._length += len(line)
            return line
        parts: list[str] = []
        at = 0
        while (room := LONGEST_LINE - self._length) < len(line) - at:
            parts += (line[at : at + room], _JOINT, self._margin, "\0")
            at, self._length = at + room, 0
        self._length += len(line) - at
        return "".join([*parts, line[at:]])

    def _note_margin(self, text: str) -> None:
        """Note the margin (quote marks, indentation) that the next line has to repeat."""
        margin = text[: len(text) - len(text.lstrip(" \t>"))][: _WIDEST_MARGIN - len(self._margin)]
        self._margin += margin
        self._is_in_margin = len(margin) == len(text) and len(self._margin) < _WIDEST_MARGIN


def without_joints(text: str) -> str:
    """Return the text as it was written."""
    return _JOINED.sub("", text).replace("\0", "") if "\0" in text else text


def readable_end(content: str) -> int | None:
    """Return the index in a paragraph or cell from which on all is plain text; None if none is."""
    if len(content) <= _MOST_ADDRESSES and content.count("[") <= _DEEPEST:
        return None
    counts = [content.count(sign) for sign in _SIGNS]
    brackets, _, colons, ats, slashes, *_ = counts
    is_long = len(content) > LONGEST_BLOCK or sum(counts) > _MOST_SIGNS
    if not is_long and brackets <= _DEEPEST and colons + ats + slashes <= _MOST_ADDRESSES:
        return None
    depth = brackets = addresses = 0
    for signs, sign in enumerate(_COUNTED.finditer(content, 0, LONGEST_BLOCK), 1):
        match sign.group():
            case "[":
                depth, brackets = depth + 1, brackets + 1
            case "]":
                depth = max(0, depth - 1)
            case ":" | "@" | "//":
                addresses += 1
        if (
            signs > _MOST_SIGNS
            or depth > _DEEPEST
            or brackets > _MOST_BRACKETS
            or addresses > _MOST_ADDRESSES
        ):
            return sign.start()
    return LONGEST_BLOCK if len(content) > LONGEST_BLOCK else None
