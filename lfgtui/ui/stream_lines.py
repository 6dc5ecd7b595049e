"""A transcript as one flat list of lines, kept up to date from where it changed."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from lfgtui.transcript import Attempt, Transcript
from lfgtui.ui.items import Context, ItemView, Piece, rule_of, view_of
from lfgtui.ui.lines import Line, Row, finish

Place = tuple[int, int]
"""A view's index and a count of characters into what it says: survives re-wrapping."""

_BLANK = Row(())


class StreamLines:
    """The lines of one ticket. Views of items that can change no more are left alone."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.views: list[ItemView] = []
        self._starts: list[int] = []
        self._live: list[int] = []
        self._seen: list[tuple[Attempt, int]] = []
        self._first_views: list[int] = []

    def update(self, transcript: Transcript, context: Context) -> bool:
        """Take in what is new and what changed; whether any line did."""
        self._take_in(transcript)
        changed = [index for index in self._live if self.views[index].update(context)]
        self._live = [index for index in self._live if not self.views[index].is_settled]
        return self._rebuild(changed, context)

    def redraw(self, context: Context) -> bool:
        """Draw everything for another width, palette or folding."""
        changed = [index for index, view in enumerate(self.views) if view.update(context)]
        return self._rebuild(changed, context)

    def view_at(self, line: int) -> ItemView | None:
        """Whose line it is; None for a blank between two."""
        index = self._index(line)
        if index < 0:
            return None
        view = self.views[index]
        size = sum(len(piece.lines) for piece in view.pieces)
        return view if line < self._end(index) and line >= self._end(index) - size else None

    def first_line(self, view: ItemView) -> int:
        """Where the view's own lines begin."""
        index = self.views.index(view)
        return self._end(index) - sum(len(piece.lines) for piece in view.pieces)

    def place(self, line: int) -> Place:
        """What stands on the line, so that it can be found again after re-wrapping."""
        index = max(0, self._index(line))
        start = self._starts[index] if self._starts else 0
        return index, sum(len(above.text) for above in self.lines[start:line])

    def line_of(self, place: Place) -> int:
        """The line where that stands now."""
        index, characters = place
        if index >= len(self._starts):
            return max(0, len(self.lines) - 1)
        for line in range(self._starts[index], self._end(index)):
            characters -= len(self.lines[line].text)
            if characters < 0:
                return line
        return self._starts[index]

    def pieces(self) -> Iterator[tuple[int, Piece]]:
        """Each piece with the line it begins on."""
        for view in self.views:
            if view.pieces:
                line = self.first_line(view)
                for piece in view.pieces:
                    yield line, piece
                    line += len(piece.lines)

    def _take_in(self, transcript: Transcript) -> None:
        for number, attempt in enumerate(transcript.attempts):
            if number == len(self._seen):
                self._begin(attempt)
            seen, count = self._seen[number]
            for item in attempt.items[count:]:
                self._add(view_of(item, attempt))
            self._seen[number] = (seen, len(attempt.items))

    def _begin(self, attempt: Attempt) -> None:
        if self._seen:
            if not attempt.continues:
                self._fade(self._first_views[-1])
            self._add(rule_of(attempt))
        self._first_views.append(len(self.views))
        self._seen.append((attempt, 0))

    def _fade(self, first: int) -> None:
        """What a broken attempt said stays, in the background."""
        for index in range(first, len(self.views)):
            self.views[index].is_faded = True
            if index not in self._live:
                self._live.append(index)
        self._live.sort()

    def _add(self, view: ItemView) -> None:
        self._live.append(len(self.views))
        self.views.append(view)

    def _rebuild(self, changed: Sequence[int], context: Context) -> bool:
        if not changed:
            return False
        first = min(changed[0], len(self._starts))
        if first < len(self._starts):
            del self.lines[self._starts[first] :]
            del self._starts[first:]
        for index in range(first, len(self.views)):
            self._starts.append(len(self.lines))
            view = self.views[index]
            if view.pieces and self.lines and self._needs_gap(index):
                self.lines += finish([_BLANK], context.width, context.palette.text)
            for piece in view.pieces:
                self.lines += piece.lines
        return True

    def _needs_gap(self, index: int) -> bool:
        """Text stands apart from cards and remarks; those stand together."""
        before = next((v.kind for v in reversed(self.views[:index]) if v.pieces), None)
        return "text" in (before, self.views[index].kind) and self.views[index].kind != "rule"

    def _index(self, line: int) -> int:
        index = bisect_right(self._starts, line) - 1
        while index > 0 and not self.views[index].pieces:
            index -= 1
        return index

    def _end(self, index: int) -> int:
        return self._starts[index + 1] if index + 1 < len(self._starts) else len(self.lines)
