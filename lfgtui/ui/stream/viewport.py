"""The lines in view: at the end, or where someone scrolled to.

Heights above and below may be guesses. The lines in view are drawn, so the
viewport itself never rests on a guess; and when heights above it become known,
it stays at the row it showed.
"""

from typing import NamedTuple, Self

from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex, Position

_JUMP = 4
"""Pages that are scrolled row by row; for more a guess is good enough."""


class Viewport:
    """`height` lines of the stream, from line `top` on."""

    def __init__(self, lines: LineIndex) -> None:
        self._lines = lines
        self.height = 0
        self.top = 0
        self.follows = True
        self.is_held = False
        self._left_at = Position(0)

    @property
    def bottom(self) -> int:
        """The top that shows the end."""
        return max(0, self._lines.chunks.heights.total - self.height)

    @property
    def is_at_end(self) -> bool:
        """True while it stays at the end as the text grows."""
        return self.follows and not self.is_held

    @property
    def below(self) -> int:
        """Number of lines below."""
        return max(0, self.bottom - self.top)

    @property
    def new(self) -> int:
        """Number of lines that came since the end was left."""
        lines = self._lines
        return max(0, lines.chunks.heights.total - 1 - lines.line_of(self._left_at))

    def position(self) -> Position:
        """Return the position of the top line."""
        return self._lines.position_at(self.top)

    def return_to(self, position: Position) -> None:
        """Have that position at the top again."""
        self.top = self._lines.line_of(position)

    def fit(self) -> None:
        """Draw the lines in view, and no more than the stream has."""
        chunks = self._lines.chunks
        if self.is_at_end:
            self._fit_end()
            return
        count = len(chunks)
        index, row = chunks.find(min(self.top, max(0, chunks.heights.total - 1)))
        seen, last = -row, index
        while seen < self.height and last < count:
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
        chunks = self._lines.chunks
        index, seen = len(chunks), 0
        while seen < self.height and index:
            index -= 1
            chunks.draw(index)
            seen += chunks.heights[index]
        self.top = self.bottom

    def scroll(self, lines: int) -> None:
        """Scroll; up releases the end, reaching it again follows it again."""
        if abs(lines) <= _JUMP * self.height:
            self._draw_ahead(lines)
        top = min(self.bottom, max(0, self.top + lines))
        if lines > 0 and top == self.bottom:
            self.follow()
        elif top != self.top:
            self.stay_at(top)

    def _draw_ahead(self, lines: int) -> None:
        """Draw the lines on the way, so that it is scrolled by rows and not by guesses."""
        chunks, position = self._lines.chunks, self.position()
        index, row = chunks.find(self.top if lines < 0 else self.top + self.height)
        missing = -lines - row if lines < 0 else lines
        step = -1 if lines < 0 else 1
        index += -1 if lines < 0 else 0
        while missing > 0 and 0 <= index < len(chunks):
            chunks.draw(index)
            missing -= chunks.heights[index] - (row if step > 0 else 0)
            index, row = index + step, 0
        self.return_to(position)

    def autoscroll(self, lines: int) -> None:
        """Scroll without following the end where it is reached."""
        self._draw_ahead(lines)
        self.stay_at(self.top + lines)

    def follow(self) -> None:
        """Keep the end in sight."""
        self.follows = True
        self.fit()

    def stay_at(self, top: int) -> None:
        """Have that line at the top, and stay there as the text grows."""
        if self.follows:
            self._left_at = self._last_position()
        self.follows = False
        self.top = min(self.bottom, max(0, top))
        self.fit()

    def reveal(self, line: int) -> None:
        """Have a line in view above the last row; in the middle if it was not."""
        if not self.top <= line < self.top + self.height - 1:
            position = self._lines.position_at(line)
            self.stay_at(line - self.height // 2)
            if not self.top <= (line := self._lines.line_of(position)) < self.top + self.height - 1:
                self.stay_at(line - self.height // 2)

    def hold(self) -> None:
        """Stand still while a mouse button is held down."""
        self.is_held = True
        self._left_at = self._last_position()

    def _last_position(self) -> Position:
        return self._lines.position_at(max(0, self._lines.chunks.heights.total - 1))

    def trim(self) -> None:
        """Release rows that are far from here, if there are too many."""
        chunks = self._lines.chunks
        if chunks.has_too_many:
            chunks.trim(chunks.find(self.top)[0], chunks.find(self.top + self.height - 1)[0])


class SavedView(NamedTuple):
    """A viewport's position, None at the end, and the pattern searched for.

    A replay that goes back folds its transcripts anew: shorter ones with the same beginning.
    """

    position: Position | None
    pattern: str

    @classmethod
    def of(cls, viewport: Viewport, finder: Finder) -> Self:
        """Return the view as it is."""
        return cls(None if viewport.is_at_end else viewport.position(), finder.pattern)

    def restore(self, lines: LineIndex, viewport: Viewport) -> Finder:
        """Return to the position if there is still such a line; return the new lines' finder."""
        finder = Finder(lines, self.pattern)
        if self.position is not None:
            index, _ = lines.locate(self.position)
            if index < len(lines.chunks):
                lines.chunks.draw(index)
                viewport.stay_at(lines.line_of(self.position))
        finder.seek(viewport.position())
        return finder
