"""Which lines are in sight: at the end, or where someone scrolled to.

Heights above and below may be guesses. What is in sight is drawn, so the
window itself never rests on one; and whatever comes to be known about what
stands above it, it stays at the row it stood at.
"""

from lfgtui.ui.stream.line_index import Place, StreamLines

_JUMP = 4
"""Pages that are scrolled row by row; farther away a guess is good enough."""


class Window:
    """`height` lines of the stream, from line `top` on."""

    def __init__(self, lines: StreamLines) -> None:
        self._lines = lines
        self.height = 0
        self.top = 0
        self.follows = True
        self.is_held = False
        self._left_at = 0

    @property
    def bottom(self) -> int:
        """The top that shows the end."""
        return max(0, self._lines.pieces.total - self.height)

    @property
    def is_at_end(self) -> bool:
        """Whether it stays at the end as the text grows."""
        return self.follows and not self.is_held

    @property
    def below(self) -> int:
        """Lines that are out of sight below."""
        return max(0, self.bottom - self.top)

    @property
    def new(self) -> int:
        """Lines that came since the end was left."""
        lines = self._lines
        return max(0, lines.pieces.total - 1 - lines.line_of(self._left_at))

    def mark(self) -> int:
        """What stands at the top: an address that holds while heights and numbers change."""
        return self._lines.address(self.top)

    def return_to(self, mark: int) -> None:
        """Put what stood at the top back there."""
        self.top = self._lines.line_of(mark)

    def fit(self) -> None:
        """Draw what is in sight, and let the window rest on it."""
        pieces = self._lines.pieces
        if self.is_at_end:
            self._fit_end()
            return
        count = len(pieces.pieces)
        index, row = pieces.find(min(self.top, max(0, pieces.total - 1)))
        seen, last = -row, index
        while seen < self.height and last < count:
            pieces.draw(last)
            if last == index:
                row = min(row, max(0, pieces.height(index) - 1))
                seen = -row
            seen += pieces.height(last)
            last += 1
        self.top = pieces.start(index) + row
        if seen < self.height:
            self._fit_end()
        if self.bottom == 0 and not self.is_held:
            self.follows = True

    def _fit_end(self) -> None:
        pieces = self._lines.pieces
        index, seen = len(pieces.pieces), 0
        while seen < self.height and index:
            index -= 1
            pieces.draw(index)
            seen += pieces.height(index)
        self.top = self.bottom

    def scroll(self, lines: int) -> None:
        """Up releases the end, reaching it again follows it again."""
        if abs(lines) <= _JUMP * self.height:
            self._draw_beside(lines)
        top = min(self.bottom, max(0, self.top + lines))
        if lines > 0 and top == self.bottom:
            self.follow()
        elif top != self.top:
            self.leave(top)

    def _draw_beside(self, lines: int) -> None:
        """Know the heights on the way, so that it is scrolled by rows and not by guesses."""
        pieces, mark = self._lines.pieces, self.mark()
        index, row = pieces.find(self.top if lines < 0 else self.top + self.height)
        missing = -lines - row if lines < 0 else lines
        step = -1 if lines < 0 else 1
        index += -1 if lines < 0 else 0
        while missing > 0 and 0 <= index < len(pieces.pieces):
            pieces.draw(index)
            missing -= pieces.height(index) - (row if step > 0 else 0)
            index, row = index + step, 0
        self.return_to(mark)

    def creep(self, lines: int) -> None:
        """Scroll, and follow nothing."""
        self._draw_beside(lines)
        self.leave(self.top + lines)

    def follow(self) -> None:
        """Keep the end in sight."""
        self.follows = True
        self.fit()

    def leave(self, top: int) -> None:
        """Stay there as the text grows."""
        if self.follows:
            self._left_at = self._lines.address(max(0, self._lines.pieces.total - 1))
        self.follows = False
        self.top = min(self.bottom, max(0, top))
        self.fit()

    def reveal(self, line: int) -> None:
        """Have a line in sight, above the last row; the middle if it was not."""
        if not self.top <= line < self.top + self.height - 1:
            mark = self._lines.address(line)
            self.leave(line - self.height // 2)
            if not self.top <= (line := self._lines.line_of(mark)) < self.top + self.height - 1:
                self.leave(line - self.height // 2)

    def hold(self) -> None:
        """Stand still, for as long as the mouse is held down."""
        self.is_held = True
        self._left_at = self._lines.address(max(0, self._lines.pieces.total - 1))

    def trim(self) -> None:
        """Let rows go that are far from here, if there are too many."""
        pieces = self._lines.pieces
        if pieces.has_too_many:
            pieces.trim(pieces.find(self.top)[0], pieces.find(self.top + self.height - 1)[0])

    def place(self) -> Place:
        """What stands at the top, for `go_to`, after all was wrapped anew."""
        return self._lines.place(self.top)

    def go_to(self, place: Place) -> None:
        """Show at the top what stood there."""
        self.top = self._lines.line_at(place)
        self.fit()
