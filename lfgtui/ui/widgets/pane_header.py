"""The two rows above a stream: the ticket's state and name, and its gauges.

Every gauge has a fixed width, so a change does not move its neighbours.
"""

from collections.abc import Mapping

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.model.events import ChangesCounted
from lfgtui.model.fold.attempts import FULL, cached_share, cost_of
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.states import (
    BADGES,
    CHOSEN,
    CONFLICT,
    ENDED,
    GUARD,
    PIN,
    QUESTION,
    STALLED,
    Badge,
)
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.text.figures import clock_time, count, duration, model_name, money, spark
from lfgtui.ui.attention import conflict_words, stall, tool_name
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.painting.widgets import SelfPainted
from lfgtui.ui.text.styled_line import (
    SELECTED,
    Line,
    Span,
    between,
    draw,
    line_width,
    one_line,
    shorten,
)

_BADGE = 14
"""Cells of the longest badges, `↻ retry in 30s` and `↻ 23 Nov 14:32`."""

_WORD = _BADGE - 2
"""Cells of a badge's word."""

_WORDS = 30
"""Least cells of a header whose badge has a word: in a narrower one the id matters more."""

_SHORT_TITLE = 24
"""Cells of the title that come before the model's whole name."""

_SHORT_MODEL = 8
"""Least cells of a model's name that distinguish it."""

_SPARK = 10
"""Cells of the curve of the token rate."""

_BAR = 10
"""Cells of the bar that stands for the budget of the time to the first token."""

_PAINT_TARGET = 0.25
"""Seconds from content to its frame that a person does not notice."""


