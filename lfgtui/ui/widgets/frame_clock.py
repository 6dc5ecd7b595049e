"""The clock of frames: they are drawn when something changed, when figures move, or not at all."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context, copy_context
from typing import NamedTuple

from lfgtui.model.fold.states import RUNNING, State
from lfgtui.ui.run_view import RunView
from lfgtui.ui.widgets.pane import Pane


class Pace(NamedTuple):
    """The bounds of drawing.

    `frame` is the least seconds from the beginning of a frame to the next one's, `share` the
    largest share of a core for drawing arrivals: many busy panes get fewer frames.
    """

    frame: float
    share: float


OWN = Pace(frame=1 / 30, share=0.1)
"""The pace of a run's own screen."""

ATTACHED = Pace(frame=1 / 60, share=0.5)
"""The pace of a viewer in another process, which takes no time from the run."""

BUDGET = 0.022
"""Seconds after which a frame leaves the panes not drawn yet to the next frame."""

PATIENCE = 0.1
"""The same for the frame of a new layout, as a person waits for all panes in view."""

SLOWEST = 0.15
"""Most seconds until arrivals are drawn, however long frames take."""

WITH_ARRIVALS = 1.5
"""Figures alone wait this many times as long as arrivals have to, so that most are drawn in a frame
for arrivals."""

GAUGE = 0.25
"""Seconds between two updates of figures: flickering ones cannot be read."""

SECOND = 1.0
"""Seconds between two updates while only clocks move."""

MINUTE = 60.0
"""Seconds between two updates while no figure has seconds."""

# States in which figures move all the time, and those in which only clocks do.
_STREAMS: frozenset[State | None] = frozenset({"waiting", "streaming"})
_TICKS: frozenset[State | None] = RUNNING - _STREAMS - {"paused"}

Draw = Callable[[], float | None]
"""Draws a frame; returns when the next one is due, by the loop's clock (0: at once), or None."""


def figures_move(run: RunView, now: float) -> float | None:
    """Return the seconds after which figures change by time alone; None if never."""
    transcripts = [run.transcript(ticket.id) for ticket in run.tickets]
    states = {one.state for one in transcripts if one.parked_until is None}
    if states & _STREAMS or any(run.meter(one.id).has_history(now) for one in run.tickets):
        return GAUGE
    health = run.health
    if states & _TICKS or health.open_circuits or health.behind:
        return SECOND
    has_parked = any(one.parked_until is not None for one in transcripts)
    return MINUTE if has_parked else None  # at midnight the time they wait for loses its day


def due(ticks: float, period: float) -> float:
    """Return the next multiple of a period, so that all who use the period get the same time."""
    return (ticks // period + 1) * period


class FrameClock:
    """Draws a frame when it is woken, and shares the time between panes and all the rest.

    It stands still until somebody calls `wake`. After a frame that ran out of time the next
    one begins after the pane that it ended with. Between two frames there is a pause of half a
    frame's time, which leaves a third for keys and arrivals. A frame for arrivals alone waits
    until such frames take no more than the `pace` allows. `clock` is the person's time, whatever
    the panes' clock says.
    """

    def __init__(self, clock: Callable[[], float], pace: Pace = OWN) -> None:
        self.clock = clock
        self.pace = pace
        self._draw: Draw | None = None
        self._context: Context | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last: Pane | None = None  # the one with which the last frame ran out of time
        self._budget = BUDGET
        self._free_at = 0.0  # the earliest time of the next frame, by the loop's clock
        self._arrivals_at = 0.0  # the same for a frame for arrivals alone

    def start(self, draw: Draw) -> None:
        """Draw frames on the running loop, in the context of the caller, from now on."""
        self._draw, self._context = draw, copy_context()
        self.wake()

    def stop(self) -> None:
        """Draw no more."""
        self._draw = None
        self._rest()

    @property
    def next_at(self) -> float | None:
        """When the next frame is drawn, by the loop's clock; None if none is due."""
        return None if self._timer is None else self._timer.when()

    def wake(self, at: float = 0.0) -> None:
        """Draw a frame as soon as possible, but not before `at`, by the loop's clock."""
        at = max(at, self._free_at)
        if self._draw is None or (self._timer is not None and self._timer.when() <= at):
            return
        self._rest()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(at, self._frame, self._draw, context=self._context)

    def wake_for_arrivals(self) -> None:
        """Draw a frame for arrivals, when the pace allows one."""
        self.wake(self._arrivals_at)

    def draw_whole(self) -> None:
        """Draw a frame of a new layout now, for at most `PATIENCE`, then pause as after any."""
        if self._draw is not None:
            self._rest()
            self._budget = PATIENCE
            self._frame(self._draw)
            self._budget = BUDGET

    def _rest(self) -> None:
        """Cancel the next frame, if one is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _frame(self, draw: Draw) -> None:
        """Draw a frame, and set from the time it took when the next ones may begin."""
        loop = asyncio.get_running_loop()
        self._timer, began = None, loop.time()
        again_at = draw()
        took = loop.time() - began
        self._free_at = began + max(self.pace.frame, 1.5 * took)
        rest = min(took / self.pace.share, SLOWEST)
        self._arrivals_at = began + rest
        if again_at is not None:
            self.wake(again_at and max(again_at, began + WITH_ARRIVALS * rest))

    def turns(self, panes: Sequence[Pane], first: Pane) -> Iterator[Pane]:
        """Yield the panes to draw in a frame, always with `first`, which has the focus."""
        began = self.clock()
        others = [pane for pane in panes if pane is not first]
        if self._last in others:
            after = others.index(self._last) + 1
            others = others[after:] + others[:after]
        for pane in [first, *others] if first in panes else others:
            yield pane
            if self.clock() - began > self._budget:
                if pane is not first:  # else none of the others had its turn
                    self._last = pane
                return
        self._last = None
