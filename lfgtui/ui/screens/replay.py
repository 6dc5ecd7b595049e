"""A run that is replayed: read like a past one, and moved in time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace
from textual.app import App

from lfgtui.errors import LfgError, UsageError
from lfgtui.ui.replay.playback import Playback
from lfgtui.ui.replay.progress_bar import Progress, ReplayBar
from lfgtui.ui.replay.run import ReplayedRun, read_replay
from lfgtui.ui.replay.seek import EXPECTED, go_to
from lfgtui.ui.run_view import PlaybackState
from lfgtui.ui.screens.run import RunMode, RunScreen, ScreenContext

if TYPE_CHECKING:
    from lfgtui.history.reader import Reader

ResultT = TypeVar("ResultT")

SKIP = 10.0
"""Seconds that `[` and `]` go."""

_PATIENCE = 0.06
"""Seconds a frame folds before it shows that it is not done."""


def replay_screen(player: Playback, context: ScreenContext) -> RunScreen:
    """Return a screen whose clock is the replay's.

    The panes are given the recorded time, so that their figures are what they
    were; they stand still with it.
    """
    run = player.run
    run.proceed()
    panes = replace(context.panes, clock=lambda: run.now, pace=lambda: player.speed)
    context = replace(context, panes=panes)
    return RunScreen(run, context, ReplayMode(player), simulated=run.is_simulated)


async def push_replay(
    app: App[ResultT], context: ScreenContext, open_reader: "Callable[[], Reader]", run: str
) -> None:
    """Replay a stored run, on top of what is shown; a toast says why it cannot be."""

    def read() -> ReplayedRun:
        with open_reader() as reader:
            return read_replay(reader, run)

    before = app.screen
    try:
        replayed = await asyncio.to_thread(read)
    except LfgError as error:
        app.notify(str(error), severity="error")
        return
    if app.screen is before:  # else the person went on
        await app.push_screen(replay_screen(Playback(replayed, context.frames.clock), context))


class ReplayMode(RunMode):
    """Plays a run. Where one pane is alone, events are those of its ticket."""

    label = "REPLAY"
    refusal = "this is a replay: read-only"
    help: Mapping[str, str] = {"pause": "replay: play or pause"}

    def __init__(self, player: Playback) -> None:
        self.player = player
        self._run = player.run
        self.bar: ReplayBar = ReplayBar(self._seek_share)
        self._has_moved = False

    def advance(self, gauges: bool) -> bool | None:
        """Move on by the time that passed, for a while; what is left is for the next frame."""
        was_playing = self.player.is_playing
        self.player.advance()
        self.screen.mark(self._run.proceed(_PATIENCE))
        has_moved, self._has_moved = self._has_moved, self._run.is_busy
        if self._run.is_busy:
            self.update_bar()
            return None
        if has_moved or was_playing is not self.player.is_playing:
            for pane in self.screen.panes:
                pane.mark_moved()
            return True
        return gauges

    def update_bar(self) -> None:
        timeline, ticket = self._run.timeline, self._counted
        if ticket is None:
            event, events = self._run.count, timeline.count
        else:
            event = timeline.own_count(ticket, self._run.count)
            events = len(timeline.of_ticket[ticket])
        self.bar.update(
            Progress(
                state=self.playback,
                speed=self.player.speed,
                position=self.player.position,
                length=timeline.length,
                event=event,
                events=events,
                ticket=ticket,
                recorded=self._run.now,
                is_skipping=self.player.is_skipping,
                is_busy=self._run.is_busy,
            )
        )

    @property
    def playback(self) -> PlaybackState:
        if self.player.is_playing:
            return "playing"
        return "ended" if self.player.is_at_end else "held"

    @property
    def _counted(self) -> str | None:
        """The ticket whose events are counted and stepped through; None: all are."""
        return self.screen.current if self.screen.is_alone else None

    # Keys: figures of another moment are all drawn with the next frame

    def action_retry(self) -> None:
        self.screen.toast("this is a replay; resume the run with `lfg resume`, or r in the history")

    def action_pause(self) -> None:
        self.player.toggle()
        self._has_moved = True

    def _seek(self, position: float) -> None:
        self.player.seek(position)
        self._has_moved = True

    def _seek_share(self, share: float) -> None:
        self._seek(share * self._run.timeline.length)

    def action_skip_back(self) -> None:
        self._seek(self.player.position - SKIP)

    def action_skip_forward(self) -> None:
        self._seek(self.player.position + SKIP)

    def _change_speed(self, step: int) -> None:
        self.player.change_speed(step)
        self._has_moved = True

    def action_slower(self) -> None:
        self._change_speed(-1)

    def action_faster(self) -> None:
        self._change_speed(1)

    def _step(self, events: int) -> None:
        self.player.step(events, self._counted)
        self._has_moved = True

    def action_event_back(self) -> None:
        self._step(-1)

    def action_event_forward(self) -> None:
        self._step(1)

    async def action_go_to_moment(self) -> None:
        await self.screen.ask("go to", self._go_to, placeholder=EXPECTED)

    def _go_to(self, text: str) -> None:
        if text.strip():
            try:
                go_to(self.player, text, self._counted)
            except UsageError as error:
                self.screen.toast(str(error))
            self._has_moved = True
