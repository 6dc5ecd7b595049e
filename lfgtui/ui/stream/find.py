"""The matches of a pattern in a stream, kept up to date as it grows.

Matches belong to chunks. A chunk that changed is searched again from the line
that changed; the others keep theirs, whatever line they are on now.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import LineChunk
from lfgtui.ui.stream.chunk_list import Changes
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.stream.plain_text import Match, find_matches, first_row_of_line


class Highlight(NamedTuple):
    """Cells of a row that belong to a match, the last exclusive."""

    begin: int
    end: int
    is_current: bool


class _ChunkMatches(msgspec.Struct):
    matches: list[Match]
    by_row: dict[int, list[tuple[int, int, int]]]
    """For each row the cells, and the number of the match in the chunk that they belong to."""


class Finder:
    """All matches of a pattern; one of them is the current one.

    The stream is searched from the end upwards; `catch_up` searches what there was no time for.
    """

    def __init__(
        self, lines: LineIndex, pattern: str, is_time_up: Callable[[], bool] = lambda: False
    ) -> None:
        self._lines = lines
        self._chunks = lines.chunks
        self.pattern = pattern
        self._found: dict[LineChunk, _ChunkMatches] = {}
        self._fresh: set[LineChunk] = set()
        self._current: tuple[LineChunk, int] | None = None
        self._near: Position | None = None
        self.count = 0
        self._behind = len(self._chunks) if pattern else 0
        while self._behind and not is_time_up():
            self.catch_up(1)

    @property
    def is_active(self) -> bool:
        """True while there is a pattern."""
        return bool(self.pattern)

    @property
    def number(self) -> int:
        """Number of the current match, from 1; 0 where there is none."""
        if self._current is None:
            return 0
        chunk, number = self._current
        before = self._order()
        before = before[: before.index(chunk)]
        return sum(len(self._found[other].matches) for other in before) + number + 1

    # As the stream changes

    def update(self, changes: Changes) -> None:
        """Search the chunks that changed."""
        for chunk in changes.replaced:
            self._forget(chunk)
            self._fresh.discard(chunk)
        if self._behind:
            self._behind = min(self._behind + len(changes.rows), len(self._chunks))
        for index, row in changes.rows.items():
            self._search(index, row)
        self._keep_current()

    def restart(self) -> None:
        """Forget all rows: they are searched again when they come in sight, or by `catch_up`."""
        self._behind = len(self._chunks) if self.pattern else 0
        self._fresh.clear()
        there = set(self._chunks)
        for chunk in [chunk for chunk in self._found if chunk not in there]:
            self._forget(chunk)
        self._keep_current()

    @property
    def is_behind(self) -> bool:
        """True while there are chunks left to search."""
        return self._behind > 0

    def catch_up(self, chunks: int) -> None:
        """Search some of the chunks left."""
        while self._behind and chunks > 0:
            self._behind -= 1
            chunks -= 1
            self._refresh(self._behind)
        self._keep_current(or_choose=True)

    def _refresh(self, index: int) -> None:
        if self._chunks[index] not in self._fresh:
            self._search(index, 0)

    def _search(self, index: int, row: int) -> None:
        chunk, rows = self._chunks[index], self._chunks.rows_once(index)
        old = self._found.get(chunk)
        first = first_row_of_line(rows, row) if row else 0
        kept = [match for match in old.matches if match[0].row < first] if old else []
        found = kept + find_matches(rows, self.pattern, first)
        self._forget(chunk)
        if self._behind:
            self._fresh.add(chunk)
        if found:
            by_row: dict[int, list[tuple[int, int, int]]] = {}
            for number, match in enumerate(found):
                for part in match:
                    by_row.setdefault(part.row, []).append((part.begin, part.end, number))
            self._found[chunk] = _ChunkMatches(found, by_row)
            self.count += len(found)

    def _forget(self, chunk: LineChunk) -> None:
        if (old := self._found.pop(chunk, None)) is not None:
            self.count -= len(old.matches)

    def _keep_current(self, *, or_choose: bool = False) -> None:
        """Go to the next match where the current one is gone; `or_choose`: or there was none."""
        if self._near is None or (self._current is None and not (or_choose and self._found)):
            return
        if self._current is not None:
            chunk, number = self._current
            found = self._found.get(chunk)
            if found is not None and number < len(found.matches):
                return
        self.seek(self._near)

    # The current match

    def highlights(self, index: int, row: int) -> list[Highlight]:
        """Return the cells to highlight in a row of a chunk."""
        if self._behind:
            self._refresh(index)
        chunk = self._chunks[index]
        found = self._found.get(chunk)
        if found is None or row not in found.by_row:
            return []
        return [
            Highlight(begin, end, self._current == (chunk, number))
            for begin, end, number in found.by_row[row]
        ]

    def seek(self, position: Position) -> None:
        """Make the first match from a row on the current one, or else the first of all."""
        self._near, place = position, self._lines.locate(position)
        order = self._order()
        self._current = (order[0], 0) if order else None
        for index in range(place[0], len(self._chunks)):
            chunk = self._chunks[index]
            found = self._found.get(chunk)
            for number, match in enumerate(found.matches if found else ()):
                if (index, match[0].row) >= place:
                    self._current = chunk, number
                    return

    def matches_in(self, index: int) -> list[Match]:
        """Return the matches in a chunk."""
        found = self._found.get(self._chunks[index])
        return found.matches if found is not None else []

    def choose(self, index: int, number: int) -> None:
        """Make one of a chunk's matches the current one."""
        self._current = self._chunks[index], number

    def step(self, step: int) -> int | None:
        """Go to the next (1) or previous (-1) match, round the ends; return its first line."""
        if self._current is not None:
            chunk, number = self._current
            number += step
            order = self._order()
            if not 0 <= number < len(self._found[chunk].matches):
                chunk = order[(order.index(chunk) + step) % len(order)]
                number = 0 if step > 0 else len(self._found[chunk].matches) - 1
            self._current = chunk, number
        return self.current_line()

    def current_line(self) -> int | None:
        """Return the line on which the current match begins."""
        if self._current is None:
            return None
        if self._behind:
            self._refresh(self._chunks.index(self._current[0]))
            self._keep_current()
        chunk, number = self._current
        index = self._chunks.index(chunk)
        row = self._found[chunk].matches[number][0].row
        self._near = self._lines.position(index, row)
        return self._chunks.heights.start(index) + row

    def _order(self) -> list[LineChunk]:
        """Return the chunks with matches, from the first to the last."""
        return [chunk for chunk in self._chunks if chunk in self._found]
