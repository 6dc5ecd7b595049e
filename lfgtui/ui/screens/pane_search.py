"""A search in a pane."""

from lfgtui.ui.stream.search_target import Target
from lfgtui.ui.text.styled_line import one_line, shorten
from lfgtui.ui.widgets.pane import Pane

_SHOWN = 24
"""Cells of the pattern that the footer shows."""


class PaneSearch:
    """A pattern and the pane that is searched for it; at most one pane of a screen is."""

    def __init__(self) -> None:
        self.pattern = ""
        self._pane: Pane | None = None

    @property
    def is_open(self) -> bool:
        """True while matches are highlighted."""
        return self._pane is not None

    def open(self, pane: Pane, pattern: str) -> None:
        """Highlight the matches in a pane and show one."""
        self.close()
        pane.stream.find(pattern)
        self._pane, self.pattern = pane, pattern

    def open_target(self, pane: Pane, target: Target) -> bool:
        """Show a match; return False if the pane leaves it out."""
        is_shown = pane.stream.show_target(target)
        if target.pattern:
            self._pane, self.pattern = pane, target.pattern
        return is_shown or not target.pattern

    def step(self, matches: int) -> None:
        """Show the next match, or (-1) the previous one."""
        if self._pane is not None:
            self._pane.stream.find_step(matches)

    def close(self) -> None:
        """Take the highlights away."""
        if self._pane is not None:
            self._pane.stream.find("")
        self._pane, self.pattern = None, ""

    def status(self) -> str | None:
        """Return the pattern and the number of the match shown; None while nothing is searched."""
        if self._pane is None:
            return None
        finder = self._pane.stream.finder
        number = f"{finder.number}/{finder.count}" if finder.count else "no matches"
        return f"“{shorten(one_line(self.pattern), _SHOWN)}” {number}"
