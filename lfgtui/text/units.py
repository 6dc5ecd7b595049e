"""Sentences and sections of a Markdown text that grows at its end.

For readers of headless runs, who get whole units, and for speech. The end of a unit is decided by
the characters around a full stop and at the beginning of a line, for no language in particular.
Not recognized are a sentence that begins with a small letter or ends in an initial ("plan B."),
tables without outer bars, code without fences, a fence that ends with its quote, and HTML.
Libraries for sentences read whole texts of a known language, and withdraw an end while the text
grows.
"""

import re
from typing import Literal, TypeAlias

from lfgtui.text.markdown_lines import MARKS, open_fence

Unit: TypeAlias = Literal["sentence", "section"]

_SLICE = 4_000
"""Characters read at a time: the undecided rest is copied at each step, so it must stay short."""

_HEAD = 200
"""Characters at the beginning of a line that decide what kind of line it is."""

_BEFORE = 16
"""Characters before a full stop that decide whether it ends a sentence."""

# Text, so that it is compiled with the first answer and not before the first frame.
_BEGINNING = rf"(?s)(?P<marks>{MARKS})(?P<rest>.*)"
_UNDECIDED = r"(?s)[-+*_=# \t\r]*|\d{1,9}[.)]?|`{1,2}|`{3,}[^`]*|~.*"
"""The beginning of what may become a list's mark, a heading, a thematic break or a fence."""

_HEADING = r"#{1,6}(?:[ \t\r]|$)"
_RULE = r"(?:=+|-+|(?:[-*_][ \t]*){3,})[ \t\r]*"  # a thematic break, an underline
_WIDE = "。！？｡"  # full stops of Chinese and Japanese, which end a sentence without a blank
_MARK = (
    rf"`{{1,32}}|(?P<stop>[.!?…]{{1,32}}|[{_WIDE}]{{1,32}})"
    r"[\"'”’»)\]）」』*_]{0,32}(?P<blanks>[ \t\r]{0,64})"
)
"""Backticks, or full stops with the closing marks and blanks after them: `?!") `."""
_INITIALS = r"[A-Z]|[^\W\d_](?:\.[^\W\d_])+"  # "J", and "e.g" as well
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "vs", "cf"})
_BEFORE_NUMBERS = frozenset({"ch", "eq", "fig", "figs", "no", "nos", "p", "pp", "sec", "vol"})
"""Abbreviations that end no sentence if a number follows: "no. 5"."""


def _ends_sentence(before: str, marks: str, follower: str) -> bool:
    """Return True if the full stops `marks` between `before` and `follower` end a sentence.

    `follower` is the first character after them that is not blank.
    """
    if marks[0] in _WIDE:
        return True
    if follower.islower() or marks != ".":
        return not follower.islower()
    word = re.split(r"[^\w.]", before)[-1]
    is_short = re.fullmatch(_INITIALS, word) or word.lower() in _TITLES
    return not (is_short or (follower.isdigit() and word.lower() in _BEFORE_NUMBERS))


