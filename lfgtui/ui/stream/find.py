"""The matches of a pattern in a stream, kept up to date as it grows.

Matches belong to chunks. A chunk that changed is searched again from the line
that changed; the others keep theirs, whatever line they are on now.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from lfgtui.ui.items import LineChunk
from lfgtui.ui.stream.chunk_list import Changes
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.text.wrapping import Row, text_of, width_of


class MatchPart(NamedTuple):
    """The part of a match in one row: the characters `begin` to `end` (exclusive) of its text."""

    row: int
    begin: int
    end: int


Match = tuple[MatchPart, ...]
"""A match, which has several parts if it is wrapped. Rows are counted in its chunk."""

_START = Position(0)


class Highlight(NamedTuple):
    """The cells `begin` to `end` (exclusive) of a row, which belong to a match."""

    begin: int
    end: int
    is_current: bool


class Finder:
    """All matches of a pattern ("" for no search); one of them is the current one.

    That is the first from `near` on, until a person steps to another. The stream is searched from
    the end upwards until `is_time_up`; `catch_up` searches the chunks left.
    """

    def __init__(
        self,
        lines: LineIndex,
        pattern: str,
        near: Position = _START,
        is_time_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._lines = lines
        self._chunks = lines.chunks
        self.pattern = pattern
        self._near = near
        self._matches: dict[LineChunk, list[Match]] = {}
        self._current: tuple[LineChunk, int] | None = None  # and the match's number in its chunk
        self._stale: set[LineChunk] = set()  # chunks whose matches are unknown or outdated
        self._left = 0  # chunks at the beginning of the stream that are still to be searched
        self.restart()
        while self._left and not is_time_up():
            self.catch_up(1)
        self._current = None
        self._keep_current()

    @property
    def is_active(self) -> bool:
        """True while there is a pattern."""
        return bool(self.pattern)

    @property
    def count(self) -> int:
        """Number of matches found so far."""
        return sum(map(len, self._matches.values()))

    @property
    def number(self) -> int:
        """Number of the current match, from 1; 0 if there is none."""
        return 0 if self._current is None else self._all().index(self._current) + 1

    # As the stream changes

    def update(self, changes: Changes) -> None:
        """Search the chunks that changed."""
        for chunk in changes.replaced:
            self._matches.pop(chunk, None)
            self._stale.discard(chunk)
        if self._left:
            self._left = min(self._left + len(changes.rows), len(self._chunks))
        for index, row in changes.rows.items():
            self._search(index, row)
        self._keep_current()

    def restart(self) -> None:
        """Forget all matches: rows are searched again when in view, or by `catch_up`."""
        self._stale = set(self._chunks) if self.pattern else set()
        self._left = len(self._stale)
        self._matches = {
            chunk: matches for chunk, matches in self._matches.items() if chunk in self._stale
        }
        self._keep_current()

    @property
    def is_behind(self) -> bool:
        """True while there are chunks left to search."""
        return self._left > 0

    def catch_up(self, chunks: int) -> None:
        """Search some of the chunks left."""
        first = max(0, self._left - chunks)
        for index in range(self._left - 1, first - 1, -1):
            self._refresh(index)
        self._left = first

    def _refresh(self, index: int) -> None:
        if self._chunks[index] in self._stale:
            self._search(index, 0)
            self._keep_current()

    def _search(self, index: int, row: int) -> None:
        chunk, rows = self._chunks[index], self._chunks.rows_once(index)
        first = 0 if chunk in self._stale else _first_row_of_line(rows, row)
        self._stale.discard(chunk)
        matches = [match for match in self._matches.pop(chunk, ()) if match[0].row < first]
        matches += find_matches(rows, self.pattern, first)
        if matches:
            self._matches[chunk] = matches

    # The current match

    def highlights(self, index: int, row: int) -> Iterator[Highlight]:
        """Yield the cells to highlight in a row of a chunk."""
        self._refresh(index)
        chunk = self._chunks[index]
        matches = self._matches.get(chunk, [])
        for number in range(
            bisect_left(matches, row, key=lambda match: match[-1].row), len(matches)
        ):
            if matches[number][0].row > row:
                break
            text = chunk.rows[row].text
            for part in matches[number]:
                if part.row == row:
                    begin, end = width_of(text[: part.begin]), width_of(text[: part.end])
                    yield Highlight(begin, end, self._current == (chunk, number))

    def matches_in(self, index: int) -> Sequence[Match]:
        """Return the matches in a chunk."""
        return self._matches.get(self._chunks[index], ())

    def choose(self, index: int, number: int) -> None:
        """Make one of a chunk's matches the current one."""
        self._current = self._chunks[index], number

    def step(self, step: int) -> int | None:
        """Go to the next (1) or previous (-1) match, wrapping round; return its first line."""
        if self._current is not None:
            matches = self._all()
            self._current = matches[(matches.index(self._current) + step) % len(matches)]
        return self.current_line()

    def current_line(self) -> int | None:
        """Return the line on which the current match begins."""
        if self._current is not None:
            self._refresh(self._chunks.index(self._current[0]))
        if self._current is None:
            return None
        chunk, number = self._current
        index = self._chunks.index(chunk)
        row = self._matches[chunk][number][0].row
        self._near = self._lines.position(index, row)
        return self._chunks.heights.start(index) + row

    def _keep_current(self) -> None:
        """Choose another match if the current one is gone or there was none."""
        if self._current is not None:
            chunk, number = self._current
            if number < len(self._matches.get(chunk, ())):
                return
        self._current, near = None, self._lines.locate(self._near)
        for index, chunk in enumerate(self._chunks) if self._matches else ():
            for number, match in enumerate(self._matches.get(chunk, ())):
                is_after = (index, match[0].row) >= near
                if self._current is None or is_after:
                    self._current = chunk, number
                if is_after:
                    return

    def _all(self) -> list[tuple[LineChunk, int]]:
        """Return all matches in their order: the chunk of each, and its number in the chunk."""
        there = (chunk for chunk in self._chunks if chunk in self._matches)
        return [(chunk, number) for chunk in there for number in range(len(self._matches[chunk]))]


