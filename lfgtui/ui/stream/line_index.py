"""A transcript as one flat list of lines, kept up to date from where it changed.

Item views make chunks of lines; `chunks` has them one after the other, with a blank
line before those that need a gap. A frame costs only what is new: only views that
can still change are updated, and only the chunks they report are looked at.

A line's number changes when something above it does. A `Position` does not.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Self, TypeAlias

from textual.geometry import Offset

from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import Item
from lfgtui.model.fold.states import ENDED
from lfgtui.model.fold.transcript import Transcript
from lfgtui.ui.items import Context, ItemView, Kind, LineChunk, view_of
from lfgtui.ui.stream.chunk_list import ChunkList, PrefixSums
from lfgtui.ui.text.wrapping import Row

_BITS = 24
"""Bits of the chunk, and of the row, in the single number that Textual's selections keep."""

_Depth: TypeAlias = tuple[int, int]
"""A row's position in its chunk that does not depend on the width: the number of characters above
it that are neither blanks nor a table's lines, then of rows without any directly above it."""

# Blanks and a table's lines, for `str.translate` to remove.
_BLANK = dict.fromkeys(map(ord, " │─┼┄"))


class Position(NamedTuple):
    """A character in a row of a stream. Later rows are greater, whatever changes above them.

    `view`: the view's index. `chunk`: 0 for the blank line before it, its own chunks from 1 on.
    `row`: the row in the chunk, `character`: the character in the row.
    """

    view: int
    chunk: int = 0
    row: int = 0
    character: int = 0

    @classmethod
    def from_offset(cls, offset: Offset) -> Self:
        """Return the position that an offset of Textual's selection stands for."""
        above, row = divmod(offset.y, 1 << _BITS)
        return cls(*divmod(above, 1 << _BITS), row, offset.x)

    @property
    def offset(self) -> Offset:
        """The position as two numbers, for Textual."""
        return Offset(self.character, ((self.view << _BITS) + self.chunk << _BITS) + self.row)