class UnitSplitter:
    """Cuts a growing text into units; joined they are the text, in whatever pieces it arrived.

    A unit ends where the next one begins, after the blanks in between. A code block is a unit,
    and so is a heading. Blank lines separate the rest into sections; a section is a unit, or, if
    `unit` is "sentence", each of its sentences, list items and rows of a table is one.
    """

    def __init__(self, unit: Unit) -> None:
        self._by_sentence = unit == "sentence"
        self._units: list[str] = []  # complete, for the next `feed` or `close` to return
        self._open: list[str] = []  # the open unit, in pieces
        self._rest = ""  # text that is not decided yet
        self._before = ""  # the `_BEFORE` before it
        self._line: Literal["begins", "prose", "other"] = "begins"  # where the rest is in its line
        self._fence = ""  # the open fence
        self._code_span = ""  # the backticks that opened the code span
        self._stop: tuple[str, str] | None = None  # at the end of the line above, and before it
        self._is_over = False  # the next line with text begins a unit

    def feed(self, text: str) -> list[str]:
        """Add text; return the units that it completes."""
        for begin in range(0, len(text), _SLICE):
            self._rest += text[begin : begin + _SLICE]
            self._read(is_last=False)
        units, self._units = self._units, []
        return units

    def close(self) -> list[str]:
        """Return the units of what is left: nothing follows."""
        self._read(is_last=True)
        last = "".join(self._open)
        return [*self._units, last] if last else self._units

    def _read(self, *, is_last: bool) -> None:
        """Read the rest as far as it can be decided; all of it if it `is_last`."""
        is_decided = True
        while self._rest and is_decided:
            if self._line == "begins":
                is_decided = self._begin_line(is_last=is_last)
            elif self._line == "prose":
                is_decided = self._read_prose(is_last=is_last)
            else:
                self._take_line()

    def _begin_line(self, *, is_last: bool) -> bool:
        """Decide what kind of line begins; end the unit before. False if that needs more text."""
        head, newline, _ = self._rest[:_HEAD].partition("\n")
        beginning = re.fullmatch(_BEGINNING, head)
        assert beginning is not None
        marks, rest = beginning["marks"], beginning["rest"]
        is_complete = is_last or newline != "" or len(head) == _HEAD
        if not is_complete and (self._fence or re.fullmatch(_UNDECIDED, rest)):
            return False
        self._line = "other"
        before, self._fence = self._fence, open_fence(head, self._fence)
        if before:
            self._is_over = not self._fence
        elif rest in ("", "\r"):
            self._is_over = True
        elif self._fence or re.match(_HEADING, rest):
            self._cut()
            self._is_over = not self._fence
        else:
            self._begin_text(marks, rest)
        self._stop = None
        return True

    def _begin_text(self, marks: str, rest: str) -> None:
        """Begin a line of prose, a list item or a row of a table, given its marks and the rest."""
        is_row, is_item = rest[0] == "|", marks.strip(" \t>") != ""
        begins = is_row or is_item or (self._stop and _ends_sentence(*self._stop, rest[0]))
        if self._is_over or (self._by_sentence and begins):
            self._cut()
        self._is_over = re.fullmatch(_RULE, rest) is not None
        if self._by_sentence and not is_row:
            self._line = "prose"
            self._take(len(marks))

    def _take_line(self) -> None:
        """Take the rest of the line into the open unit."""
        end = self._rest.find("\n") + 1
        self._take(end or len(self._rest))
        if end:
            self._line = "begins"

    def _read_prose(self, *, is_last: bool) -> bool:
        """Read up to the next full stop or backtick in the line, and past it.

        Return False if it is at the end of the text, where more of it may follow.
        """
        end = self._rest.find("\n")
        mark = re.compile(_MARK).search(self._rest, 0, len(self._rest) if end < 0 else end)
        if mark is None:
            self._take_line()
            return True
        if mark.end() == len(self._rest) and not is_last:
            self._take(mark.start())
            return False
        self._take(mark.start())
        before, run = self._before, mark.group()
        self._take(len(run))
        if mark["stop"] is None:
            if self._code_span in ("", run):
                self._code_span = "" if self._code_span else run
        elif not self._code_span and self._rest:
            stop = before, mark["stop"]
            if self._rest[0] == "\n":
                self._stop = stop
            elif (mark["blanks"] or run[0] in _WIDE) and _ends_sentence(*stop, self._rest[0]):
                self._cut()
        return True

    def _take(self, size: int) -> None:
        """Move the first characters of the rest to the open unit."""
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._open.append(taken)
        self._before = (self._before + taken)[-_BEFORE:]

    def _cut(self) -> None:
        """End the open unit; if it is only blanks, these begin the next one instead."""
        unit = "".join(self._open)
        if unit.strip():
            self._units.append(unit)
            self._open = []
        self._is_over, self._code_span = False, ""