def find_matches(rows: Sequence[Row], pattern: str, first: int = 0) -> list[Match]:
    """Return all matches from row `first` on, including those across wrapped rows.

    Row `first` has to begin a line. A pattern with upper case is case-sensitive.
    """
    matches: list[Match] = []
    if not pattern:
        return matches
    folds = pattern == pattern.lower()
    edges = [n for n in range(first, len(rows)) if n == first or rows[n].glue is None]
    for begin, end in pairwise([*edges, len(rows)]):
        offsets, text = _unwrapped(rows, begin, end)
        if folds and len(lower := text.lower()) == len(text):
            text = lower
        at = text.find(pattern)
        while at >= 0:
            matches.append(tuple(_parts(rows, begin, offsets, at, at + len(pattern))))
            at = text.find(pattern, at + len(pattern))
    return matches


def _first_row_of_line(rows: Sequence[Row], row: int) -> int:
    """Return the first row of the line that the row was wrapped from."""
    row = min(row, len(rows) - 1)
    while row > 0 and rows[row].glue is not None:
        row -= 1
    return max(0, row)


def _unwrapped(rows: Sequence[Row], begin: int, end: int) -> tuple[list[int], str]:
    """Return where in their line each row begins, and the line that they were wrapped from."""
    offsets: list[int] = []
    parts: list[str] = []
    length = 0
    for number in range(begin, end):
        glue, own = rows[number].glue or "", text_of(rows, number)
        offsets.append(length + len(glue))
        length += len(glue) + len(own)
        parts += (glue, own)
    return offsets, "".join(parts)


def _parts(
    rows: Sequence[Row], first: int, offsets: Sequence[int], begin: int, end: int
) -> Iterator[MatchPart]:
    """Yield the parts of a match, by row; `begin` and `end` are in the line of row `first`."""
    number = max(0, bisect_right(offsets, begin) - 1)
    while number < len(offsets) and offsets[number] < end:
        indent, length = rows[first + number].indent, len(text_of(rows, first + number))
        left, right = max(0, begin - offsets[number]), min(length, end - offsets[number])
        if right > left:
            yield MatchPart(first + number, indent + left, indent + right)
        number += 1
