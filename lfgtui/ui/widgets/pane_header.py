"""The two rows above a stream: the ticket's state and name, and its gauges."""

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from lfgtui.model.badges import BADGES, STALLED, Badge
from lfgtui.model.metrics import Meter
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.painting.self_painted import SelfPainted
from lfgtui.ui.text.palette import Role, themed
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import Row, Span, fit, width_of
from lfgtui.ui.widgets.gauges import Gauges, Limits

BADGE_WIDTH = 13
_WORDS = 30
"""Cells below which the badge is its sign alone: the id matters more."""

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


class PaneHeader(SelfPainted):
    """State, name and model; then the gauges. Always two rows."""

    DEFAULT_CSS = "PaneHeader { width: 1fr; height: 2; background: $panel; }"

    def __init__(self, ticket: Ticket, limits: Limits, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._ticket = ticket
        self._limits = limits
        self._gauges = Gauges(limits, self._style)
        self._rows: list[Strip] = []
        self._shown: list[object] = [None, None]
        self._width = 0
        self._styles: dict[str, Style] = {}

    def update(self, transcript: Transcript, meter: Meter, waiting: str, now: float) -> Badge:
        """Show the figures of the moment, repainting only what differs; return the state's badge.

        `waiting`: the reason why the ticket does not run, instead of figures.
        """
        badge = self.badge(transcript, meter, now)
        if not self._width:
            return badge
        attempt = transcript.attempt
        named = (badge, attempt.provider, attempt.model) if attempt else badge
        if named != self._shown[0]:
            self._shown[0] = named
            self._show(0, self._title_row(badge, transcript))
        if waiting:
            muted = self._style("muted")
            second = fit([(waiting, muted)], (), self._width - 2, muted)
        else:
            second = self._gauges.row(transcript, meter, now, self._width - 2)
        if second != self._shown[1]:
            self._shown[1] = second
            self._show(1, second)
        return badge

    @property
    def is_blank(self) -> bool:
        """True if it has another size since it last showed figures."""
        return self._width > 0 and self._shown[1] is None

    def _show(self, y: int, row: Row) -> None:
        ground = self._style("foreground")
        self._rows[y] = strip_of(row.indented(((" ", ground),)), self._width, ground)
        self._canvas.changed(self, Region(0, y, self._width, 1))

    def badge(self, transcript: Transcript, meter: Meter, now: float) -> Badge:
        """Return the state as a sign and a word, with the seconds of a stall or until a retry."""
        state = transcript.state
        if state in ("waiting", "streaming") and meter.is_stalled(now, self._limits.stall_after):
            return STALLED._replace(word=f"stalled {_short(meter.waiting_for(now) or 0)}")
        badge = BADGES[state]
        if state == "retrying" and meter.retry_at is not None:
            return badge._replace(word=f"retry in {_short(max(0, meter.retry_at - now))}")
        return badge

    def render_line(self, y: int) -> Strip:
        return self._rows[y] if y < len(self._rows) else Strip.blank(self._width, self.rich_style)

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:  # else the rows still fit
            self._width = event.size.width
            self._rows = [Strip.blank(self._width, self.rich_style)] * 2
            self._shown = [None, None]

    def _style(self, colour: str) -> Style:
        style = self._styles.get(colour)
        if style is None:
            style = self._styles[colour] = themed(self, _ROLES[colour])
        return style

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._shown = [None, None]

    def _title_row(self, badge: Badge, transcript: Transcript) -> Row:
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
        """Return provider and model, if the title leaves room enough for them."""
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


def _short(seconds: float) -> str:
    """Return a time span in at most three cells."""
    return f"{seconds:.0f}s" if seconds < 100 else f"{seconds / 60:.0f}m"