class LineIndex:
    """The lines of one ticket; at most about `kept` of them are in memory.

    `views` has a view for each item, and for the rule above each attempt but the first.
    """

    def __init__(self, kept: int = 5000) -> None:
        self.chunks = ChunkList(kept)
        self.views: list[ItemView] = []
        self._shown: list[Item | Attempt] = []  # what each view shows
        self._sizes = PrefixSums()  # number of chunks of each view, with the blank before it
        self._gaps: list[int] = []  # 1 for each view with a blank before it, else 0
        self._live: deque[int] = deque()  # views that can still change
        self._to_fade: list[int] = []  # views of superseded attempts that are not muted yet
        self._first_view = 0  # of the newest attempt
        self._attempts = self._items = 0  # attempts read, and items of the newest of them
        self.is_behind = False
        """True while some of the transcript is unread, as the time was up."""
        self.is_over = False
        """True once the ticket has ended, so that no more lines come."""

    def update(self, transcript: Transcript, context: Context) -> None:
        """Read what is new or changed; `chunks.take_changes` reports it.

        The rest waits for the next frame if the time is up (`is_behind`).
        """
        self.is_over = transcript.state in ENDED
        self._update_live(context.until_half)
        self._read_items(transcript, context)
        for index in self._to_fade:
            view = self.views[index]
            view.is_faded = True
            view.update(context)
            view.redraw(context)
            self._splice(index, 0)
        self._to_fade.clear()

    def _update_live(self, context: Context) -> None:
        """Update the views that can change, from where the last frame ran out of time."""
        self.is_behind = False
        for left in reversed(range(len(self._live))):
            index = self._live.popleft()
            if not self._update_view(index, context):
                self._live.append(index)
            if left and context.is_time_up:
                self.is_behind = True
                return

    def _update_view(self, index: int, context: Context) -> bool:
        """Bring one view up to date; return True if it cannot change any more."""
        view = self.views[index]
        first = view.update(context)
        if first is not None:
            self._splice(index, first)
        self.is_behind = self.is_behind or view.is_behind
        return view.is_settled

    def fold(self, kind: Kind, context: Context) -> None:
        """Update all views of a kind that was folded or unfolded; all lines are counted again."""
        for view in self.views:
            if view.kind == kind:
                view.update(context)
        self._rebuild()

    def refold(self, view: ItemView, context: Context) -> None:
        """Update a view that was folded or unfolded."""
        self._update_view(self.views.index(view), context)

    def redraw(self, context: Context, anchor: Position | None = None) -> Position | None:
        """Have all lines drawn again when they are looked at: the width or colours changed.

        Return the row that now has the text at the beginning of the anchor's row.
        """
        depth = self._depths(anchor)[: anchor.row + 1][-1] if anchor else None
        for view in self.views:
            view.redraw(context)
        self._rebuild()
        if anchor is None or depth is None:
            return None
        return anchor._replace(row=bisect_right(self._depths(anchor), depth) - 1)

    def _depths(self, position: Position) -> list[_Depth]:
        """Return the depth of each row of the position's chunk, and of its end."""
        depths = [(0, 0)]
        index, _ = self.locate(position)
        if index >= len(self.chunks):
            return depths
        self.chunks.draw(index)
        for row in self.chunks[index].rows:
            letters, empty = depths[-1]
            own = len(row.text[row.margin :].translate(_BLANK))
            depths.append((letters + own, 0 if own else empty + 1))
        return depths

    def _rebuild(self) -> None:
        """Put all chunks in one list again."""
        flat: list[LineChunk] = []
        for index, view in enumerate(self.views):
            self._gaps[index] = int(self._needs_gap(index))
            flat += [_gap()] * self._gaps[index] + view.chunks
        sizes = zip(self.views, self._gaps, strict=True)
        self._sizes = PrefixSums(len(view.chunks) + gap for view, gap in sizes)
        self.chunks.reset(flat)

    # Owners of lines

    def views_at(self, first: int, last: int) -> Iterator[ItemView]:
        """Yield the views of the lines from `first` to `last` (exclusive), chunk by chunk."""
        index, until = self.chunks.find(first)[0], self.chunks.find(last - 1)[0]
        for chunk in range(index, min(until + 1, len(self.chunks))):
            view, own = self._sizes.find(chunk)
            if own >= self._gaps[view]:
                yield self.views[view]

    def view_of(self, item: Item) -> ItemView | None:
        """Return the view of an item; None if the item was not read yet."""
        for index in reversed(range(len(self.views))):
            if self._shown[index] is item:
                return self.views[index]
        return None

    def lines_of(self, view: ItemView) -> range:
        """Return the lines of a view, without the blank before it."""
        chunks, heights = self.chunks_of(view), self.chunks.heights
        return range(heights.start(chunks.start), heights.start(chunks.stop))

    def chunks_of(self, view: ItemView) -> range:
        """Return the view's own chunks, by index."""
        index = self.views.index(view)
        return range(self._sizes.start(index) + self._gaps[index], self._sizes.start(index + 1))

    # Positions

    def position(self, chunk: int, row: int = 0) -> Position:
        """Return the position of a chunk's row; past the end, a position greater than all."""
        view, own = self._sizes.find(chunk)
        return Position(view, own + 1 - self._gaps[view] if view < len(self.views) else own, row)

    def position_at(self, line: int) -> Position:
        """Return the position of a line."""
        return self.position(*self.chunks.find(line))

    def locate(self, position: Position) -> tuple[int, int]:
        """Return the chunk, by index, and the row in it; the nearest if they are gone."""
        view, own, row, _ = position
        if view >= len(self.views):
            return len(self.chunks), 0
        begin, end = self._sizes.start(view), self._sizes.start(view + 1)
        chunk = begin + max(0, own - 1 + self._gaps[view])
        return (
            (chunk, min(row, max(0, self.chunks.heights[chunk] - 1))) if chunk < end else (end, 0)
        )

    def line_of(self, position: Position) -> int:
        """Return the line that a position is on now."""
        chunk, row = self.locate(position)
        return self.chunks.heights.start(chunk) + row

    # Items

    def _read_items(self, transcript: Transcript, context: Context) -> None:
        """Make views of new attempts and items, until the time is up."""
        attempts = transcript.attempts
        for number in range(max(0, self._attempts - 1), len(attempts)):
            attempt = attempts[number]
            if number == self._attempts:
                self._begin(attempt, context)
            while self._items < len(attempt.items):
                self._add(attempt.items[self._items], attempt, context)
                self._items += 1
                is_last = attempt is attempts[-1] and self._items == len(attempt.items)
                if not is_last and context.is_time_up:
                    self.is_behind = True
                    return

    def _begin(self, attempt: Attempt, context: Context) -> None:
        """Begin an attempt. The text of one that broke stays, muted."""
        if self._attempts:
            if not attempt.continues:
                self._to_fade += range(self._first_view, len(self.views))
            self._add(attempt, attempt, context)
        self._first_view = len(self.views)
        self._attempts += 1
        self._items = 0

    def _add(self, shown: Item | Attempt, attempt: Attempt, context: Context) -> None:
        """Append a view and its chunks; an attempt's view is the rule above it."""
        index = len(self.views)
        self._shown.append(shown)
        self.views.append(view_of(shown, attempt))
        self._sizes.replace(index, index, (0,))
        self._gaps.append(0)
        if not self._update_view(index, context):
            self._live.append(index)

    def _splice(self, index: int, first: int) -> None:
        """Bring the view's part of the flat list up to date, from its chunk `first` on."""
        view, gap = self.views[index], int(self._needs_gap(index))
        begin, end = self._sizes.start(index), self._sizes.start(index + 1)
        if gap == self._gaps[index]:
            self.chunks.replace(begin + gap + first, end, view.chunks[first:])
        else:
            self.chunks.replace(begin, end, [_gap()] * gap + view.chunks)
        self._gaps[index] = gap
        if (size := gap + len(view.chunks)) != end - begin:
            self._sizes.replace(index, index + 1, (size,))
        if (begin == end) is bool(view.chunks):  # the next one follows another view now
            after = (n for n in range(index + 1, len(self.views)) if self.views[n].chunks)
            if (following := next(after, None)) is not None:
                self._splice(following, len(self.views[following].chunks))

    def _needs_gap(self, index: int) -> bool:
        """Return True if the view, or the one above it, is text: all others stand without gaps."""
        kind = self.views[index].kind
        if not self.views[index].chunks or kind == "rule":
            return False
        above = (self.views[n] for n in range(index - 1, -1, -1))
        before = next((view.kind for view in above if view.chunks), None)
        return before is not None and "text" in (before, kind)


def _gap() -> LineChunk:
    """Return the blank row between two items."""
    return LineChunk(lambda: (Row(()),), 1, is_exact=True)
