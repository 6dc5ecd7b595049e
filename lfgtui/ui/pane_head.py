"""The two rows above a stream: who it is and how it goes.

Every field has a width of its own, so figures that change move nothing
beside them; what does not fit is left out, the least needed first.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.metrics import Meter
from lfgtui.tickets import Ticket
from lfgtui.transcript import ENDED, Transcript
from lfgtui.ui.badges import BADGES, STALLED, Badge
from lfgtui.ui.canvas import Canvas
from lfgtui.ui.figures import count, duration, money, spark
from lfgtui.ui.lines import Row, Span, fit, strip_of, width_of
from lfgtui.ui.palette import Role, line_filter, themed

BADGE_WIDTH = 13
_WORDS = 30
"""Cells below which the badge is its sign alone: the id matters more."""
_SPARK = 10

_ROLES = {
    "foreground": Role("foreground"),
    "muted": Role("text-muted"),
    "faint": Role("foreground", 0.35),
    "primary": Role("text-primary"),
    "secondary": Role("text-secondary"),
    "accent": Role("text-accent"),
    "success": Role("text-success"),
    "warning": Role("text-warning"),
    "error": Role("text-error"),
}


class Limits(Protocol):
    """Past what a figure is a warning, in seconds."""

    @property
    def stall_after(self) -> float: ...

    @property
    def ttft_budget(self) -> float: ...


class Field(msgspec.Struct, frozen=True):
    """A figure of fixed width. Those of the lowest `rank` are kept longest."""

    rank: int
    spans: tuple[Span, ...]

    @property
    def width(self) -> int:
        return sum(width_of(text) for text, _ in self.spans)


class PaneHead(Widget):
    """State, name and model; then the gauges. Always two rows."""

    DEFAULT_CSS = "PaneHead { width: 1fr; height: 2; background: $panel; }"

    def __init__(self, ticket: Ticket, limits: Limits, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._ticket = ticket
        self._limits = limits
        self._rows: list[Strip] = []
        self._width = 0
        self._styles: dict[str, Style] = {}

    def update(
        self, transcript: Transcript, meter: Meter, waits_for: Sequence[str], now: float
    ) -> None:
        """Take the figures of the moment; repaints only what differs."""
        if not self._width:
            return
        first = self._title_row(transcript, meter, now)
        if waits_for and transcript.state in (None, "queued", "blocked"):
            second = self._waiting_row(waits_for)
        else:
            second = self._gauge_row(transcript, meter, now)
        pad = ((" ", self._style("foreground")),)
        rows = [first.indented(pad), second.indented(pad)]
        strips = [strip_of(row, self._width, self._style("foreground")) for row in rows]
        if strips != self._rows:
            self._rows = strips
            self._canvas.changed(self, self.size.region)

    def badge(self, transcript: Transcript, meter: Meter, now: float) -> Badge:
        """The state in a sign and a word; stalling and the wait for a retry counted."""
        state = transcript.state
        if state in ("waiting", "streaming") and meter.is_stalled(now, self._limits.stall_after):
            return STALLED._replace(word=f"stalled {_short(meter.waiting_for(now) or 0)}")
        badge = BADGES[state]
        if state == "retrying" and meter.retry_at is not None:
            return badge._replace(word=f"retry in {_short(max(0, meter.retry_at - now))}")
        return badge

    def render_lines(self, crop: Region) -> list[Strip]:
        # Past Textual's cache of styled lines: these are styled, and it would not know of a change.
        strips = list(map(line_filter(self), map(self.render_line, range(crop.y, crop.bottom))))
        if crop.x or crop.width != self._width:
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        return self._rows[y] if y < len(self._rows) else Strip.blank(self._width, self.rich_style)

    def on_resize(self, event: events.Resize) -> None:
        self._width = event.size.width
        self._rows = []

    @property
    def allow_select(self) -> bool:
        return False

    def _style(self, colour: str) -> Style:
        style = self._styles.get(colour)
        if style is None:
            style = self._styles[colour] = themed(self, _ROLES[colour])
        return style

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def _title_row(self, transcript: Transcript, meter: Meter, now: float) -> Row:
        badge = self.badge(transcript, meter, now)
        room = self._width - 2
        word = f"{badge.sign} {badge.word}".ljust(BADGE_WIDTH) if room >= _WORDS else badge.sign
        bold = Style(bold=True)
        left = [
            (word + " ", self._style(badge.colour) + bold),
            (self._ticket.id, self._style("foreground") + bold),
        ]
        if self._ticket.title and self._ticket.title != self._ticket.id:
            left.append(("  " + self._ticket.title, self._style("foreground")))
        return fit(left, self._model(transcript, room), room, self._style("foreground"))

    def _model(self, transcript: Transcript, room: int) -> list[Span]:
        """Provider and model, if the title leaves a good part of the row."""
        attempt = transcript.attempt
        provider = attempt.provider if attempt else self._ticket.provider or ""
        model = attempt.model if attempt else self._ticket.model or ""
        least = BADGE_WIDTH + 3 + width_of(self._ticket.id)
        titled = min(width_of(self._ticket.title), 24) + 2
        short = model.rpartition("/")[2]
        for name in (f"{provider}/{model}", model, short):
            if name.strip("/") and least + titled + width_of(name) <= room:
                return [(name.strip("/"), self._style("muted"))]
        return []

    def _waiting_row(self, waits_for: Sequence[str]) -> Row:
        said = "waits for " + ", ".join(waits_for)
        room = self._width - 2
        return fit([(said, self._style("muted"))], (), room, self._style("muted"))

    def _gauge_row(self, transcript: Transcript, meter: Meter, now: float) -> Row:
        room = self._width - 2
        fields = list(self._fields(transcript, meter, now))
        while _taken(fields, 1) > room and len(fields) > 1:
            fields.remove(max(fields, key=lambda field: field.rank))
        gap = 2 if _taken(fields, 2) <= room else 1
        right = fields.pop().spans  # the time stands at the right edge
        left: list[Span] = []
        for field in fields:
            left += [*field.spans, (" " * gap, self._style("foreground"))]
        return fit(left[:-1], right, room, self._style("foreground"))

    def _fields(self, transcript: Transcript, meter: Meter, now: float) -> Sequence[Field]:
        muted, plain = self._style("muted"), self._style("foreground")
        attempt = transcript.attempt
        given = sum(a.usage.input for a in transcript.attempts)
        taken, is_estimate = meter.output_tokens()
        costs = [a.usage.cost for a in transcript.attempts if a.usage.cost is not None]
        fields = [
            self._ttft(transcript, meter, now),
            self._rate(transcript, meter, now),
            Field(4, ((spark(meter.history(now), _SPARK), self._style("primary")),)),
            Field(3, (("↓", muted), (f"{_tilde(is_estimate)}{count(taken)}".rjust(6), plain))),
            Field(5, (("↑", muted), (count(given).rjust(6), plain))),
            Field(6, ((money(sum(costs)).rjust(7) if costs else " " * 7, plain),)),
        ]
        if transcript.unsaved:
            fields.append(Field(0, (("unsaved", self._style("error")),)))
        if attempt is not None and attempt.number > 1:
            fields.append(Field(2, ((f"#{attempt.number}", self._style("warning")),)))
        return [*fields, Field(0, ((duration(meter.elapsed(now)).rjust(5), plain),))]

    def _ttft(self, transcript: Transcript, meter: Meter, now: float) -> Field:
        """Time to first token; counting while there is none yet."""
        waits = transcript.state == "waiting" and meter.ttft is None
        value = meter.waiting_for(now) if waits else meter.ttft
        if value is None:
            return Field(3, (("ttft     –", self._style("faint")),))
        late = value > self._limits.ttft_budget
        colour = "warning" if late else "primary" if waits else "foreground"
        said = (
            f"{value:.2f}s" if value < 10 else f"{value:.1f}s" if value < 100 else f"{value:.0f}s"
        )
        return Field(3, (("ttft ", self._style("muted")), (said.rjust(5), self._style(colour))))

    def _rate(self, transcript: Transcript, meter: Meter, now: float) -> Field:
        """Tokens a second: now while it runs, over the attempt once it ended."""
        muted = self._style("muted")
        attempt = transcript.attempt
        if transcript.state in ENDED:
            rate = (attempt.tokens_per_second if attempt else None) or 0.0
        else:
            rate = meter.rate(now)
        colour = "foreground" if rate >= 0.5 else "faint"
        return Field(1, ((count(rate).rjust(4), self._style(colour)), (" t/s", muted)))


def _taken(fields: Sequence[Field], gap: int) -> int:
    return sum(field.width + gap for field in fields) - gap


def _tilde(is_estimate: bool) -> str:
    return "~" if is_estimate else ""


def _short(seconds: float) -> str:
    """A span of time in at most three cells."""
    return f"{seconds:.0f}s" if seconds < 100 else f"{seconds / 60:.0f}m"
