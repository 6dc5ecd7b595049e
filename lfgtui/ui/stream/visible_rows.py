"""What is in the window, as strips: only rows that changed are made anew."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from lfgtui.ui.items import UNCHANGED
from lfgtui.ui.stream.chunk_list import Changes, Seen
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.row_strips import Strips, styled
from lfgtui.ui.stream.viewport import Window
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import fit, width_of

Rows = tuple[int, int]
"""Rows of the window, the last exclusive."""


class Finish(NamedTuple):
    """What comes on top of a row: the selection, and whatever else a strip goes through."""

    selection: Selection | None
    selected: Style
    last: Callable[[Strip], Strip]


class Sight:
    """The strips of the window's rows. `update` tells which of them are to be painted.

    `shown` is what is on the screen; `strips` brings it up to date.
    """

    def __init__(
        self, lines: StreamLines, window: Window, finder: Finder, palette: Palette, width: int
    ) -> None:
        self._finder = finder
        self._lines = lines
        self._window = window
        self._palette = palette
        self._width = width
        self._strips = Strips(width, palette)
        self.shown: list[Strip] = []
        self._stale: Rows = (0, 0)
        self._top = -1
        self._hint = ""

    # Which rows

    def update(self, mark: int | None) -> list[Rows]:
        """Have the window stand where it belongs; the rows that are to be painted then.

        `mark` is what it has to stay at; None where it is where it should be, or follows.
        """
        pieces, window = self._lines.pieces, self._window
        changes = pieces.take_changes()
        if changes is not None and self._finder.is_active:
            self._finder.update(changes)
        if mark is not None:
            window.return_to(mark)
        window.fit()
        window.trim()
        return self._take(Changes.both(changes, pieces.take_changes()))

    def _take(self, changes: Changes | None) -> list[Rows]:
        height, top, hint = self._window.height, self._window.mark(), self._said()
        if top != self._top or len(self.shown) != height:
            self._top, self._hint = top, hint
            return self.take_all()
        rows = list(self._changed(changes)) if changes else []
        if hint != self._hint:
            self._hint = hint
            rows.append((height - 1, height))
        for first, last in rows:
            self._stale = (
                (min(first, self._stale[0]), max(last, self._stale[1]))
                if self.is_stale
                else (first, last)
            )
        return rows

    def highlight(self, finder: Finder) -> None:
        """Show other matches, with the next update."""
        self._finder, self._top = finder, -1

    def take_all(self) -> list[Rows]:
        """All rows are to be painted anew."""
        height = self._window.height
        self.shown = (self.shown + [self._strips.blank] * height)[:height]
        self._stale = (0, height)
        return [self._stale] if height else []

    @property
    def is_stale(self) -> bool:
        """Whether there is anything to make anew."""
        return self._stale[0] < self._stale[1]

    def _changed(self, changes: Changes) -> Iterator[Rows]:
        pieces, top, height = self._lines.pieces, self._window.top, self._window.height
        first = pieces.find(top)[0]
        for index, row in changes.rows.items():
            if index >= first:
                start = pieces.start(index) - top
                begin, end = max(0, start + row), min(height, start + pieces.height(index))
                if begin < end:
                    yield begin, end
        if first < changes.moved < UNCHANGED:
            begin = pieces.start(min(changes.moved, len(pieces.pieces))) - top
            if begin < height:
                yield max(0, begin), height

    # Their strips

    def strips(self, finish: Finish) -> list[Strip]:
        """All rows; those that changed are made for the purpose."""
        if self.is_stale:
            first, last = self._stale
            top, height = self._window.top, self._window.height
            seen = list(self._lines.pieces.rows(top + first, top + last))
            for y, one in enumerate(seen, first):
                self.shown[y] = finish.last(self._strip(one, finish))
            if first + len(seen) < last:
                blank = finish.last(self._strips.blank)
                for y in range(first + len(seen), last):
                    self.shown[y] = blank
            if self._hint and last == height:
                self.shown[-1] = finish.last(self._hint_strip())
            self._stale = (0, 0)
            if last - first == height:
                self._strips.forget_others([one.row for one in seen])
        return self.shown

    def strip_at(self, y: int) -> Strip:
        """A row with the offsets by which Textual tells what is under the pointer."""
        pieces = self._lines.pieces
        for seen in pieces.rows(self._window.top + y, self._window.top + y + 1):
            drawn = self._strips.drawn(seen.row, pieces.pieces[seen.piece])
            aside = self._strips.characters_aside(drawn)
            return drawn.strip.apply_offsets(aside, self._address(seen))
        return self._strips.blank.apply_offsets(0, self._lines.address_of(len(pieces.pieces), y))

    @property
    def is_hinted(self) -> bool:
        """Whether the last row says what is out of sight."""
        return bool(self._hint)

    def _address(self, seen: Seen) -> int:
        return self._lines.address_of(seen.piece, seen.number)

    def _strip(self, seen: Seen, finish: Finish) -> Strip:
        drawn = self._strips.drawn(seen.row, self._lines.pieces.pieces[seen.piece])
        strip, shift = drawn.strip, drawn.shift
        if self._finder.is_active:
            for mark in self._finder.marks(seen.piece, seen.number):
                style = self._palette.current if mark.is_current else self._palette.match
                strip = styled(strip, mark.begin - shift, mark.end - shift, style)
        if finish.selection is not None:
            span = finish.selection.get_span(self._address(seen))
            if span is not None:
                text = seen.row.text.rstrip()
                begin = width_of(text[: span[0]])
                end = width_of(text if span[1] == -1 else text[: span[1]])
                strip = styled(strip, begin - shift, end - shift, finish.selected)
        return strip

    # Out of sight

    def _said(self) -> str:
        """What the last row says while the end is out of sight."""
        window = self._window
        if window.is_at_end or not (below := window.below):
            return ""
        new = window.new
        said = f"{new} new line{'s' * (new != 1)}" if new > 0 else f"{below} below"
        return f" ↓ {said} · f to follow "

    def _hint_strip(self) -> Strip:
        style = self._palette.hint
        row = fit([(self._hint, style)], (), self._width, style)
        return strip_of(row, self._width, style)

    def shift(self, columns: int) -> bool:
        """Move what is wider than the window, as far as the widest row in sight goes."""
        top = self._window.top
        rows = self._lines.pieces.rows(top, top + self._window.height)
        widest = max((width_of(seen.row.text) for seen in rows), default=0)
        before, most = self._strips.aside, max(0, widest - self._width)
        self._strips.aside = max(0, min(min(before, most) + columns, most))
        return self._strips.aside != before
