"""The screen of a replay: read like a past run, and moved in time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial, partialmethod

from msgspec.structs import replace
from textual import events

from lfgtui.errors import UsageError
from lfgtui.model.fold.states import State
from lfgtui.text import figures
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.replay.seek import EXPECTED, go_to
from lfgtui.ui.screens.base import ScreenContext
from lfgtui.ui.screens.run import RunMode, RunScreen
from lfgtui.ui.text.styled_line import Line, Span, line_width
from lfgtui.ui.widgets.footer import Offer

SKIP = 10.0
"""Seconds that the keys `[` and `]` skip."""

_PATIENCE = 0.06
"""Seconds that a frame may fold before the bar says `seeking`."""

_SHORTEST_BAR = 8
"""Cells below which there is no bar."""


def replay_screen(run: ReplayedRun, context: ScreenContext) -> RunScreen:
    """Return a screen whose clock is the replay's.

    The panes are given the recorded time, so that their figures are what they
    were, and stand still while the replay does.
    """
    run.proceed()
    panes = replace(context.panes, clock=lambda: run.now)
    context = replace(context, panes=panes)
    return RunScreen(run, context, ReplayMode(run), simulated=run.is_simulated)


class ReplayBar(LineRow):
    """The row below the panes: speed, time, a bar to click on, the event, the time of day."""

    def __init__(self, run: ReplayedRun, seek: Callable[[float], None]) -> None:
        super().__init__()
        self._run = run
        self._seek = seek
        self._bar = range(0)  # the columns of the bar

    def update(self, ticket: str | None) -> None:
        """Show the position; `ticket` is the one whose events are counted, None for all."""
        self.show(partial(self._line_of, ticket))

    def _line_of(self, ticket: str | None, width: int) -> Line:
        line, self._bar = compose_bar(self._run, ticket, width)
        return line

    def on_click(self, event: events.Click) -> None:
        if event.x in self._bar:
            share = (event.x - self._bar.start) / (len(self._bar) - 1)
            self._seek(share * self._run.timeline.length)


def compose_bar(run: ReplayedRun, ticket: str | None, width: int) -> tuple[Line, range]:
    """Return the row's spans, and the columns of its bar."""
    length = run.timeline.length
    sign, colour = ("■", "secondary") if run.is_at_end else ("‖", "warning")
    if run.is_playing:
        sign, colour = "▶", "success"
    left = [
        Span(f" {sign} ", colour, True),
        Span(f"{run.speed:g}×".ljust(6), bold=True),
        Span(f"{figures.duration(run.position):>4}", bold=True),
        Span(f" / {figures.duration(length)}  ", "muted"),
    ]
    right: Line = []
    for span in _remarks(run, ticket):
        if line_width(left) + line_width(right) + span.width <= width:
            right.append(span)
    room = width - line_width(left) - line_width(right)
    if room < _SHORTEST_BAR:
        return [*left, Span(" " * max(0, room)), *right], range(0)
    done = round(room * (run.position / length if length else 1.0))
    bar = [Span("━" * done, colour), Span("─" * (room - done), "muted")]
    begin = line_width(left)
    return [*left, *bar, *right], range(begin, begin + room)


def _remarks(run: ReplayedRun, ticket: str | None) -> Iterator[Span]:
    """Yield the spans at the right, the most important first."""
    if run.is_busy:
        yield Span("  seeking … ", "warning", True)
        return
    event, events = run.count, run.timeline.count
    if ticket is not None:
        event = run.timeline.own_count(ticket, event)
        events = len(run.timeline.of_ticket[ticket])
    yield Span(f"  {ticket or 'event'} {event}/{events} ")
    yield Span(f" {datetime.fromtimestamp(run.now):%H:%M:%S} ", "muted")
    if run.is_at_end and not run.is_playing:
        yield Span("  end ", "secondary", True)
    elif run.timeline.cut_after(run.count) > 0:
        yield Span("  idle time skipped ", "secondary", True)


class ReplayMode(RunMode):
    """Plays a run.

    While a single pane is shown, only its ticket's events are counted and stepped through.
    """

    scope = "replay"
    label = "REPLAY"
    refusal = "this is a replay: read-only"
    help: Mapping[str, str] = {"pause": "replay: play or pause"}

    def __init__(self, run: ReplayedRun) -> None:
        self._run = run
        self.bar: ReplayBar = ReplayBar(run, self._seek)
        self._has_moved = False
        """True until the next complete frame has redrawn all figures."""

    def advance(self, gauges: bool) -> bool | None:
        """Move on by the time that passed; after `_PATIENCE` the rest waits for the next frame."""
        was_playing = self._run.is_playing
        self._run.advance(self.screen.context.frames.clock())
        self.screen.mark(self._run.proceed(_PATIENCE))
        has_moved, self._has_moved = self._has_moved, self._run.is_busy
        if self._run.is_busy:
            self.update_bar()
            return None
        if has_moved:
            for pane in self.screen.panes:
                pane.mark_moved()
        return gauges or has_moved or was_playing is not self._run.is_playing

    @property
    def is_playing(self) -> bool:
        return self._run.is_playing

    def figures_move(self) -> float | None:
        return None  # the figures' clock is the replay's

    def update_bar(self) -> None:
        self.bar.update(self._counted)

    def offers(self, state: State | None) -> Iterator[Offer]:
        if self._run.is_playing:
            yield Offer("pause")
        else:
            yield Offer("pause", "replay" if self._run.is_at_end else "play")
        yield from map(Offer, ("skip_back", "skip_forward", "slower", "faster", "help", "quit"))
        yield from map(Offer, ("go_to_moment", "event_back", "event_forward"))

    @property
    def _counted(self) -> str | None:
        """The ticket whose events are counted and stepped through; None: all are."""
        return self.screen.current if self.screen.is_alone else None

    # Keys. Each action that jumps or changes the pace sets `_has_moved`, so that the next frame
    # redraws all figures.

    def action_retry(self) -> None:
        self.screen.toast("this is a replay; resume the run with `lfg resume`, or r in the history")

    def action_pause(self) -> None:
        self._run.toggle()
        self._has_moved = True

    def _seek(self, position: float) -> None:
        self._run.seek(position)
        self._has_moved = True

    def _skip(self, seconds: float) -> None:
        self._seek(self._run.position + seconds)

    action_skip_back = partialmethod(_skip, -SKIP)
    action_skip_forward = partialmethod(_skip, SKIP)

    def _change_speed(self, step: int) -> None:
        self._run.change_speed(step)
        self._has_moved = True

    action_slower = partialmethod(_change_speed, -1)
    action_faster = partialmethod(_change_speed, 1)

    def _step(self, events: int) -> None:
        self._run.step(events, self._counted)
        self._has_moved = True

    action_event_back = partialmethod(_step, -1)
    action_event_forward = partialmethod(_step, 1)

    async def action_go_to_moment(self) -> None:
        await self.screen.ask("go to", self._go_to, placeholder=EXPECTED)

    def _go_to(self, text: str) -> None:
        if text.strip():
            try:
                go_to(self._run, text, self._counted)
            except UsageError as error:
                self.screen.toast(str(error))
            self._has_moved = True
