"""A pane: one ticket on the screen."""

import time
from collections.abc import Callable

import msgspec
from textual.app import ComposeResult
from textual.widget import Widget

from lfgtui.model.clock import now
from lfgtui.model.items import TextItem, ToolItem
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.ui.guard import Guarded
from lfgtui.ui.items import Summarise, preload
from lfgtui.ui.painting.cached_container import CachedContainer
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.run_view import RunView
from lfgtui.ui.stream.requests_seen import CardInView
from lfgtui.ui.stream.search_target import Lead, Spot
from lfgtui.ui.stream.view import ASIDE, StreamView
from lfgtui.ui.widgets.pane_header import PaneHead

GAUGE_SECONDS = 0.25
"""Between two looks at the gauges: figures that flicker cannot be read."""

_FRAME = 0.016
_SHARE = 4
"""A pane whose frame took longer than `_FRAME` seconds rests `_SHARE` times as long, so
that one with a very long open block leaves the others their turn."""

_LONGEST_REST = 0.2
"""Seconds a pane rests at most: a frame may have been slow because of another pane's flood."""

_MENDING = 5.0
"""Seconds after a bug until a pane is drawn anew."""

_TROUBLE = frozenset({"needs_approval", "failed", "limit", "blocked"})


class PaneSettings(msgspec.Struct, frozen=True):
    """What panes need to know beside the run. Times in seconds.

    `kept_lines` is about how many lines of a pane stay in memory as they are drawn.
    `pace` is how fast the clock goes: gauges are looked at as often for the eye.
    `ticks` is the time that passes while a frame is drawn, whatever `clock` says.
    """

    stall_after: float
    ttft_budget: float
    summarise: Summarise
    clock: Callable[[], float] = now
    pace: Callable[[], float] = lambda: 1.0
    canvas: Canvas = msgspec.field(default_factory=Canvas)
    kept_lines: int = 5000
    ticks: Callable[[], float] = time.perf_counter


