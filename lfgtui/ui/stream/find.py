"""The matches of a pattern in a stream, kept up to date as it grows.

Matches belong to pieces. A piece that changed is searched again from the line
that changed; the others keep theirs, whatever line they have come to stand on.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import Piece
from lfgtui.ui.stream.chunk_list import Changes
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.plain_text import Match, line_begin, matches


class Mark(NamedTuple):
    """Cells of a row that belong to a match."""

    begin: int
    end: int
    is_current: bool


class _Found(msgspec.Struct):
    matches: list[Match]
    by_row: dict[int, list[tuple[int, int, int]]]
    """For each row: the cells, and which of the piece's matches they belong to."""


class Finder:
    """All matches of a pattern; one of them is the current one.

    What there is no time for at once is searched from the end upwards by `catch_up`.
    """

    def __init__(
        self, lines: StreamLines, pattern: str, is_time_up: Callable[[], bool] = lambda: False
    ) -> None:
        self._lines = lines
        self._pieces = lines.pieces
        self.pattern = pattern
        self._found: dict[Piece, _Found] = {}
        self._fresh: set[Piece] = set()
        self._behind = 0
        self._current: tuple[Piece, int] | None = None
        self._near = 0
        self._near_is_sought = False
        self.count = 0
        self._behind = len(self._pieces.pieces) if pattern else 0
        while self._behind and not is_time_up():
            self.catch_up(1)

    @property
    def is_active(self) -> bool:
        """Whether anything is sought."""
        return bool(self.pattern)

    @property
    def number(self) -> int:
        """Which match is the current one, from 1; 0 where there is none."""
        if self._current is None:
            return 0
        piece, number = self._current
        before = self._order()
        before = before[: before.index(piece)]
        return sum(len(self._found[other].matches) for other in before) + number + 1

    # As the stream changes

    def update(self, changes: Changes) -> None:
        """Look again at what changed."""
        for piece in changes.gone:
            self._forget(piece)
            self._fresh.discard(piece)
        if self._behind:
            self._behind = min(self._behind + len(changes.rows), len(self._pieces.pieces))
        for index, row in changes.rows.items():
            self._search(index, row)
        self._keep_current()

    def wrapped_anew(self) -> None:
        """All rows are others now. They are searched when they come in sight, or by `catch_up`."""
        self._behind = len(self._pieces.pieces) if self.pattern else 0
        self._fresh.clear()
        there = set(self._pieces.pieces)
        for piece in [piece for piece in self._found if piece not in there]:
            self._forget(piece)
        self._keep_current()

    @property
    def is_behind(self) -> bool:
        """Whether there is anything for `catch_up` to do."""
        return self._behind > 0

    def catch_up(self, pieces: int) -> None:
        """Search some of what was wrapped anew."""
        while self._behind and pieces > 0:
            self._behind -= 1
            pieces -= 1
            self._refresh(self._behind)
        if self._current is None and self._near_is_sought and self._found:
            self.seek(self._near)
        self._keep_current()

    def _refresh(self, index: int) -> None:
        if self._pieces.pieces[index] not in self._fresh:
            self._search(index, 0)

    def _search(self, index: int, row: int) -> None:
        piece, rows = self._pieces.pieces[index], self._pieces.passing(index)
        old = self._found.get(piece)
        first = line_begin(rows, row) if row else 0
        kept = [match for match in old.matches if match[0].row < first] if old else []
        found = kept + matches(rows, self.pattern, first)
        self._forget(piece)
        if self._behind:
            self._fresh.add(piece)
        if found:
            by_row: dict[int, list[tuple[int, int, int]]] = {}
            for number, match in enumerate(found):
                for part in match:
                    by_row.setdefault(part.row, []).append((part.begin, part.end, number))
            self._found[piece] = _Found(found, by_row)
            self.count += len(found)

    def _forget(self, piece: Piece) -> None:
        if (old := self._found.pop(piece, None)) is not None:
            self.count -= len(old.matches)

    def _keep_current(self) -> None:
        """The current match may be gone: the next one then."""
        if self._current is not None:
            piece, number = self._current
            found = self._found.get(piece)
            if found is None or number >= len(found.matches):
                self.seek(self._near)

    # Looking at them

    def marks(self, index: int, row: int) -> list[Mark]:
        """What to highlight in a row of a piece."""
        if self._behind:
            self._refresh(index)
        piece = self._pieces.pieces[index]
        found = self._found.get(piece)
        if found is None or row not in found.by_row:
            return []
        return [
            Mark(begin, end, self._current == (piece, number))
            for begin, end, number in found.by_row[row]
        ]

    def seek(self, address: int) -> None:
        """Make the first match from a row on the current one, or else the first of all."""
        self._near, place = address, self._lines.find(address)
        self._near_is_sought = True
        order = self._order()
        self._current = (order[0], 0) if order else None
        for index in range(place[0], len(self._pieces.pieces)):
            piece = self._pieces.pieces[index]
            found = self._found.get(piece)
            for number, match in enumerate(found.matches if found else ()):
                if (index, match[0].row) >= place:
                    self._current = piece, number
                    return

    def matches_in(self, index: int) -> list[Match]:
        """The matches in a piece."""
        found = self._found.get(self._pieces.pieces[index])
        return found.matches if found is not None else []

    def choose(self, index: int, number: int) -> None:
        """Make one of a piece's matches the current one."""
        self._current = self._pieces.pieces[index], number

    def step(self, step: int) -> int | None:
        """Go to the next (1) or previous (-1) match, round the ends; the line it begins on."""
        if self._current is not None:
            piece, number = self._current
            number += step
            order = self._order()
            if not 0 <= number < len(self._found[piece].matches):
                piece = order[(order.index(piece) + step) % len(order)]
                number = 0 if step > 0 else len(self._found[piece].matches) - 1
            self._current = piece, number
        return self.current_line()

    def current_line(self) -> int | None:
        """Where the current match begins."""
        if self._current is None:
            return None
        if self._behind:
            self._refresh(self._pieces.pieces.index(self._current[0]))
            self._keep_current()
        piece, number = self._current
        index = self._pieces.pieces.index(piece)
        row = self._found[piece].matches[number][0].row
        self._near = self._lines.address_of(index, row)
        return self._pieces.start(index) + row

    def _order(self) -> list[Piece]:
        """The pieces with matches, from the first to the last."""
        return [piece for piece in self._pieces.pieces if piece in self._found]