class PaneHeader(SelfPainted):
    """State, name and model; then the gauges. Always two rows.

    `stall_after` and `ttft_budget` are in seconds; `ttft_budgets` are those of providers with
    their own. `is_pinned` is set by the pane before `update`.
    """

    DEFAULT_CSS = "PaneHeader { width: 1fr; height: 2; background: $panel; }"

    def __init__(
        self,
        ticket: Ticket,
        canvas: Canvas,
        *,
        stall_after: float,
        ttft_budget: float,
        ttft_budgets: Mapping[str, float],
    ) -> None:
        super().__init__()
        self.is_pinned = False
        self._ticket = ticket
        self._canvas = canvas
        self._stall_after = stall_after
        self._ttft_budget = ttft_budget
        self._ttft_budgets = ttft_budgets
        self._lines: list[Line] = [[], []]
        self._named: object = None  # what the first row depends on, as it is shown
        self._width = 0

    @property
    def is_outdated(self) -> bool:
        """True if its width changed since it last showed figures."""
        return self.size.width != self._width

    def update(self, transcript: Transcript, meter: Meter, waiting: str, now: float) -> Badge:
        """Show the present figures, repainting only changed ones; return the state's badge.

        `waiting`: why the ticket does not run, shown instead of figures.
        """
        badge = badge_of(transcript, meter, now, self._stall_after)
        if self.is_outdated:
            self._width, self._named = self.size.width, None
        if (width := self._width - 2) > 0:
            attempt = transcript.attempt
            names = (attempt.provider, attempt.model) if attempt else ()
            conflict = conflict_words(transcript, now)
            if (named := (badge, self.is_pinned, conflict, *names)) != self._named:
                self._named = named
                sign = PIN if self.is_pinned else ""
                self._show(0, title_line(self._ticket, transcript, badge, width, sign, conflict))
            if waiting:
                figures = [Span(shorten(waiting, width), "muted")]
            elif stalled := stall(transcript, meter, now, self._stall_after):
                figures = [Span(shorten(stalled.note(now), width), STALLED.colour)]
            else:
                figures = self._gauges(transcript, meter, now, width)
            self._show(1, figures)
        return badge

    def _show(self, y: int, line: Line) -> None:
        if line != self._lines[y]:
            self._lines[y] = line
            self._canvas.changed(self, Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        assert isinstance(self.parent, Widget)
        has_focus = self.parent.has_focus
        ground = "selection" if has_focus else "panel"
        sign = Span(SELECTED, bold=True) if has_focus and y == 0 else Span(" ")
        line = [sign, *self._lines[y]]
        return draw(line, self.size.width, self.app.theme_variables, ground)

    def _gauges(self, transcript: Transcript, meter: Meter, now: float, width: int) -> Line:
        """Return the gauges that fit, and the time at the right edge."""
        attempt, usages = transcript.attempt, [each.usage for each in transcript.attempts]
        taken, is_estimate = meter.output_tokens()
        tokens = f"{'~' if is_estimate else ''}{count(taken)}"
        cost = money(*cost_of(transcript.attempts))
        gauges: list[tuple[int, Line]] = [  # with a rank; the lowest ranks are kept longest
            (3, self._ttft(transcript, meter, now)),
            (7, self._latency(transcript, meter, now)),
            (1, _rate(transcript, meter, now)),
            (4, [Span(spark(meter.history(now), _SPARK), "primary")]),
            (3, [Span("↓", "muted"), Span(f"{tokens:>6}")]),
            (5, [Span("↑", "muted"), Span(f"{count(sum(each.input for each in usages)):>6}")]),
            (6, [Span(f"{cost:>7}")]),
        ]
        if (hit := cached_share(transcript.attempts)) is not None:
            gauges.insert(-1, (6, [Span("cached", "muted"), Span(f"{hit:>5.0%}")]))
        if (paint := meter.paint) is not None:
            colour = "warning" if paint > _PAINT_TARGET else "foreground"
            gauges.append((8, [Span("paint ", "muted"), Span(f"{1000 * paint:>3.0f}ms", colour)]))
        if attempt is not None and (share := attempt.context_share) is not None:
            gauges.insert(-1, (2, _context(share)))
        if transcript.changes is not None:
            gauges.insert(-1, (4, change_figures(transcript.changes)))
        if transcript.unsaved:
            gauges.append((0, [Span("unsaved", "error")]))
        if attempt is not None and attempt.answers_reused:
            gauges.append((3, [Span(f"reused {attempt.answers_reused}", "secondary")]))
        if attempt is not None and attempt.number > 1:
            gauges.append((2, [Span(f"#{attempt.number}", "warning")]))
        time = [Span(f"{duration(meter.elapsed(now)):>5}")]
        spare = width - line_width(time) - sum(line_width(gauge) + 1 for _, gauge in gauges)
        while gauges and spare < 0:
            last = max(gauges, key=lambda gauge: gauge[0])
            gauges.remove(last)
            spare += line_width(last[1]) + 1
        gap = Span("  " if spare >= len(gauges) else " ")
        line = [span for _, gauge in gauges for span in (*gauge, gap)]
        return between(line[:-1], time, width)

    def _ttft(self, transcript: Transcript, meter: Meter, now: float) -> Line:
        """Return the time to the first token; counting while there is none yet."""
        value = _waited(transcript, meter, now)
        if value is None:
            return [Span("ttft     –", "faint")]
        is_late = value > self._budget(transcript)
        colour = "warning" if is_late else "primary" if meter.ttft is None else "foreground"
        digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
        label = Span("ttft!", "warning") if is_late else Span("ttft ", "muted")
        return [label, Span(f"{value:.{digits}f}s".rjust(5), colour)]

    def _latency(self, transcript: Transcript, meter: Meter, now: float) -> Line:
        """Return a bar of the budget: connecting, then to the first byte, then to the token."""
        whole = _waited(transcript, meter, now) or 0.0
        first_byte = meter.first_byte or (whole if meter.ttft is None else 0.0)
        budget = self._budget(transcript)
        connected, sent, waited = (
            min(_BAR, round(_BAR * seconds / budget))
            for seconds in (meter.connect or 0.0, first_byte, whole)
        )
        colour = "warning" if whole > budget else "primary"
        bars = (
            ("╍" * connected, "secondary"),
            ("━" * (sent - connected), "secondary"),
            ("━" * (waited - sent), colour),
        )
        return [*(Span(*bar) for bar in bars), Span("─" * (_BAR - waited), "faint")]

    def _budget(self, transcript: Transcript) -> float:
        provider = transcript.attempt.provider if transcript.attempt else ""
        return self._ttft_budgets.get(provider, self._ttft_budget)


def _waited(transcript: Transcript, meter: Meter, now: float) -> float | None:
    """Return the time to the first token, or until now; None before a request."""
    is_waiting = transcript.state == "waiting" and meter.ttft is None
    return meter.waiting_for(now) if is_waiting else meter.ttft


def _rate(transcript: Transcript, meter: Meter, now: float) -> Line:
    """Return tokens per second: at present while it runs, over the attempt once it ended."""
    attempt = transcript.attempt
    if transcript.state in ENDED:
        rate = (attempt.tokens_per_second if attempt else None) or 0.0
    else:
        rate = meter.rate(now)
    colour = "foreground" if rate >= 0.5 else "faint"
    return [Span(f"{count(rate):>4}", colour), Span(" tok/s", "muted")]


def change_figures(changes: ChangesCounted) -> Line:
    """Return the number of changed files in the ticket's folder, and of lines added and removed."""
    added, removed = f"+{count(changes.added)}", f"−{count(changes.removed)}"
    return [
        Span("Σ" if changes.shared is True else "±", "muted"),
        Span(f"{count(changes.files):<3} "),
        Span(f"{added:<6}", "success" if changes.added else "faint"),
        Span(f"{removed:<6}", "error" if changes.removed else "faint"),
    ]


def _context(share: float) -> Line:
    """Return how much of the context is used."""
    if share >= FULL:
        return [Span("ctx!", "warning"), Span(f"{share:>4.0%}", "warning")]
    return [Span("ctx", "muted"), Span(f"{share:>5.0%}")]


def title_line(
    ticket: Ticket,
    transcript: Transcript,
    badge: Badge,
    width: int,
    pin: str = "",
    conflict: str = "",
) -> Line:
    """Return badge, id, pin, title, and the model where it leaves enough of the title.

    `conflict`, the words on one with another ticket, replaces the title. Without a title, even the
    beginning of the model's name is shown: copies differ in it.
    """
    attempt = transcript.attempt
    place = attempt or ticket
    provider, model = place.provider or "", place.model or ""
    word = f"{badge.sign} {badge.word}".ljust(_BADGE) if width >= _WORDS else badge.sign
    line = [Span(f"{word} ", badge.colour, True)]
    pinned = [Span(f" {pin}", "warning")] if pin else []
    line.append(Span(shorten(ticket.id, width - line_width([*line, *pinned])), bold=True))
    line += pinned
    title = conflict or ("" if ticket.title == ticket.id else one_line(ticket.title))
    room = width - line_width(line)
    spare = room - (min(cell_len(title), _SHORT_TITLE) + 3)
    whole = one_line(model_name(provider, model))
    names = (whole, one_line(model), one_line(model.rpartition("/")[2]))
    fits = (name for name in names if name and cell_len(name) <= spare)
    name = next(fits, "" if title or spare < _SHORT_MODEL else shorten(names[-1], spare))
    left = room - 2 - (cell_len(name) + 1 if name else 0)
    if title and left > 0:
        line.append(
            Span(f"  {shorten(title, left)}", CONFLICT.colour if conflict else "foreground")
        )
    return between(line, [Span(name, "muted")], width)


def badge_of(transcript: Transcript, meter: Meter, now: float, stall_after: float) -> Badge:
    """Return the state as a sign and a word, with the seconds of a stall or until a retry.

    A parked ticket's badge has the time of day when it goes on; while a tool runs, the badge has
    the tool and its time.
    """
    attempt, state = transcript.attempt, transcript.state
    if stall(transcript, meter, now, stall_after):
        return STALLED._replace(word=f"stalled {_short(meter.waiting_for(now) or 0)}")
    badge = BADGES[state]
    since = None if state == "needs_approval" else meter.tool_since
    if since is not None and attempt is not None:
        badge, time = BADGES["running_tool"], duration(max(0.0, now - since))
        return badge._replace(word=f"{shorten(tool_name(attempt), _WORD - len(time) - 1)} {time}")
    if state == "done" and transcript.conflict is not None and transcript.guard_at is None:
        badge = CONFLICT._replace(word=f"{badge.sign} {badge.word}")
    if state in ("done", "cancelled", "paused") and transcript.guard_at is not None:
        badge = GUARD._replace(word=f"{badge.sign} {badge.word}")
    if transcript.asks:
        badge = QUESTION
    if transcript.is_chosen and state == "done":
        badge = CHOSEN
    if transcript.parked_until is not None:
        return parked_badge(transcript.parked_until, now)
    if state == "retrying" and meter.retry_at is not None:
        return badge._replace(word=f"retry in {_short(max(0, meter.retry_at - now))}")
    return badge


def parked_badge(until: float, now: float) -> Badge:
    """Return the badge of a ticket that is parked until `until`."""
    time = clock_time(until, now)
    return BADGES["retrying"]._replace(word=time if " " in time else f"until {time}")


def _short(seconds: float) -> str:
    """Return a time span in at most three cells."""
    return f"{seconds:.0f}s" if seconds < 100 else f"{seconds / 60:.0f}m"
