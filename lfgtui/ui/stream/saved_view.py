"""What a stream keeps when another transcript takes the old one's place.

A replay that goes back has transcripts folded anew: shorter ones, with the
same beginning. What stood at the top then stands there again, if there is
still such a line, and what is sought is sought in what there is now.
"""

from typing import NamedTuple, Self

from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import Place, StreamLines
from lfgtui.ui.stream.viewport import Window


class Left(NamedTuple):
    """Where a window was left, None at the end, and what was sought in it."""

    place: Place | None
    pattern: str

    @classmethod
    def of(cls, window: Window, finder: Finder) -> Self:
        """How things stand."""
        return cls(None if window.is_at_end else window.place(), finder.pattern)

    def taken_up(self, lines: StreamLines, window: Window) -> Finder:
        """Put the window back; the finder of the other lines."""
        finder = Finder(lines, self.pattern)
        if self.place is not None and lines.find(self.place.address)[0] < len(lines.pieces.pieces):
            window.leave(lines.line_at(self.place))
        finder.seek(window.mark())
        return finder
