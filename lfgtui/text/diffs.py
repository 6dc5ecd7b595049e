r"""Unified diffs, for a person to read before the new text replaces the old one.

Lines end with `\n` and nothing else. Removed and added lines are always shown whole: a diff that
would be too long is refused. Long lines around them are replaced by their length.
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import takewhile
from operator import eq
from typing import NamedTuple, TypeAlias

from lfgtui.errors import ToolError
from lfgtui.text.terminal_safe import exposed

MOST_LINES = 3_000
LONGEST_LINE = 10_000
LONGEST = 400_000
"""Most lines of a diff, most characters of a changed line, and most of all lines, as shown."""

_CONTEXT = 3
_LONGEST_CONTEXT = 500
"""Lines shown around a change, and most characters of such a line."""

_COMPARED = 5_000
"""Lines that are compared one by one; if there are more, all of them count as changed, which are
then too many to show."""

_UNENDED = "\\ No newline at end of file\n"

Span: TypeAlias = tuple[int, int, int, int]
"""Lines `[0]` to `[1]` of the old text, which lines `[2]` to `[3]` of the new one replace; counted
from 0, ends exclusive."""


class Diff(NamedTuple):
    """A unified diff without the names of files, and how many lines it adds and removes."""

    text: str
    added: int
    removed: int

    def __str__(self) -> str:
        return f"+{self.added:,} −{self.removed:,}" if self.text else "no changes"


def diff(before: str, after: str, spans: Sequence[Span] | None = None) -> Diff:
    """Return the diff for a person, hidden characters written out.

    `spans`: where the texts may differ, if that is known; it saves comparing all of them. Raises
    `ToolError` if the diff is too long to be read.
    """
    old, new = _lines(before), _lines(after)
    changes = list(_changes(old, new, [(0, len(old), 0, len(new))] if spans is None else spans))
    removed = sum(end - begin for begin, end, _, _ in changes)
    added = sum(end - begin for _, _, begin, end in changes)
    if removed + added <= MOST_LINES:
        row = partial(_row, _is_crlf(before) and _is_crlf(after))
        rows = list(_hunks(old, new, changes, row))
        text = "".join(rows)
        if len(rows) <= MOST_LINES and len(text) <= LONGEST:
            return Diff(text, added, removed)
    raise ToolError(
        f"the diff is too long to approve: {removed + added:,} changed lines; do it in parts"
    )


def patch(before: str, after: str) -> str:
    """Return the diff with each line as it is: for a program to apply."""
    old, new = _lines(before), _lines(after)
    changes = list(_changes(old, new, [(0, len(old), 0, len(new))]))

    def row(sign: str, line: str) -> str:
        return sign + line + ("" if line.endswith("\n") else f"\n{_UNENDED}")

    return "".join(_hunks(old, new, changes, row))


def replaced_spans(text: str, old: str, new: str) -> list[Span]:
    """Return the lines that change if each `old` in the text is replaced by `new`."""
    spans: list[Span] = []
    growth, grown = new.count("\n") - old.count("\n"), 0
    line = seen = 0
    at = text.find(old)
    while at >= 0:
        first = line + text.count("\n", seen, at)
        line, seen = first + old.count("\n"), at + len(old)
        begin, begin_new = first, first + grown
        if spans and first < spans[-1][1]:  # this one and the last one share a line
            begin, _, begin_new, _ = spans.pop()
        grown += growth
        spans.append((begin, line + 1, begin_new, line + 1 + grown))
        at = text.find(old, seen)
    return spans


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; only the last may have none."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _is_crlf(text: str) -> bool:
    """Return True if all line ends are CR LF; then CR need not be written out."""
    return text.count("\r\n") == text.count("\n") > 0


def _changes(old: list[str], new: list[str], spans: Sequence[Span]) -> Iterator[Span]:
    """Yield the lines that differ, in order."""
    size = sum(end - begin + new_end - new_begin for begin, end, new_begin, new_end in spans)
    for begin, end, new_begin, new_end in spans:
        one, other = old[begin:end], new[new_begin:new_end]
        head = _same(one, other)
        tail = _same(one[head:][::-1], other[head:][::-1])
        one, other = one[head : len(one) - tail], other[head : len(other) - tail]
        begin, new_begin = begin + head, new_begin + head
        if size - head - tail > _COMPARED:
            yield begin, begin + len(one), new_begin, new_begin + len(other)
            continue
        for tag, i, j, k, m in SequenceMatcher(None, one, other).get_opcodes():
            if tag != "equal":
                yield begin + i, begin + j, new_begin + k, new_begin + m


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal lines at the beginning."""
    return sum(takewhile(bool, map(eq, one, other)))


def _row(hides_returns: bool, sign: str, line: str) -> str:
    """Return a line with its sign, hidden characters written out. Raises `ToolError`."""
    shown = exposed(line.removesuffix("\r\n" if hides_returns else "\n"))
    if sign == " ":
        shown = _context(shown)
    elif len(shown := _with_end(shown)) > LONGEST_LINE:
        raise ToolError(
            f"a changed line is too long to approve: {len(shown):,} characters"
            f" (at most {LONGEST_LINE:,}); change it by a command"
        )
    return f"{sign}{shown}\n" + ("" if line.endswith("\n") else _UNENDED)


def _hunks(
    old: list[str], new: list[str], changes: Sequence[Span], row: Callable[[str, str], str]
) -> Iterator[str]:
    """Yield the rows of all hunks; `row` makes one of a sign and a line."""
    for hunk in _grouped(changes):
        begin = max(0, hunk[0][0] - _CONTEXT)
        end = min(len(old), hunk[-1][1] + _CONTEXT)
        new_begin, new_end = begin + hunk[0][2] - hunk[0][0], end + hunk[-1][3] - hunk[-1][1]
        yield f"@@ -{_range(begin, end)} +{_range(new_begin, new_end)} @@\n"
        at = begin
        for first, last, new_first, new_last in hunk:
            yield from (row(" ", line) for line in old[at:first])
            yield from (row("-", line) for line in old[first:last])
            yield from (row("+", line) for line in new[new_first:new_last])
            at = last
        yield from (row(" ", line) for line in old[at:end])


def _grouped(changes: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the changes of each hunk: changes so near that their context lines meet."""
    hunk: list[Span] = []
    for change in changes:
        if hunk and change[0] - hunk[-1][1] > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(change)
    if hunk:
        yield hunk


def _range(begin: int, end: int) -> str:
    """Return the first line and the number of lines, as `diff -u` counts them."""
    return f"{begin + (end > begin)},{end - begin}"


def _with_end(line: str) -> str:
    """Return the line with blanks at its end written out, as a change may be in them alone."""
    text = line.rstrip(" \t")
    return text + line[len(text) :].replace(" ", "\\x20").replace("\t", "\\t")


def _context(line: str) -> str:
    """Return the line; of a long one only its length, as no secret is recognized in half of it."""
    return line if len(line) <= _LONGEST_CONTEXT else f"[... {len(line):,} characters ...]"
