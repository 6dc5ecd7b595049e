"""A ticket as a row of the table: its figures, the columns they stand in, the words that find it.

A column's figures are found only when they are asked for: to be drawn, or to sort by.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from lfgtui.model.metrics import Health
from lfgtui.model.states import BADGES, CONFLICT, ENDED, QUESTION, RUNNING, Badge, State
from lfgtui.text import figures
from lfgtui.ui.attention import stall
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, fit, one_line
from lfgtui.ui.widgets.last_words import last_words
from lfgtui.ui.widgets.pane_header import badge_of

SortKey: TypeAlias = tuple[float, str]
"""A number, or 0 and a text."""

_HOUR = 3600.0

_BY_URGENCY: tuple[State | None, ...] = (
    *("needs_approval", "failed", "limit", "blocked", "interrupted", "retrying", "paused"),
    *("streaming", "running_tool", "waiting", "starting", "queued", None, "cancelled", "done"),
)
"""The states, those that a person should see first."""


class TicketRow:
    """A ticket at a moment. `index` is its place in the file, from 0."""

    def __init__(
        self, run: RunView, index: int, health: Health, now: float, stall_after: float
    ) -> None:
        self.index = index
        self.ticket = run.tickets[index]
        self.transcript = run.transcript(self.ticket.id)
        self.state = self.transcript.state
        self.meter = run.meter(self.ticket.id)
        self._run = run
        self._health = health
        self._now = now
        self._stall_after = stall_after

    @property
    def badge(self) -> Badge:
        """Its state, as the pane's header shows it."""
        return badge_of(self.transcript, self.meter, self._now, self._stall_after)

    @property
    def name(self) -> str:
        """Its id, and its title if it has one."""
        title = one_line(self.ticket.title)
        return f"{self.ticket.id}  {title}" if title else self.ticket.id

    @property
    def seconds_in_state(self) -> float | None:
        """Seconds since it came into its state; None before it has one."""
        return max(0.0, self._now - self.transcript.since) if self.state is not None else None

    @property
    def model(self) -> str:
        """The model that it runs on, or will."""
        attempt = self.transcript.attempt
        return one_line(attempt.model if attempt else self.ticket.model or "")

    @property
    def rate(self) -> float:
        """Tokens a second: now while it runs, then those of its last attempt."""
        if self.state in RUNNING:
            return self.meter.rate(self._now)
        attempt = self.transcript.attempt
        return (attempt.tokens_per_second if attempt else None) or 0.0

    @property
    def cost(self) -> float | None:
        """USD of all attempts."""
        costs = [one.usage.cost for one in self.transcript.attempts if one.usage.cost is not None]
        return sum(costs) if costs else None

    @property
    def last_words(self) -> str:
        """A line on its need, its error, or the end of its answer."""
        if stalled := stall(self.transcript, self.meter, self._now, self._stall_after):
            return stalled.note(self._now)
        return last_words(self._run, self.ticket, self._now, self._health)

    @property
    def needs(self) -> str:
        """The tickets that it needs."""
        return ", ".join(self.ticket.needs)

    def matches(self, pattern: str) -> bool:
        """Return True if all words are in its id, title, model, state or last words.

        `state:failed` and `is:failed` are words for the state alone, which may be cut short.
        """
        if not pattern:
            return True
        badge = self.badge
        states = [self.state or "", BADGES[self.state].word, badge.word]
        said = (self.name, self.model, *states, self.last_words)
        text = "\n".join(said).casefold()
        states += ["running"] * (self.state in RUNNING) + ["ended"] * (self.state in ENDED)
        states += ["parked"] * (self.transcript.parked_until is not None)
        for word in pattern.casefold().split():
            kind, colon, state = word.partition(":")
            if colon and kind in ("state", "is"):
                if not any(one.startswith(state) for one in states):
                    return False
            elif word not in text:
                return False
        return True


def _since(row: TicketRow) -> Span:
    """Return the time in the state: of an ended or parked ticket in minutes, without seconds."""
    seconds = row.seconds_in_state
    is_still = row.state in ENDED or row.transcript.parked_until is not None
    is_exact = seconds is None or (seconds < _HOUR and not is_still)
    return Span(figures.duration(seconds) if is_exact else figures.age(seconds or 0.0), "muted")


def _tokens(row: TicketRow) -> Span:
    output, is_estimate = row.meter.output_tokens()
    return Span(f"{'~' if is_estimate else ''}{figures.count(output)}" if output else "")


def _cost(row: TicketRow) -> Span:
    return Span(figures.money(row.cost), "muted")


