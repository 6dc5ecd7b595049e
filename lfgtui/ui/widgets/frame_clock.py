"""Who is drawn in a frame, and when the next one may begin."""

from collections.abc import Callable, Iterator, Sequence

from lfgtui.ui.widgets.pane import Pane

BUDGET = 0.022
"""Seconds a frame draws before it leaves the rest of the panes to the next one."""


class Frames:
    """Shares the time between panes, and between drawing and everything else.

    A frame that ran out of time is followed by one that goes on behind the
    pane it ended with. And after a frame the next one waits for half as long
    as it took: a third of the time belongs to keys and to what arrives. `clock`
    is the time that passes for the person, whatever the panes' own says.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._last: Pane | None = None
        self._free_at = 0.0

    def is_due(self) -> bool:
        """Whether the frame before has been made up for."""
        return self.clock() >= self._free_at

    def turns(self, panes: Sequence[Pane], first: Pane) -> Iterator[Pane]:
        """The panes whose turn it is: `first`, the one that has the focus, always."""
        began = self.clock()
        others = [pane for pane in panes if pane is not first]
        if self._last in others:
            after = others.index(self._last) + 1
            others = others[after:] + others[:after]
        self._last = None
        for pane in [first, *others] if first in panes else others:
            yield pane
            if self.clock() - began > BUDGET:
                self._last = pane
                return

    def ended(self, began: float) -> None:
        """The frame that began then is on the screen."""
        now = self.clock()
        self._free_at = now + max(0.0, now - began) / 2
