"""A transcript as one flat list of lines, kept up to date from where it changed.

Views hand out pieces, in `pieces` they stand one after the other, a blank one
before those that need room. A frame costs what is new: only views that can
still change are asked, and only the pieces they name are looked at.

A line's number changes when something above it does. What has to find a row
again takes its *address* instead: one number, growing from row to row, made of
the view, the piece in it and the row in that.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from lfgtui.model.attempt import Attempt
from lfgtui.model.transcript import Transcript
from lfgtui.ui.items import Context, ItemView, Kind, Piece, rule_of, view_of
from lfgtui.ui.stream.chunk_list import PieceList
from lfgtui.ui.text.wrapping import Row

_ROW_BITS, _PIECE_BITS = 24, 24

_SPLICED = 100
"""Views put in place one by one, each of which costs what all the lines cost."""


class Place(NamedTuple):
    """A piece's address and a count of characters into it: survives re-wrapping."""

    address: int
    characters: int


class StreamLines:
    """The lines of one ticket; at most about `kept` of them in memory."""

    def __init__(self, kept: int = 5000) -> None:
        self.pieces = PieceList(kept)
        self.views: list[ItemView] = []
        self._begins: list[int] = []
        self._gaps: list[int] = []
        self._live: list[int] = []
        self._to_fade: list[int] = []
        self._first_views: list[int] = []
        self._attempts = 0
        self._items = 0
        self._turn = 0
        self.is_behind = False

    def update(self, transcript: Transcript, context: Context) -> None:
        """Take in what is new and what changed; `pieces` tells what that was.

        What there is no time for in this frame waits for the next (`is_behind`).
        """
        self._update_live(context.until_half)
        self._take_in(transcript, context)
        for index in self._to_fade:
            view = self.views[index]
            view.is_faded = True
            view.update(context)
            view.redraw(context)
            self._splice(index, 0)
        self._to_fade.clear()

    def _update_live(self, context: Context) -> None:
        """Ask the views that can still change, from where the frame before ran out of time."""
        live = self._live
        self.is_behind = False
        settled = set[int]()
        for left in reversed(range(len(live))):
            self._turn = self._turn % len(live)
            index = live[self._turn]
            self._turn += 1
            if self._update_view(index, context):
                settled.add(index)
            if left and context.is_time_up:
                self.is_behind = True
                break
        if settled:
            self._live = [index for index in live if index not in settled]

    def _update_view(self, index: int, context: Context) -> bool:
        """Bring one view up to date; return True if it can change no more."""
        view = self.views[index]
        first = view.update(context)
        if first is not None:
            self._splice(index, first)
        self.is_behind = self.is_behind or view.is_behind
        return view.is_settled

    def fold(self, kind: Kind, context: Context) -> bool:
        """Fold or unfold all of a kind; return True if all lines were laid out anew."""
        changed = [
            (index, first)
            for index, view in enumerate(self.views)
            if view.kind == kind and (first := view.update(context)) is not None
        ]
        if len(changed) > _SPLICED:
            self._lay_anew()
            return True
        for index, first in changed:
            self._splice(index, first)
        return False

    def refold(self, view: ItemView, context: Context) -> None:
        """This one may be folded in another way now."""
        if (first := view.update(context)) is not None:
            self._splice(self.views.index(view), first)

    def redraw(self, context: Context) -> None:
        """Another width or other colours: nothing is drawn that is not looked at."""
        for view in self.views:
            view.redraw(context)
        self._lay_anew()

    def _lay_anew(self) -> None:
        """Put all pieces in one list again."""
        flat: list[Piece] = []
        for index, view in enumerate(self.views):
            self._begins[index] = len(flat)
            self._gaps[index] = int(self._needs_gap(index))
            if self._gaps[index]:
                flat.append(_gap())
            flat += view.pieces
        self.pieces.reset(flat)

    # Whose a line is

    def view_at(self, line: int) -> ItemView | None:
        """Whose line it is; None for a blank between two."""
        if not 0 <= line < self.pieces.total:
            return None
        return self._owner(self.pieces.find(line)[0])

    def views_at(self, first: int, last: int) -> Iterator[ItemView]:
        """Whose pieces the lines from `first` to `last` (exclusive) belong to."""
        index, until = self.pieces.find(first)[0], self.pieces.find(last - 1)[0]
        for piece in range(index, min(until + 1, len(self.pieces.pieces))):
            if (view := self._owner(piece)) is not None:
                yield view

    def first_line(self, view: ItemView) -> int:
        """Where the view's own lines begin."""
        index = self.views.index(view)
        return self.pieces.start(self._begins[index] + self._gaps[index])

    def item_view(self, attempt: int, item: int) -> ItemView | None:
        """What draws an attempt's item, both counted from 0; None where there is no such."""
        if attempt >= len(self._first_views):
            return None
        first = self._first_views[attempt]
        end = [*self._first_views, len(self.views) + 1][attempt + 1] - 1  # a rule's between two
        return self.views[first + item] if first + item < end else None

    def pieces_of(self, view: ItemView) -> range:
        """The view's own pieces, by index."""
        index = self.views.index(view)
        return range(self._begins[index] + self._gaps[index], self._end(index))

    def _owner(self, piece: int) -> ItemView | None:
        index = bisect_right(self._begins, piece) - 1
        return self.views[index] if piece >= self._begins[index] + self._gaps[index] else None

    # Addresses

    def address_of(self, piece: int, row: int) -> int:
        """A row's address; past the end, one greater than all."""
        view = bisect_right(self._begins, piece) - 1
        if piece >= len(self.pieces.pieces):
            view, own = len(self.views), piece
        else:
            own = piece - self._begins[view] + 1 - self._gaps[view]
        return ((view << _PIECE_BITS) + own << _ROW_BITS) + row

    def address(self, line: int) -> int:
        """The address of what stands on a line."""
        return self.address_of(*self.pieces.find(line))

    def find(self, address: int) -> tuple[int, int]:
        """The piece and the row an address names, or the nearest that are left."""
        row = address & (1 << _ROW_BITS) - 1
        own = (address >> _ROW_BITS) & (1 << _PIECE_BITS) - 1
        view = address >> _ROW_BITS + _PIECE_BITS
        if view >= len(self.views):
            return len(self.pieces.pieces), 0
        end = self._end(view)
        piece = max(self._begins[view], self._begins[view] - 1 + self._gaps[view] + own)
        if piece >= end:
            return end, 0
        return piece, min(row, max(0, self.pieces.height(piece) - 1))

    def line_of(self, address: int) -> int:
        """The line where that stands now."""
        piece, row = self.find(address)
        return self.pieces.start(piece) + row

    def place(self, line: int) -> Place:
        """What stands on the line, so that it can be found again after re-wrapping."""
        piece, row = self.pieces.find(line)
        if piece >= len(self.pieces.pieces):
            return Place(self.address_of(piece, 0), 0)
        self.pieces.draw(piece)
        above = self.pieces.pieces[piece].rows[:row]
        return Place(self.address_of(piece, 0), sum(len(row.text) for row in above))

    def line_at(self, place: Place) -> int:
        """The line where that stands now."""
        piece, _ = self.find(place.address)
        start = self.pieces.start(piece)
        if piece >= len(self.pieces.pieces) or not place.characters:
            return start
        self.pieces.draw(piece)
        left = place.characters
        for number, row in enumerate(self.pieces.pieces[piece].rows):
            left -= len(row.text)
            if left < 0:
                return start + number
        return start + max(0, self.pieces.height(piece) - 1)

    # Items

    def _take_in(self, transcript: Transcript, context: Context) -> None:
        attempts = transcript.attempts
        for number in range(max(0, self._attempts - 1), len(attempts)):
            attempt = attempts[number]
            if number == self._attempts:
                self._begin(attempt, context)
            while self._items < len(attempt.items):
                self._add(view_of(attempt.items[self._items], attempt), context)
                self._items += 1
                is_last = attempt is attempts[-1] and self._items == len(attempt.items)
                if not is_last and context.is_time_up:
                    self.is_behind = True
                    return

    def _begin(self, attempt: Attempt, context: Context) -> None:
        """What a broken attempt said stays, in the background."""
        if self._attempts:
            if not attempt.continues:
                self._to_fade += range(self._first_views[-1], len(self.views))
            self._add(rule_of(attempt), context)
        self._first_views.append(len(self.views))
        self._attempts += 1
        self._items = 0

    def _add(self, view: ItemView, context: Context) -> None:
        """A view behind all others, and what it shows."""
        index = len(self.views)
        self.views.append(view)
        self._begins.append(len(self.pieces.pieces))
        self._gaps.append(0)
        if not self._update_view(index, context):
            self._live.append(index)

    def _splice(self, index: int, first: int) -> None:
        """Bring the view's part of the flat list in line, from its piece `first` on."""
        view = self.views[index]
        begin, end, gap = self._begins[index], self._end(index), self._gaps[index]
        was_empty = begin == end
        new, at = view.pieces[first:], begin + gap + first
        if was_empty or not view.pieces:
            gap = int(self._needs_gap(index))
            self._gaps[index] = gap
            new, at = [_gap()][:gap] + view.pieces, begin
        self.pieces.replace(at, end, new)
        if more := at + len(new) - end:
            for after in range(index + 1, len(self.views)):
                self._begins[after] += more
        if was_empty is bool(view.pieces):
            self._mend_gap(index)

    def _mend_gap(self, index: int) -> None:
        """The next view has another one before it now."""
        after = next((n for n in range(index + 1, len(self.views)) if self.views[n].pieces), None)
        if after is None or (self._begins[after] == self._end(after)):
            return
        begin, was, gap = self._begins[after], self._gaps[after], int(self._needs_gap(after))
        if gap != was:
            self._gaps[after] = gap
            self.pieces.replace(begin, begin + was, [_gap()][:gap])
            for later in range(after + 1, len(self.views)):
                self._begins[later] += gap - was

    def _needs_gap(self, index: int) -> bool:
        """Text stands apart from cards and remarks; those stand together."""
        kind = self.views[index].kind
        if not self.views[index].pieces or kind == "rule":
            return False
        above = (self.views[n] for n in range(index - 1, -1, -1))
        before = next((view.kind for view in above if view.pieces), None)
        return before is not None and "text" in (before, kind)

    def _end(self, index: int) -> int:
        after = index + 1
        return self._begins[after] if after < len(self._begins) else len(self.pieces.pieces)


def _gap() -> Piece:
    """The blank row between two items."""
    return Piece(lambda: (Row(()),), 1, is_exact=True)
