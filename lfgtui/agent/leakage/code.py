"""Positions of code in a Markdown text, followed character by character.

Documentation about tags is written in code: fenced, or in a span between
backticks. The filter takes no markup out of code. This follows CommonMark
(https://spec.commonmark.org/0.31.2/, 4.5 and 6.1) as far as a stream can: a
fence may be in list items and quotes, and ends with its quote; its closing
line may be indented by at most three columns more than its opening line.
Backticks that open a span count as code until the same number closes it or the
paragraph ends: whether it will be closed is not known yet, and it does less
harm to leave a tag in the text than to take one out of code.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\n|`+|~+|\\|[^\n`~\\]+")
_LEAD = re.compile(r"[ \t>*+\-0-9.)]*")  # characters that marks of containers are made of
_CONTAINERS = re.compile(r"[ \t]*(?:(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))[ \t]*)*")  # "> 1. "
_LEAD_LIMIT = 200  # characters of a line in which its marks are looked for


@dataclass(slots=True)
class _Fence:
    """An open fence: its character, their number, and the column that it begins in."""

    char: str
    length: int
    column: int
    is_quoted: bool
    is_opening: bool = True  # still on the line that opens it
    is_closing: bool = False  # the line so far closes it


class CodeTracker:
    """Given all visible text in order, tells whether the text after it would be in code."""

    def __init__(self) -> None:
        self._fence: _Fence | None = None
        self._span = 0  # the number of backticks that opened the span; 0 outside
        self._held: list[str] = []  # the backticks or tildes that the text so far ends in
        self._lead: str | None = ""  # the beginning of the line; None after it
        self._is_escaped = False

    @property
    def in_code(self) -> bool:
        """True if the next text is in code, unless it ends the fence or begins a container.

        Reading this ends a row of backticks: more of them would count as a new row.
        """
        self._end_run()
        self._leave_quote()
        return self._fence is not None or self._span > 0

    @property
    def at_line_start(self) -> bool:
        """True if the line is empty so far, or indented as paragraphs may be."""
        if self._held or self._lead is None:
            return False
        return len(self._lead) <= 3 and not self._lead.strip(" ")

    def track(self, text: str) -> None:
        """Follow the next piece of the visible text."""
        for token in _TOKEN.findall(text):
            if self._held and token[0] != self._held[0][0]:
                self._end_run()
            if token[0] in "`~":
                self._held.append(token)
                continue
            if token == "\n":
                self._end_line()
            else:
                self._go_on(token)
            self._is_escaped = token == "\\" and not self._is_escaped

    def _end_run(self) -> None:
        """Read backticks or tildes in a row, now that the row is complete."""
        run, lead = "".join(self._held), self._lead
        if not run:
            return
        self._held.clear()
        self._leave_quote()
        fence, length = self._fence, len(run)
        if self._is_escaped:
            lead, length = None, length - (fence is None and not self._span)
        self._lead, self._is_escaped = None, False
        if fence is not None and not fence.is_opening:
            fence.is_closing = _closes(fence, run[0], length, lead)
        elif fence is not None and "`" == fence.char == run[0]:
            self._fence = None  # a fence's first line has no backtick: it was a span
            self._span = 0 if fence.length == length else fence.length
        elif fence is None and length >= 3 and lead is not None and _CONTAINERS.fullmatch(lead):
            self._span = 0
            self._fence = _Fence(run[0], length, _width(lead), ">" in lead)
        elif fence is None and run[0] == "`" and length and self._span in (0, length):
            self._span = length - self._span

    def _go_on(self, token: str) -> None:
        """Read text within a line: first the marks it may begin with, then anything."""
        if self._lead is not None:
            lead = _LEAD.match(token)
            length = lead.end() if lead else 0
            self._lead += token[:length]
            if length == len(token) and len(self._lead) < _LEAD_LIMIT:
                return
            self._leave_quote()
            self._lead = None
        if self._fence is not None and token.strip():
            self._fence.is_closing = False

    def _end_line(self) -> None:
        """End the line: a blank one ends a span, a closing one the fence."""
        if self._lead is not None:
            self._leave_quote()
            if not self._lead.strip(" \t>"):
                self._span = 0
        if self._fence is not None:
            self._fence.is_opening = False
            if self._fence.is_closing:
                self._fence = None
        self._lead = ""

    def _leave_quote(self) -> None:
        """End a fence in a quote with the quote: at a line that does not begin with its mark."""
        fence = self._fence
        if fence is None or not fence.is_quoted or fence.is_opening or self._lead is None:
            return
        if not self._lead.lstrip().startswith(">"):
            self._fence = None


def _closes(fence: _Fence, char: str, length: int, lead: str | None) -> bool:
    """Return True if a row of `length` characters after `lead` closes the fence."""
    if lead is None or char != fence.char or length < fence.length:
        return False
    marks = " \t>" if fence.is_quoted else " \t"
    return not lead.strip(marks) and _width(lead) <= fence.column + 3


def _width(lead: str) -> int:
    """Return the columns of the beginning of a line; a tab stop is every four columns."""
    return len(lead.expandtabs(4))
