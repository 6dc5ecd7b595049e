r"""Unified diffs of texts that a person reads before one takes the other's place.

Lines end with `\n` and nothing else. Nothing in a diff is cut without saying so, and of what
comes or goes nothing is cut at all: a diff that would be too long is refused.
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
"""Most lines of a diff, most characters of a line that comes or goes and of all, as shown."""

_CONTEXT = 3
_LONGEST_CONTEXT = 500
"""Lines around a change, and most characters of one that is shown."""

_COMPARED = 5_000
"""Lines that are compared one by one; more are taken for changed, and are too many to show."""

_UNENDED = "\\ No newline at end of file\n"

Span: TypeAlias = tuple[int, int, int, int]
"""Lines `[0]` to `[1]` of the old text, in whose place stand `[2]` to `[3]` of the new one."""


class Diff(NamedTuple):
    """A unified diff without the names of files, and how many lines it adds and removes."""

    text: str
    added: int
    removed: int

    def __str__(self) -> str:
        return f"+{self.added:,} −{self.removed:,}" if self.text else "no changes"


def diff(before: str, after: str, spans: Sequence[Span] | None = None) -> Diff:
    """Return the diff; raises `ToolError` if it is too long to be read.

    `spans`: where the texts may differ, if that is known; it saves comparing all of them.
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
    """Return the hunks with each line as it is: for a program to apply."""
    old, new = _lines(before), _lines(after)
    changes = list(_changes(old, new, [(0, len(old), 0, len(new))]))

    def row(sign: str, line: str) -> str:
        return sign + line + ("" if line.endswith("\n") else f"\n{_UNENDED}")

    return "".join(_hunks(old, new, changes, row))


def replaced_spans(text: str, old: str, new: str) -> list[Span]:
    """Return the lines in which each `old` is replaced by `new`."""
    spans: list[Span] = []
    growth, grown = new.count("\n") - old.count("\n"), 0
    line = seen = 0
    at = text.find(old)
    while at >= 0:
        first = line + text.count("\n", seen, at)
        line, seen = first + old.count("\n"), at + len(old)
        begin, begin_new = first, first + grown
        if spans and first < spans[-1][1]:  # they share a line
            begin, _, begin_new, _ = spans.pop()
        grown += growth
        spans.append((begin, line + 1, begin_new, line + 1 + grown))
        at = text.find(old, seen)
    return spans


def _lines(text: str) -> list[str]:
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _is_crlf(text: str) -> bool:
    """Return True if there are lines that end so and no others; no ending needs to be shown."""
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
    return sum(takewhile(bool, map(eq, one, other)))


def _row(hides_returns: bool, sign: str, line: str) -> str:
    """Return a line with its sign, and all that is hidden in it written out."""
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
    """Yield the rows of each group of changes with the lines around them."""
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
    """Yield the changes whose context meets together."""
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
    """Return the line with the blanks at its end written out, which may be all that changes."""
    text = line.rstrip(" \t")
    return text + line[len(text) :].replace(" ", "\\x20").replace("\t", "\\t")


def _context(line: str) -> str:
    """Return the line; of a long one only its length: half a secret would not be recognized."""
    return line if len(line) <= _LONGEST_CONTEXT else f"[... {len(line):,} characters ...]"
