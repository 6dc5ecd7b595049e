"""The chunks of a stream in one flat sequence: lines by number, few of them in memory.

A chunk's height is a guess until it was drawn. So drawing a chunk may move the
chunks below it; `take_changes` reports which lines have changed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import UNCHANGED, LineChunk
from lfgtui.ui.text.wrapping import Row

_TRIM = 0.75
"""Share of the allowed rows that is kept when there are too many."""

_LOOK = 0.05
"""Cost of skipping a chunk that need not be drawn, as a share of drawing a row."""


class PrefixSums:
    """A list of sizes, their total, and where each of them begins.

    After a change the sums that follow are made again, in one pass and only when one of them is
    needed: next to nothing when a stream grows, half a millisecond above ten thousand chunks.
    """

    def __init__(self, sizes: Iterable[int] = ()) -> None:
        self._sizes = list(sizes)
        self._starts = [0]
        self.total = sum(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, index: int) -> int:
        return self._sizes[index]

    def replace(self, begin: int, end: int, sizes: Sequence[int]) -> None:
        """Replace the sizes from `begin` to `end` (exclusive)."""
        self.total += sum(sizes) - sum(self._sizes[begin:end])
        self._sizes[begin:end] = sizes
        del self._starts[begin + 1 :]

    def start(self, index: int) -> int:
        """Return the sum of all sizes before this one."""
        known = len(self._starts) - 1
        if index > known:
            sums = accumulate(self._sizes[known:index], initial=self._starts[known])
            self._starts += islice(sums, 1, None)
        return self._starts[index]

    def find(self, at: int) -> tuple[int, int]:
        """Return the index of the size around `at`, and how far inside `at` is.

        Past the end, return the number of sizes and the rest.
        """
        self.start(len(self))
        index = bisect_right(self._starts, at) - 1
        return index, at - self._starts[index]


class StreamRow(NamedTuple):
    """A row with the index of its chunk and its number in the chunk."""

    chunk: int
    number: int
    row: Row


class Changes(msgspec.Struct):
    """Chunks changed since the last frame, by index; `replaced` lists the old ones.

    `rows` has the first changed row of each changed chunk. From chunk `moved`
    on, if there are any, all lines have new numbers.
    """

    rows: dict[int, int] = {}
    replaced: list[LineChunk] = []
    moved: int = UNCHANGED

    def __bool__(self) -> bool:
        return self.moved != UNCHANGED or bool(self.rows or self.replaced)

    def add(self, then: "Changes") -> None:
        """Add later changes, during which no chunk was added or removed."""
        for index, row in then.rows.items():
            self.rows[index] = min(row, self.rows.get(index, row))
        self.replaced += then.replaced
        self.moved = min(self.moved, then.moved)


class ChunkList:
    """The chunks of a stream; at most about `kept` drawn rows stay in memory.

    Other rows are drawn again when needed. `heights` has the number of lines of each chunk, a
    guess until the chunk is drawn. `LineIndex` changes the chunks; whoever paints has to call
    `take_changes` once in a frame.
    """

    def __init__(self, kept: int) -> None:
        self._chunks: list[LineChunk] = []
        self._kept = kept
        self.heights = PrefixSums()
        self._drawn_rows = 0  # at least as many as are in memory
        self._unsure = 0  # from this chunk on all heights are exact
        self._changes = Changes()

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
        return sum(chunk.height for chunk in self._chunks if chunk.is_drawn)

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
        return bool(self._changes)

    def take_changes(self) -> Changes:
        """Return the changes since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    # Changing

    def replace(self, begin: int, end: int, new: Sequence[LineChunk]) -> None:
        """Replace the chunks from `begin` to `end` (exclusive).

        Chunks that stay are measured again, as they may have grown.
        """
        shared = min(end - begin, len(new))
        for index, chunk in enumerate(new[:shared], begin):
            self._put(index, chunk)
        if end - begin != len(new):
            self._resize(begin + shared, end, new[shared:])

    def reset(self, chunks: list[LineChunk]) -> None:
        """Replace all chunks, or undraw them; only that is reported."""
        self._chunks = chunks
        for chunk in chunks:
            chunk.changed_from = UNCHANGED
        self.heights = PrefixSums(chunk.height for chunk in chunks)
        self._drawn_rows, self._unsure = self.held_rows, len(chunks)
        self._changes = Changes(moved=0)

    def draw(self, index: int) -> None:
        """Draw a chunk if it is not: then its rows are in memory and its height is exact."""
        chunk = self._chunks[index]
        if not chunk.is_drawn:
            self._drawn_rows += len(chunk.rows)
            self._update_height(index)

    def measure(self, rows: int) -> int:
        """Draw about `rows` rows of chunks never drawn, from the end; return how many chunks."""
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

    def trim(self, first: int, last: int) -> None:
        """Release the rows farthest from the chunks `first` to `last`, if there are too many."""
        if self._drawn_rows <= self._kept:
            return
        most = int(self._kept * _TRIM)
        held = self.held_rows
        drawn = [index for index, chunk in enumerate(self._chunks) if chunk.is_drawn]
        drawn.sort(key=lambda index: max(first - index, index - last))
        while held > most and drawn and not first <= drawn[-1] <= last:
            chunk = self._chunks[drawn.pop()]
            chunk.release()
            held -= chunk.height
        self._drawn_rows = min(held, most)

    def _put(self, index: int, chunk: LineChunk) -> None:
        """Replace a chunk, or measure one again that may have changed."""
        old, known = self._chunks[index], self.heights[index]
        if old is not chunk:
            self._changes.replaced.append(old)
            self._chunks[index] = chunk
            chunk.changed_from = known = 0
        if chunk.changed_from == UNCHANGED:
            return
        rows = self._changes.rows
        rows[index] = min(rows.get(index, UNCHANGED), chunk.changed_from)
        chunk.changed_from = UNCHANGED
        self._drawn_rows += max(0, chunk.height - known) if chunk.is_drawn else 0
        self._update_height(index)
        if not chunk.is_exact:
            self._unsure = max(self._unsure, index + 1)

    def _resize(self, begin: int, end: int, new: Sequence[LineChunk]) -> None:
        """Replace some chunks by more or fewer."""
        changes, more = self._changes, len(new) - (end - begin)
        changes.replaced += self._chunks[begin:end]
        if begin < len(self._chunks):
            changes.rows = {
                index + more * (index >= end): row
                for index, row in changes.rows.items()
                if not begin <= index < end
            }
        changes.rows.update((index, 0) for index in range(begin, begin + len(new)))
        changes.moved = min(changes.moved, begin)
        self._chunks[begin:end] = new
        self.heights.replace(begin, end, [chunk.height for chunk in new])
        self._unsure = self._unsure + more if self._unsure >= end else min(self._unsure, begin)
        for index, chunk in enumerate(new, begin):
            chunk.changed_from = UNCHANGED
            self._drawn_rows += chunk.height if chunk.is_drawn else 0
            if not chunk.is_exact:
                self._unsure = max(self._unsure, index + 1)

    def _update_height(self, index: int) -> None:
        height = self._chunks[index].height
        if height != self.heights[index]:
            self.heights.replace(index, index + 1, (height,))
            self._changes.moved = min(self._changes.moved, index + 1)
