"""The lines in view: at the end, or where someone scrolled to.

Heights above and below may be guesses. The lines in view are drawn, so their own
heights are exact; and when heights above become known, the viewport stays at the
row it showed.
"""

from lfgtui.ui.stream.line_index import LineIndex, Position

_JUMP = 4
"""Most pages that are scrolled row by row; farther, a guess is good enough."""


class Viewport:
    """`height` lines of the stream, from line `top` on.

    `follows`: its end stays in view as text grows, except while it `is_held`, when a mouse button
    is down. After each change of the lines, `return_to` an `anchor` taken before, then `fit`.
    """

    def __init__(self, lines: LineIndex, height: int = 0) -> None:
        self._lines = lines
        self._chunks = lines.chunks
        self.height = height
        self.top = 0
        self.follows = True
        self.is_held = False
        self._left_at = Position(0)  # the last line when the end was left

    @property
    def bottom(self) -> int:
        """The top line with which the end is in view."""
        return max(0, self._chunks.heights.total - self.height)

    @property
    def is_at_end(self) -> bool:
        """True while the viewport follows the end as the text grows."""
        return self.follows and not self.is_held

    @property
    def below(self) -> int:
        """Number of lines below the viewport."""
        return max(0, self.bottom - self.top)

    @property
    def new(self) -> int:
        """Number of lines that came since the end was left."""
        return max(0, self._chunks.heights.total - 1 - self._lines.line_of(self._left_at))

    def position(self) -> Position:
        """Return the position of the top line."""
        return self._lines.position_at(self.top)

    def anchor(self) -> Position | None:
        """Return the position to stay at while lines change; None while it follows the end."""
        return None if self.is_at_end else self.position()

    def return_to(self, position: Position) -> None:
        """Put that position at the top again."""
        self.top = self._lines.line_of(position)

    def fit(self) -> None:
        """Draw the lines in view, and stay within the stream."""
        if self.is_at_end:
            self._fit_end()
            return
        chunks = self._chunks
        index, row = chunks.find(min(self.top, max(0, chunks.heights.total - 1)))
        seen, last = -row, index
        while seen < self.height and last < len(chunks):
            chunks.draw(last)
            if last == index:
                row = min(row, max(0, chunks.heights[index] - 1))
                seen = -row
            seen += chunks.heights[last]
            last += 1
        self.top = chunks.heights.start(index) + row
        if seen < self.height:
            self._fit_end()
        if self.bottom == 0 and not self.is_held:
            self.follows = True

    def _fit_end(self) -> None:
        chunks = self._chunks
        index, seen = len(chunks), 0
        while seen < self.height and index:
            index -= 1
            chunks.draw(index)
            seen += chunks.heights[index]
        self.top = self.bottom

    def scroll(self, lines: int) -> None:
        """Scroll; up stops following the end, and reaching it follows it again."""
        if abs(lines) <= _JUMP * self.height:
            self._draw_ahead(lines)
        top = min(self.bottom, max(0, self.top + lines))
        if lines > 0 and top == self.bottom:
            self.follow()
        elif top != self.top:
            self.stay_at(top)

    def autoscroll(self, lines: int) -> None:
        """Scroll without following the end when it is reached: for dragging with the mouse."""
        self._draw_ahead(lines)
        self.stay_at(self.top + lines)

    def _draw_ahead(self, lines: int) -> None:
        """Draw the lines on the way, so that scrolling goes by rows and not by guesses."""
        chunks, position = self._chunks, self.position()
        step = -1 if lines < 0 else 1
        index, row = chunks.find(self.top if step < 0 else self.top + self.height)
        if step < 0:
            index, row, lines = index - 1, 0, -lines - row
        while lines > 0 and 0 <= index < len(chunks):
            chunks.draw(index)
            lines -= chunks.heights[index] - row
            index, row = index + step, 0
        self.return_to(position)

    def follow(self) -> None:
        """Keep the end in sight."""
        self.follows = True
        self.fit()

    def stay_at(self, top: int) -> None:
        """Put that line at the top, and stay there as the text grows."""
        if self.follows:
            self._leave()
        self.follows = False
        self.top = min(self.bottom, max(0, top))
        self.fit()

    def reveal(self, line: int) -> None:
        """Have a line in view above the last row; if it was not, put it in the middle."""
        position = self._lines.position_at(line)
        for _ in range(2):  # drawing on the way may move it
            if not self.top <= line < self.top + self.height - 1:
                self.stay_at(line - self.height // 2)
                line = self._lines.line_of(position)

    def hold(self) -> None:
        """Stand still while a mouse button is held down."""
        self.is_held = True
        self._leave()

    def _leave(self) -> None:
        self._left_at = self._lines.position_at(max(0, self._chunks.heights.total - 1))

    def trim(self) -> None:
        """Release rows that are far from here, if there are too many."""
        find = self._chunks.find
        self._chunks.trim(find(self.top)[0], find(self.top + self.height - 1)[0])