def _last_words(row: TicketRow) -> Span:
    if row.state in ("needs_approval", "failed", "limit", "blocked"):
        return Span(row.last_words, BADGES[row.state].colour)
    return Span(row.last_words, "foreground" if row.state in RUNNING else "muted")


def _state(row: TicketRow) -> Span:
    badge = row.badge
    return Span(f"{badge.sign} {badge.word}", badge.colour)


def _urgency(row: TicketRow) -> SortKey:
    between = {QUESTION: 0.5, CONFLICT: 1.5}  # after those to approve, and after the failed
    return between.get(row.badge, _BY_URGENCY.index(row.state)), ""


def _rate(row: TicketRow) -> Span:
    colour = "foreground" if row.state in RUNNING else "muted"
    return Span(f"{row.rate:.0f}" if row.rate >= 0.5 else "", colour)


def _numbered(text: str) -> SortKey:
    """Return a key by which `t9` comes before `t10`."""
    return 0.0, re.sub(r"\d+", lambda digits: digits[0].zfill(12), text.casefold())


def _text(text: str) -> SortKey | None:
    return (0.0, text.casefold()) if text else None


def _number(value: float | None) -> SortKey | None:
    return (value, "") if value is not None else None


class Column(NamedTuple):
    """A column: its heading, its cells, what it is sorted by (None: at the end), its width."""

    heading: str
    span: Callable[[TicketRow], Span]
    key: Callable[[TicketRow], SortKey | None]
    least: int
    most: int
    is_right: bool = False
    """Figures stand at the right."""
    is_high_first: bool = False
    """True if one sorts by it to see what is large."""

    def cell(self, text: str, width: int) -> str:
        """Return the text in that width."""
        return fit(text, width).rstrip().rjust(width) if self.is_right else fit(text, width)


def _figure(
    heading: str,
    span: Callable[[TicketRow], Span],
    key: Callable[[TicketRow], SortKey | None],
    width: int,
) -> Column:
    return Column(heading, span, key, width, width, is_right=True, is_high_first=True)


FILE_ORDER = Column(
    "#", lambda row: Span(str(row.index + 1), "faint"), lambda row: (row.index, ""), 3, 3, True
)
NEEDS = Column("needs", lambda row: Span(row.needs, "muted"), lambda row: _text(row.needs), 10, 20)
COLUMNS = (
    FILE_ORDER,
    Column("state", _state, _urgency, 14, 14),
    Column("ticket", lambda row: Span(row.name), lambda row: _numbered(row.ticket.id), 16, 36),
    _figure("since", _since, lambda row: _number(row.seconds_in_state), 7),
    Column("model", lambda row: Span(row.model, "muted"), lambda row: _text(row.model), 12, 24),
    _figure("tok/s", _rate, lambda row: _number(row.rate or None), 6),
    _figure("tokens", _tokens, lambda row: _number(row.meter.output_tokens()[0] or None), 7),
    _figure("cost", _cost, lambda row: _number(row.cost), 7),
    Column("last words", _last_words, lambda row: _text(row.last_words), 16, 1000),
    NEEDS,
)
"""In the order in which they come as the table gets wider."""

_TICKET = 2
"""The index of the last column that is there however narrow the table is."""


def fit_columns(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, and their widths, with a cell between two of them."""
    while len(columns) > _TICKET + 1 and sum(one.least + 1 for one in columns) - 1 > width:
        columns = columns[:-1]
    widths = [column.least for column in columns]
    spare = width - sum(widths) - len(widths) + 1
    while spare > 0:
        growing = [n for n, column in enumerate(columns) if widths[n] < column.most][:spare]
        for number in growing or [_TICKET]:
            widths[number] += 1
        spare -= len(growing) or 1
    widths[_TICKET] = max(1, widths[_TICKET] + min(0, spare))
    return list(zip(columns, widths, strict=True))


def draw_row(columns: Sequence[tuple[Column, int]], row: TicketRow) -> Line:
    """Return the row's cells."""
    spans = [(column.span(row), column, width) for column, width in columns]
    return [Span(column.cell(span.text, width) + " ", span.colour) for span, column, width in spans]


def arrange(
    rows: Iterable[TicketRow], pattern: str, column: Column, *, is_reversed: bool
) -> list[int]:
    """Return the indices of the tickets that match, sorted; those without a figure at the end."""
    keyed: list[tuple[SortKey, int]] = []
    keyless: list[int] = []
    for row in rows:
        if row.matches(pattern):
            if (key := column.key(row)) is None:
                keyless.append(row.index)
            else:
                keyed.append((key, row.index))
    keyed.sort(key=lambda pair: pair[0], reverse=is_reversed)
    return [*(index for _, index in keyed), *keyless]
