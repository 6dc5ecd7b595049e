"""The chunks of a stream in one flat sequence: lines by number, few of them in memory.

A chunk's height is a guess until it was drawn. So whatever draws may move the
chunks below; `take_changes` reports which lines have changed.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import UNCHANGED, LineChunk
from lfgtui.ui.stream.prefix_sums import PrefixSums
from lfgtui.ui.text.wrapping import Row

_TRIM = 0.75
"""Share of the rows allowed that is kept when there are too many."""

_LOOK = 0.05
"""Cost of passing over a chunk that need not be drawn, in rows drawn."""


class StreamRow(NamedTuple):
    """A row with the index of its chunk and its number in the chunk."""

    chunk: int
    number: int
    row: Row


class Changes(msgspec.Struct):
    """Chunks changed since the last frame, by index; `replaced` lists the old ones.

    `rows` has the first changed row of each changed chunk. From chunk `moved`
    on (there may be none) all lines have other numbers than before.
    """

    rows: dict[int, int]
    replaced: list[LineChunk]
    moved: int

    @classmethod
    def merge(cls, first: "Changes | None", then: "Changes | None") -> "Changes | None":
        """Return the two together; no chunk may have come or gone in the second."""
        if first is None or then is None:
            return first or then
        rows = first.rows | {i: min(row, first.rows.get(i, row)) for i, row in then.rows.items()}
        return cls(rows, first.replaced + then.replaced, min(first.moved, then.moved))


class ChunkList:
    """Keeps at most about `kept` drawn rows; the others are drawn again when asked for.

    `heights` has the number of lines of each chunk, a guess until the chunk is drawn.
    """

    def __init__(self, kept: int) -> None:
        self._chunks: list[LineChunk] = []
        self._kept = kept
        self.heights = PrefixSums()
        self._held: list[int] = []
        self._drawn: list[int] = []
        self._held_rows = 0
        self._unsure = 0
        self._changes = Changes({}, [], UNCHANGED)

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int) -> LineChunk:
        return self._chunks[index]

    def __iter__(self) -> Iterator[LineChunk]:
        return iter(self._chunks)

    def index(self, chunk: LineChunk) -> int:
        """Return a chunk's index."""
        return self._chunks.index(chunk)

    # Lines

    @property
    def held_rows(self) -> int:
        """Rows in memory."""
        return self._held_rows

    @property
    def is_exact(self) -> bool:
        """True if each chunk was drawn at least once."""
        return self._unsure == 0

    def find(self, line: int) -> tuple[int, int]:
        """Return the chunk that a line belongs to, by index, and the number of its row."""
        return self.heights.find(max(0, line))

    def rows(self, first: int, last: int) -> Iterator[StreamRow]:
        """Yield the rows of the lines from `first` to `last` (exclusive)."""
        index, number = self.find(first)
        left = last - first
        while left > 0 and index < len(self._chunks):
            self.draw(index)
            rows = self._chunks[index].rows
            for row in rows[number : number + left]:
                yield StreamRow(index, number, row)
                number += 1
                left -= 1
            index, number = index + 1, 0

    def rows_once(self, index: int) -> Sequence[Row]:
        """Return a chunk's rows without keeping them in memory for it."""
        chunk = self._chunks[index]
        was_drawn = chunk.is_drawn
        rows = chunk.rows
        self._update_height(index)
        if not was_drawn:
            chunk.release()
        return rows

    @property
    def has_changed(self) -> bool:
        """True if `take_changes` has anything to report."""
        changes = self._changes
        return changes.moved != UNCHANGED or bool(changes.rows or changes.replaced)

    def take_changes(self) -> Changes | None:
        """Return what changed since the last call."""
        if not self.has_changed:
            return None
        changes, self._changes = self._changes, Changes({}, [], UNCHANGED)
        return changes

    # Changing

    def replace(self, begin: int, end: int, new: Sequence[LineChunk]) -> None:
        """Replace some chunks; those that stay are measured again, as they may have grown."""
        size, chunks = end - begin, self._chunks
        if end == len(chunks):
            shared = min(size, len(new))
            for index in range(shared):
                self._put(begin + index, new[index])
            if size > shared:
                self._cut(begin + shared)
            for chunk in new[shared:]:
                self._append(chunk)
        elif size == len(new):
            for index, chunk in enumerate(new, begin):
                self._put(index, chunk)
        else:
            self._insert(begin, end, new)

    def reset(self, chunks: list[LineChunk]) -> None:
        """Replace all chunks, or take the same ones undrawn."""
        self._chunks = chunks
        self._changes.moved = 0
        self._count_all()

    def draw(self, index: int) -> None:
        """Draw a chunk unless it is: its rows are in memory then and its height is exact."""
        chunk = self._chunks[index]
        if not chunk.is_drawn:
            _ = chunk.rows
            self._update_height(index)
            self._hold(index)

    def measure(self, rows: int) -> int:
        """Draw about so many rows of chunks never drawn, from the end; return how many chunks."""
        left, drawn = float(rows), 0
        while self._unsure and left > 0:
            self._unsure -= 1
            chunk = self._chunks[self._unsure]
            left -= _LOOK
            if not chunk.is_exact:
                self.draw(self._unsure)
                left -= chunk.height
                drawn += 1
        return drawn

    @property
    def has_too_many(self) -> bool:
        """True if it is time to `trim`."""
        return self._held_rows > self._kept

    def trim(self, first: int, last: int) -> None:
        """Release rows, those farthest from these chunks first."""
        drawn, low, high = self._drawn, 0, len(self._drawn) - 1
        while self._held_rows > self._kept * _TRIM and low <= high:
            above, below = first - drawn[low], drawn[high] - last
            if above <= 0 and below <= 0:
                break
            far = drawn[low] if above >= below else drawn[high]
            low, high = (low + 1, high) if above >= below else (low, high - 1)
            self._chunks[far].release()
            self._held_rows -= self._held[far]
            self._held[far] = 0
        self._drawn = drawn[low : high + 1]

    def _put(self, index: int, chunk: LineChunk) -> None:
        old = self._chunks[index]
        if old is not chunk:
            self._changes.replaced.append(old)
            self._chunks[index] = chunk
            chunk.changed_from = 0
        if chunk.changed_from == UNCHANGED:
            return
        rows = self._changes.rows
        rows[index] = min(rows.get(index, UNCHANGED), chunk.changed_from)
        chunk.changed_from = UNCHANGED
        self._update_height(index)
        if not chunk.is_exact:
            self._unsure = max(self._unsure, index + 1)
        self._hold(index)

    def _append(self, chunk: LineChunk) -> None:
        index = len(self._chunks)
        self._changes.rows[index] = 0
        self._changes.moved = min(self._changes.moved, index)
        chunk.changed_from = UNCHANGED
        self._chunks.append(chunk)
        self.heights.append(chunk.height)
        self._held.append(0)
        if not chunk.is_exact:
            self._unsure = index + 1
        self._hold(index)

    def _cut(self, count: int) -> None:
        self._changes.replaced += self._chunks[count:]
        self._changes.moved = min(self._changes.moved, count)
        for index in [index for index in self._changes.rows if index >= count]:
            del self._changes.rows[index]
        self.heights.cut(count)
        self._held_rows -= sum(self._held[count:])
        del self._held[count:]
        del self._drawn[bisect_left(self._drawn, count) :]
        del self._chunks[count:]
        self._unsure = min(self._unsure, count)

    def _insert(self, begin: int, end: int, new: Sequence[LineChunk]) -> None:
        """Insert or remove chunks in the middle: it costs more the longer the stream is."""
        changes, more = self._changes, len(new) - (end - begin)
        changes.replaced += self._chunks[begin:end]
        changes.rows = {i + more * (i >= end): row for i, row in changes.rows.items()}
        changes.rows.update((index, 0) for index in range(begin, begin + len(new)))
        changes.moved = min(changes.moved, begin + len(new))
        self._chunks[begin:end] = new
        self._count_all()

    def _update_height(self, index: int) -> None:
        height = self._chunks[index].height
        if height != self.heights[index]:
            self.heights.set(index, height)
            self._changes.moved = min(self._changes.moved, index + 1)

    def _hold(self, index: int) -> None:
        """Count a chunk's rows in memory."""
        chunk, was = self._chunks[index], self._held[index]
        held = chunk.height if chunk.is_drawn else 0
        if held == was:
            return
        self._held[index] = held
        self._held_rows += held - was
        if not was:
            insort(self._drawn, index)
        elif not held:
            del self._drawn[bisect_left(self._drawn, index)]

    def _count_all(self) -> None:
        """Count everything again."""
        chunks = self._chunks
        for chunk in chunks:
            chunk.changed_from = UNCHANGED
        self.heights = PrefixSums([chunk.height for chunk in chunks])
        self._held = [chunk.height if chunk.is_drawn else 0 for chunk in chunks]
        self._drawn = [index for index, held in enumerate(self._held) if held]
        self._held_rows = sum(self._held)
        self._unsure = len(chunks)
