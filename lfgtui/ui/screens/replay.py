"""The screen of a run that is played again: to be read like a past one, and moved in time."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace
from textual.app import App
from textual.widget import Widget

from lfgtui.errors import LfgError, UsageError
from lfgtui.ui.replay.playback import Playback
from lfgtui.ui.replay.progress_bar import Progress, State, Transport
from lfgtui.ui.replay.run import ReplayedRun, read_replay
from lfgtui.ui.replay.seek import EXPECTED, go_to
from lfgtui.ui.screens.run import Desk, RunScreen
from lfgtui.ui.widgets.footer import Situation

if TYPE_CHECKING:
    from lfgtui.history.reader import Reader

ResultT = TypeVar("ResultT")

SKIP = 10.0
"""Seconds that `[` and `]` go."""

_PATIENCE = 0.06
"""Seconds a frame folds before it shows that it is not done."""


class ReplayScreen(RunScreen):
    """A `RunScreen` whose clock is the replay's.

    The panes are given the recorded time, so that their figures are what they
    were; they stand still with it. In zoom and focus, events are those of the
    one ticket.
    """

    called = "REPLAY"
    rows_below = 1

    def __init__(self, playback: Playback, desk: Desk) -> None:
        run = playback.run
        run.proceed()
        panes = replace(desk.panes, clock=lambda: run.now, pace=lambda: playback.speed)
        super().__init__(run, replace(desk, panes=panes), simulated=run.is_simulated)
        self.playback = playback
        self._replayed = run
        self._transport = Transport()
        self._was_moved = False

    def below(self) -> Iterable[Widget]:
        yield self._transport

    # The clock

    def frame(self, now: float, gauges: bool = True) -> None:
        """Move on by the time that passed, and paint what that changed."""
        was_playing = self.playback.is_playing
        self.playback.advance()
        self.mark(self._replayed.proceed(_PATIENCE))
        moved, self._was_moved = self._was_moved, False
        if self._replayed.is_busy:
            self._was_moved = True
            self._transport.tell(self._progress())
            return
        if moved or was_playing is not self.playback.is_playing:
            gauges = True
            for pane in self.panes:
                pane.mark_elsewhere()
        super().frame(self._replayed.now, gauges)

    def _tell(self, now: float) -> None:
        super()._tell(self._replayed.now)
        if self.is_mounted:
            self._transport.tell(self._progress())

    def _progress(self) -> Progress:
        run, playback, ticket = self._replayed, self.playback, self._counted
        timeline = run.timeline
        if ticket is None:
            event, events = run.count, timeline.count
        else:
            event = timeline.own_count(ticket, run.count)
            events = len(timeline.of_ticket[ticket])
        return Progress(
            state=self._state,
            speed=playback.speed,
            place=playback.place,
            length=timeline.length,
            event=event,
            events=events,
            ticket=ticket,
            recorded=run.now,
            is_skipping=playback.is_skipping,
            is_busy=run.is_busy,
        )

    @property
    def _state(self) -> State:
        if self.playback.is_playing:
            return "playing"
        return "ended" if self.playback.is_at_end else "held"

    @property
    def _counted(self) -> str | None:
        """The ticket whose events are counted and stepped through; None: all are."""
        is_alone = self.is_zoomed or self.view == "focus"
        return self.current if is_alone else None

    def _situation(self) -> Situation:
        return replace(super()._situation(), replay=self._state)

    # Keys

    @property
    def can_resume(self) -> bool:
        return False

    async def act(self, action: str) -> None:
        if action == "pause":
            self.action_pause()
        elif action == "retry":
            self.toast("this is a replay: `lfg resume`, or r in the history, goes on with the run")
        else:
            await super().act(action)

    def _moved(self) -> None:
        """All figures are of another moment: have them drawn with the next frame."""
        self._was_moved = True

    def action_pause(self) -> None:
        self.playback.toggle()
        self._moved()

    def action_skip_back(self) -> None:
        self.playback.seek(self.playback.place - SKIP)
        self._moved()

    def action_skip_forward(self) -> None:
        self.playback.seek(self.playback.place + SKIP)
        self._moved()

    def action_slower(self) -> None:
        self.playback.faster(-1)
        self._moved()

    def action_faster(self) -> None:
        self.playback.faster(1)
        self._moved()

    def action_event_back(self) -> None:
        self.playback.step(-1, self._counted)
        self._moved()

    def action_event_forward(self) -> None:
        self.playback.step(1, self._counted)
        self._moved()

    async def action_go_to_moment(self) -> None:
        await self.ask("go to", "go to", placeholder=EXPECTED)

    def answered(self, purpose: str, text: str) -> None:
        if purpose == "go to" and text.strip():
            try:
                go_to(self.playback, text, self._counted)
            except UsageError as error:
                self.toast(str(error))
            self._moved()
        super().answered(purpose, text)

    def on_transport_sought(self, event: Transport.Sought) -> None:
        self.playback.seek(event.share * self._replayed.timeline.length)
        self._moved()


async def push_replay(
    app: App[ResultT], desk: Desk, open_reader: "Callable[[], Reader]", run: str
) -> None:
    """Play a stored run, on top of what is shown; a toast says why it cannot be."""

    def read() -> ReplayedRun:
        with open_reader() as reader:
            return read_replay(reader, run)

    asked_on = app.screen
    try:
        replayed = await asyncio.to_thread(read)
    except LfgError as error:
        app.notify(str(error), severity="error")
        return
    if app.screen is not asked_on:  # the person went on
        return
    await app.push_screen(ReplayScreen(Playback(replayed, desk.frames.clock), desk))
