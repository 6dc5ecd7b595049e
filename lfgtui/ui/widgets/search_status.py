"""A search in a pane, as the footer tells it."""

import msgspec

from lfgtui.ui.text.styled_line import one_line, shorten


class Finding(msgspec.Struct, frozen=True):
    """A search that is open in a pane."""

    pattern: str
    hits: int

    def with_hits(self, hits: int) -> "Finding":
        """The same search, as many hits as there are by now."""
        return self if hits == self.hits else Finding(self.pattern, hits)

    def said(self, position: int) -> str:
        """The pattern, and at which of its hits one stands."""
        hits = f"{position}/{self.hits}" if self.hits else "not found"
        return f"“{shorten(one_line(self.pattern), 24)}” {hits}"
