"""The pieces of a stream in one flat sequence: lines by number, and few of them in memory.

What a piece's height is, until it was drawn, is a guess. So everything that
draws may move what stands below; `take_changes` tells which lines that were.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import UNCHANGED, Piece
from lfgtui.ui.stream.prefix_sums import Heights
from lfgtui.ui.text.wrapping import Row

_TRIM = 0.75
"""Share of the rows allowed that is kept when there are too many."""

_LOOK = 0.05
"""What looking at a piece that need not be drawn costs, in rows drawn."""


class Seen(NamedTuple):
    """A row, and where it stands: its piece's index, and which of its rows it is."""

    piece: int
    number: int
    row: Row


class Changes(msgspec.Struct):
    """What is not as it was. Pieces are told by index, `gone` are those that were replaced.

    `rows` has the first changed row of each changed piece. From piece `moved`
    on (there may be none) all stands on other lines than before.
    """

    rows: dict[int, int]
    gone: list[Piece]
    moved: int

    @classmethod
    def both(cls, first: "Changes | None", then: "Changes | None") -> "Changes | None":
        """The two together, where no piece came or went in the second."""
        if first is None or then is None:
            return first or then
        rows = first.rows | {i: min(row, first.rows.get(i, row)) for i, row in then.rows.items()}
        return cls(rows, first.gone + then.gone, min(first.moved, then.moved))