class Pane(CachedContainer, Guarded, Widget, can_focus=True):
    """One ticket: head, stream, and a bar at the left in the colour of its state.

    Nothing in it runs by itself. `mark_dirty` says that entries came; `tick`,
    from the app's one frame clock, paints what they changed.
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
        &:focus PaneHead { background: $primary-muted; }
    }
    """

    def __init__(self, view: RunView, ticket: Ticket, settings: PaneSettings) -> None:
        super().__init__()
        self.ticket_id = ticket.id
        self._view = view
        self._ticket = ticket
        self._settings = settings
        self._head = PaneHead(ticket, settings, settings.canvas)
        self._stream = StreamView(
            settings.summarise, settings.kept_lines, settings.canvas, settings.ticks
        )
        self._is_dirty = True
        self._is_elsewhere = False
        self._gauged_at = 0.0
        self._rests_until = 0.0
        self._colour = ""

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._stream

    def on_mount(self) -> None:
        self.call_after_refresh(preload)

    def mark_dirty(self) -> None:
        """Entries for this ticket came; they are looked at in the next tick."""
        self._is_dirty = True

    def mark_elsewhere(self) -> None:
        """The clock was put elsewhere: the gauges are looked at in the next tick."""
        self._is_elsewhere, self._rests_until = True, 0.0

    def tick(self, now: float) -> None:
        """Paint what changed. Call for panes on the screen, at most 30 times a second.

        A bug in what is painted is shown in its place, and nobody else's.
        """
        try:
            self._tick(now)
        except Exception as error:
            self.app._handle_exception(error)
            self._is_dirty, self._rests_until = True, now + _MENDING
            self._stream.break_off(error)

    def _tick(self, now: float) -> None:
        gauges = self._stream.is_restyled or self._head.is_blank or self._is_elsewhere
        gauges = gauges or abs(now - self._gauged_at) >= GAUGE_SECONDS * self._settings.pace()
        streams = (self._is_dirty or gauges) and now >= self._rests_until
        if not (gauges or streams):
            self._stream.settle()
            return
        transcript = self._view.transcript(self.ticket_id)
        if gauges:
            self._gauged_at, self._is_elsewhere = now, False
            self._gauge(transcript, now)
        if streams:
            began = self._settings.clock()
            self._stream.update(transcript, self._gauged_at)
            self._is_dirty = self._stream.is_behind
            took = self._settings.clock() - began
            rest = min(_SHARE * took, _LONGEST_REST)
            self._rests_until = now + rest if took > _FRAME else 0.0

    @property
    def is_behind(self) -> bool:
        """True while there is more to show than frames have had time to read."""
        return self._stream.is_behind

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: a question, a failure, a limit, a stall."""
        transcript, meter = self._view.transcript(self.ticket_id), self._view.meter(self.ticket_id)
        if transcript.state in _TROUBLE or transcript.waiting_approvals:
            return True
        now, after = self._settings.clock(), self._settings.stall_after
        return transcript.state in ("waiting", "streaming") and meter.is_stalled(now, after)

    def toggle_tools(self) -> None:
        """Unfold all tool cards, those to come too; or fold them."""
        self._stream.toggle_kind("tool")

    def toggle_reasoning(self) -> None:
        """Unfold the model's thinking, or fold it."""
        self._stream.toggle_kind("reasoning")

    def toggle_urls(self) -> None:
        """Write out where links lead, or only make them links."""
        self._stream.toggle_urls()

    def toggle_fold(self) -> None:
        """Unfold or fold the item last clicked, else the lowest in sight."""
        self._stream.toggle_nearest()

    def follow(self) -> None:
        """Keep the end in sight."""
        self._stream.follow()

    def scroll_lines(self, lines: int) -> None:
        """Scroll down, or (negative) up."""
        self._stream.scroll_by(lines)

    def scroll_pages(self, pages: int) -> None:
        """Scroll by what is in sight."""
        self._stream.scroll_by(pages * self._stream.page)

    def scroll_aside(self, notches: int) -> None:
        """Move what is wider than the pane: its right part into sight, or (negative) its left."""
        self._stream.scroll_aside(notches * ASIDE)

    def scroll_start(self) -> None:
        """To the first line."""
        self._stream.scroll_by(-(1 << 30))

    def scroll_finish(self) -> None:
        """To the last line, and follow it."""
        self._stream.follow()

    def copy_text(self) -> str:
        """The answer as the model wrote it: the newest attempt's, in Markdown.

        What stood apart on the screen, a tool call between, stays apart.
        """
        attempt = self._view.transcript(self.ticket_id).attempt
        texts = [i.text for i in attempt.items if isinstance(i, TextItem)] if attempt else []
        return "\n\n".join(text.strip("\n") for text in texts)

    def plain_text(self) -> str:
        """All lines as shown."""
        return self._stream.plain_text()

    def find(self, pattern: str) -> int:
        """Highlight all matches and show one; how many there are."""
        return self._stream.find(pattern)

    def lead_to(self, lead: Lead) -> bool:
        """Show a match, its item unfolded; whether the item shows what is meant."""
        return self._stream.lead_to(lead)

    def card_in_view(self, call: ToolItem) -> CardInView | None:
        """Return the part of a waiting call's card that is on the screen."""
        spot = self._spot_of(call)
        return None if spot is None else self._stream.card_in_view(spot)

    def show_card(self, call: ToolItem) -> None:
        """Bring a waiting call's card into view."""
        if (spot := self._spot_of(call)) is not None:
            self._stream.show_card(spot)

    def _spot_of(self, call: ToolItem) -> Spot | None:
        attempts = self._view.transcript(self.ticket_id).attempts
        items = attempts[-1].items if attempts else []
        for index in range(len(items) - 1, -1, -1):
            if items[index] is call:
                return Spot(len(attempts) - 1, index)
        return None

    @property
    def find_count(self) -> int:
        """How many matches there are."""
        return self._stream.finder.count

    def find_next(self) -> None:
        """Show the next match, round the end."""
        self._stream.find_step(1)

    def find_previous(self) -> None:
        """Show the match before, round the start."""
        self._stream.find_step(-1)

    def clear_find(self) -> None:
        """Take the highlights away."""
        self._stream.find("")

    @property
    def hits(self) -> int:
        """How many matches there are now."""
        return self._stream.finder.count

    @property
    def find_position(self) -> int:
        """Which match is shown, from 1; 0 where there is none."""
        return self._stream.finder.number

    def _gauge(self, transcript: Transcript, now: float) -> None:
        meter = self._view.meter(self.ticket_id)
        waits_for = self._waits_for(transcript)
        colour = self._head.update(transcript, meter, waits_for, now).colour
        if colour != self._colour:
            self.remove_class(f"-{self._colour}")
            self.add_class(f"-{colour}")
            self._colour = colour

    def _waits_for(self, transcript: Transcript) -> list[str]:
        if transcript.state not in (None, "queued", "blocked"):
            return []
        needs = [n for n in self._ticket.needs if self._view.transcript(n).state != "done"]
        return needs or (["a free place"] if transcript.state == "queued" else [])
