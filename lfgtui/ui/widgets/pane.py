"""A pane: one ticket on the screen, with its header and its stream."""

import time
from collections.abc import Callable, Mapping

import msgspec
from textual.app import ComposeResult
from textual.widget import Widget

from lfgtui.model.clock import now
from lfgtui.model.fold.items import TextItem
from lfgtui.model.fold.states import BADGES
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.ui.guard import Guarded
from lfgtui.ui.items import preload
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.painting.widgets import CachedContainer
from lfgtui.ui.run_view import RunView
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.text.styled_line import one_line
from lfgtui.ui.widgets.last_words import waiting_reason
from lfgtui.ui.widgets.pane_header import PaneHeader

_FRAME = 0.016
_SHARE = 4
"""A pane whose frame took longer than `_FRAME` seconds rests `_SHARE` times as long, so that a
pane with a very long open block leaves time to the others."""

_LONGEST_REST = 0.2
"""Most seconds that a pane rests: its frame may have been slow because of another pane."""

_RECOVERY = 5.0
"""Seconds after a bug until the pane is drawn again."""

_WORDS = 30
"""Least cells of a pane that says when a parked ticket goes on in more than a word."""


class PaneSettings(msgspec.Struct, frozen=True):
    """Settings that all panes share, mostly from the config. Times in seconds.

    `ttft_budgets` are those of providers with their own. `kept_lines`: about how many drawn
    lines of a pane stay in memory. `ticks`: the clock for the time that a frame takes, whatever
    `clock` says.
    """

    stall_after: float
    ttft_budget: float
    clock: Callable[[], float] = now
    canvas: Canvas = msgspec.field(default_factory=Canvas)
    ttft_budgets: Mapping[str, float] = {}
    kept_lines: int = 5000
    ticks: Callable[[], float] = time.perf_counter


class Pane(CachedContainer, Guarded, Widget, can_focus=True):
    """One ticket: header, stream, and a bar at the left in the colour of its state.

    Nothing in it runs by itself: after `mark_dirty` or `mark_gauges`, the next `tick` of the
    app's one frame clock paints what changed. Keys that scroll, fold or search act on `stream`.
    `ticket_id` is the ticket's, or an attempt's (`screens/attempts.py`).
    """

    DEFAULT_CSS = """
    Pane {
        layout: vertical;
        background: $background;
        border-left: outer $foreground 20%;
        &.-primary { border-left: outer $primary; }
        &.-secondary { border-left: outer $secondary; }
        &.-accent { border-left: outer $accent; }
        &.-success { border-left: outer $success; }
        &.-warning { border-left: outer $warning; }
        &.-error { border-left: outer $error; }
        StreamView { margin: 0 1; background: $background; }
        &:focus PaneHeader { background: $primary-muted; }
    }
    """

    def __init__(self, view: RunView, ticket: Ticket, settings: PaneSettings) -> None:
        # As at the first look: another class after it was mounted has the pane styled once more.
        self._colour = BADGES[view.transcript(ticket.id).state].colour
        super().__init__(classes=f"-{self._colour}")
        self.ticket_id = ticket.id
        self.is_pinned = False
        """True while the pane is on every page; `PaneGrid` sets it."""
        self._view = view
        self._ticket = ticket
        self._settings = settings
        self.canvas = settings.canvas
        self._header = PaneHeader(
            ticket,
            self.canvas,
            stall_after=settings.stall_after,
            ttft_budget=settings.ttft_budget,
            ttft_budgets=settings.ttft_budgets,
        )
        self.stream = StreamView(settings.kept_lines, settings.canvas, settings.ticks)
        self._is_dirty = True
        self._has_old_gauges = True
        self._gauged_at = 0.0  # when figures were updated, by the settings' `clock`
        self._rests_until = 0.0  # by the settings' `ticks`

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.stream

    def on_mount(self) -> None:
        self.call_after_refresh(preload)

    def mark_dirty(self) -> None:
        """Have the next tick read new entries."""
        self._is_dirty = True

    def mark_gauges(self) -> None:
        """Have the next tick update all figures."""
        self._has_old_gauges = True

    def mark_moved(self) -> None:
        """Have the next tick update everything, without a rest: a replay jumped in time."""
        self._has_old_gauges, self._rests_until = True, 0.0

    @property
    def is_drawn(self) -> bool:
        """True if another tick at the same moment would find nothing to do."""
        return not (self._is_dirty or self._has_old_gauges) and self.stream.is_measured

    def tick(self, now: float) -> None:
        """Paint what changed. Call for panes on the screen, at most 30 times a second.

        A bug in the pane is shown instead of it, and does not affect the other panes.
        """
        try:
            self._tick(now)
        except Exception as error:
            self.app._handle_exception(error)
            self._is_dirty, self._rests_until = True, self._settings.ticks() + _RECOVERY
            self.stream.break_off(error)

    def _tick(self, now: float) -> None:
        """Update the header if figures are due, and the stream if they are or entries came.

        A stream that rests is not updated. While no entries come, lines not drawn yet are measured.
        """
        gauges = self._has_old_gauges or self.stream.is_restyled or self._header.is_outdated
        began = self._settings.ticks()
        self.stream.take_size()
        streams = (self._is_dirty or gauges) and began >= self._rests_until
        if not self._is_dirty:
            self.stream.measure()
        if not (gauges or streams):
            return
        transcript = self._view.transcript(self.ticket_id)
        if gauges:
            self._gauged_at, self._has_old_gauges = now, False
            self._gauge(transcript, now)
        if streams:
            self.stream.awaits_slot = self.ticket_id in self._view.health.waiting_for_slot
            self.stream.update(transcript, self._gauged_at)
            self._is_dirty = self.stream.is_behind
            took = self._settings.ticks() - began
            rest = min(_SHARE * took, _LONGEST_REST)
            self._rests_until = began + rest if took > _FRAME else 0.0

    def copy_text(self) -> str:
        """Return the newest attempt's answer in Markdown, as the model wrote it.

        A blank line separates texts with a tool call between them.
        """
        attempt = self._view.transcript(self.ticket_id).attempt
        texts = [i.text for i in attempt.items if isinstance(i, TextItem)] if attempt else []
        return "\n\n".join(text.strip("\n") for text in texts)

    def _gauge(self, transcript: Transcript, now: float) -> None:
        """Update the header, and the bar's colour."""
        meter = self._view.meter(self.ticket_id)
        self._header.is_pinned = self.is_pinned
        colour = self._header.update(transcript, meter, self._waiting(transcript, now), now).colour
        if colour != self._colour:
            self.remove_class(f"-{self._colour}")
            self.add_class(f"-{colour}")
            self._colour = colour

    def _waiting(self, transcript: Transcript, now: float) -> str:
        """Return why the ticket does not run, in as many words as fit."""
        if (error := transcript.own_error) is not None:
            return one_line(error.message)
        reason = waiting_reason(self._view, self._ticket, now, self._view.health)
        is_narrow = self.size.width < _WORDS and transcript.parked_until is not None
        return reason.removeprefix("parked ") if is_narrow else reason