class PieceList:
    """Keeps at most about `kept` drawn rows; the others are drawn again when asked for."""

    def __init__(self, kept: int) -> None:
        self.pieces: list[Piece] = []
        self._kept = kept
        self._heights = Heights()
        self._held: list[int] = []
        self._drawn: list[int] = []
        self._held_rows = 0
        self._unsure = 0
        self._changes = Changes({}, [], UNCHANGED)

    # Lines

    @property
    def total(self) -> int:
        """Lines in all, as far as known."""
        return self._heights.total

    @property
    def held_rows(self) -> int:
        """Rows in memory."""
        return self._held_rows

    @property
    def is_exact(self) -> bool:
        """Whether each piece was drawn at least once."""
        return self._unsure == 0

    def start(self, index: int) -> int:
        """The line a piece begins on."""
        return self._heights.start(index)

    def height(self, index: int) -> int:
        return self._heights[index]

    def find(self, line: int) -> tuple[int, int]:
        """The piece a line belongs to, and which of its rows it is."""
        return self._heights.find(max(0, line))

    def rows(self, first: int, last: int) -> Iterator[Seen]:
        """The rows of the lines from `first` to `last` (exclusive)."""
        index, number = self.find(first)
        left = last - first
        while left > 0 and index < len(self.pieces):
            self.draw(index)
            rows = self.pieces[index].rows
            for row in rows[number : number + left]:
                yield Seen(index, number, row)
                number += 1
                left -= 1
            index, number = index + 1, 0

    def passing(self, index: int) -> Sequence[Row]:
        """A piece's rows for a look that should keep nothing in memory."""
        piece = self.pieces[index]
        was_drawn = piece.is_drawn
        rows = piece.rows
        self._measure(index)
        if not was_drawn:
            piece.release()
        return rows

    @property
    def has_changed(self) -> bool:
        """Whether `take_changes` has anything to tell."""
        changes = self._changes
        return changes.moved != UNCHANGED or bool(changes.rows or changes.gone)

    def take_changes(self) -> Changes | None:
        """What changed since this was last asked."""
        if not self.has_changed:
            return None
        changes, self._changes = self._changes, Changes({}, [], UNCHANGED)
        return changes

    # Changing

    def replace(self, begin: int, end: int, new: Sequence[Piece]) -> None:
        """Put other pieces in the place of some; those that stay are taken in as they grew."""
        size, pieces = end - begin, self.pieces
        if end == len(pieces):
            shared = min(size, len(new))
            for index in range(shared):
                self._put(begin + index, new[index])
            if size > shared:
                self._cut(begin + shared)
            for piece in new[shared:]:
                self._append(piece)
        elif size == len(new):
            for index, piece in enumerate(new, begin):
                self._put(index, piece)
        else:
            self._insert(begin, end, new)

    def reset(self, pieces: list[Piece]) -> None:
        """Other pieces altogether, or the same ones undrawn."""
        self.pieces = pieces
        self._changes.moved = 0
        self._count_all()

    def draw(self, index: int) -> None:
        """Have the piece's rows in memory, and its height exact."""
        piece = self.pieces[index]
        if not piece.is_drawn:
            _ = piece.rows
            self._measure(index)
            self._hold(index)

    def settle(self, rows: int) -> int:
        """Draw what was never drawn, from the end upwards, until about so many rows are.

        How many pieces that were.
        """
        left, drawn = float(rows), 0
        while self._unsure and left > 0:
            self._unsure -= 1
            piece = self.pieces[self._unsure]
            left -= _LOOK
            if not piece.is_exact:
                self.draw(self._unsure)
                left -= piece.height
                drawn += 1
        return drawn

    @property
    def has_too_many(self) -> bool:
        """Whether it is time to `trim`."""
        return self._held_rows > self._kept

    def trim(self, first: int, last: int) -> None:
        """Let rows go, those farthest from these pieces first."""
        drawn, low, high = self._drawn, 0, len(self._drawn) - 1
        while self._held_rows > self._kept * _TRIM and low <= high:
            above, below = first - drawn[low], drawn[high] - last
            if above <= 0 and below <= 0:
                break
            far = drawn[low] if above >= below else drawn[high]
            low, high = (low + 1, high) if above >= below else (low, high - 1)
            self.pieces[far].release()
            self._held_rows -= self._held[far]
            self._held[far] = 0
        self._drawn = drawn[low : high + 1]

    def _put(self, index: int, piece: Piece) -> None:
        old = self.pieces[index]
        if old is not piece:
            self._changes.gone.append(old)
            self.pieces[index] = piece
            piece.changed_from = 0
        if piece.changed_from == UNCHANGED:
            return
        rows = self._changes.rows
        rows[index] = min(rows.get(index, UNCHANGED), piece.changed_from)
        piece.changed_from = UNCHANGED
        if piece.height != self._heights[index]:
            self._heights.set(index, piece.height)
            self._changes.moved = min(self._changes.moved, index + 1)
        if not piece.is_exact:
            self._unsure = max(self._unsure, index + 1)
        self._hold(index)

    def _append(self, piece: Piece) -> None:
        index = len(self.pieces)
        self._changes.rows[index] = 0
        self._changes.moved = min(self._changes.moved, index)
        piece.changed_from = UNCHANGED
        self.pieces.append(piece)
        self._heights.append(piece.height)
        self._held.append(0)
        if not piece.is_exact:
            self._unsure = index + 1
        self._hold(index)

    def _cut(self, count: int) -> None:
        self._changes.gone += self.pieces[count:]
        self._changes.moved = min(self._changes.moved, count)
        for index in [index for index in self._changes.rows if index >= count]:
            del self._changes.rows[index]
        self._heights.cut(count)
        self._held_rows -= sum(self._held[count:])
        del self._held[count:]
        del self._drawn[bisect_left(self._drawn, count) :]
        del self.pieces[count:]
        self._unsure = min(self._unsure, count)

    def _insert(self, begin: int, end: int, new: Sequence[Piece]) -> None:
        """The one change that costs what the whole costs: more pieces, or fewer, in the middle."""
        changes, more = self._changes, len(new) - (end - begin)
        changes.gone += self.pieces[begin:end]
        changes.rows = {i + more * (i >= end): row for i, row in changes.rows.items()}
        changes.rows.update((index, 0) for index in range(begin, begin + len(new)))
        changes.moved = min(changes.moved, begin + len(new))
        self.pieces[begin:end] = new
        self._count_all()

    def _measure(self, index: int) -> None:
        height = self.pieces[index].height
        if height != self._heights[index]:
            self._heights.set(index, height)
            self._changes.moved = min(self._changes.moved, index + 1)

    def _hold(self, index: int) -> None:
        """Count a piece's rows in memory."""
        piece, was = self.pieces[index], self._held[index]
        held = piece.height if piece.is_drawn else 0
        if held == was:
            return
        self._held[index] = held
        self._held_rows += held - was
        if not was:
            insort(self._drawn, index)
        elif not held:
            del self._drawn[bisect_left(self._drawn, index)]

    def _count_all(self) -> None:
        """Begin all counts anew."""
        pieces = self.pieces
        for piece in pieces:
            piece.changed_from = UNCHANGED
        self._heights = Heights([piece.height for piece in pieces])
        self._held = [piece.height if piece.is_drawn else 0 for piece in pieces]
        self._drawn = [index for index, held in enumerate(self._held) if held]
        self._held_rows = sum(self._held)
        self._unsure = len(pieces)
