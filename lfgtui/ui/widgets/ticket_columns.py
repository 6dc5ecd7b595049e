"""The columns of a list of tickets: their cells and sort keys."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from lfgtui.model.fold.attempts import FULL
from lfgtui.model.fold.states import BADGES, CONFLICT, ENDED, GUARD, QUESTION, RUNNING, State
from lfgtui.text import figures
from lfgtui.ui.text.styled_line import Line, Span, fit
from lfgtui.ui.widgets.ticket_row import TicketRow

SortKey: TypeAlias = tuple[float, str]
"""A number and "", or 0 and a text."""

_MINUTE, _HOUR = 60.0, 3600.0
_TICKET = "ticket"

_BY_URGENCY: tuple[State | None, ...] = (
    *("needs_approval", "failed", "limit", "blocked", "interrupted", "retrying", "paused"),
    *("streaming", "running_tool", "waiting", "starting", "queued", None, "cancelled", "done"),
)
"""All states, beginning with those that a person should see first; a new one needs a place here."""


def _since(row: TicketRow) -> Span:
    """Return the time in the state, rounded beyond an hour; if ended or parked, beyond a minute."""
    seconds = row.seconds_in_state
    is_still = row.state in ENDED or row.transcript.parked_until is not None
    is_exact = seconds is None or seconds < (_MINUTE if is_still else _HOUR)
    return Span(figures.duration(seconds) if is_exact else figures.age(seconds or 0.0), "muted")


def _tokens(row: TicketRow) -> Span:
    output, is_estimate = row.meter.output_tokens()
    return Span(f"{'~' if is_estimate else ''}{figures.count(output)}" if output else "")


def _context(row: TicketRow) -> Span:
    used, share = figures.count(row.context) if row.context else "", row.context_share
    if share is None:
        return Span(used, "muted")
    return Span(f"{used} {share:>4.0%}", "warning" if share >= FULL else "muted")


def _cost(row: TicketRow) -> Span:
    return Span(figures.money(*row.cost), "muted")


def _changes(row: TicketRow) -> Span:
    if (changes := row.transcript.changes) is None:
        return Span("")
    sign = "Σ" if changes.shared is True else ""
    return Span(f"{sign}+{figures.count(changes.added)} −{figures.count(changes.removed)}", "muted")


def _changed_lines(row: TicketRow) -> SortKey | None:
    changes = row.transcript.changes
    return _number(changes.added + changes.removed if changes else None)


def _memory(row: TicketRow) -> Span:
    return Span(figures.memory(row.agent.memory) if row.agent else "", "muted")


def _cpu(row: TicketRow) -> Span:
    return Span(f"{row.agent.cpu:.0%}" if row.agent else "", "muted")


def _last_words(row: TicketRow) -> Span:
    if row.state in ("needs_approval", "failed", "limit", "blocked"):
        return Span(row.last_words, BADGES[row.state].colour)
    return Span(row.last_words, "foreground" if row.state in RUNNING else "muted")


def _state(row: TicketRow) -> Span:
    badge = row.badge
    return Span(f"{badge.sign} {badge.word}", badge.colour)


def _sign(row: TicketRow) -> Span:
    return Span(f" {row.badge.sign}", row.badge.colour)


def _badge(row: TicketRow) -> Span:
    return Span(f" {row.badge.sign} {row.badge.word}", row.badge.colour)


def _urgency(row: TicketRow) -> SortKey:
    # A question is next to a request for approval, the other two are after what failed.
    between = {QUESTION.sign: 0.5, GUARD.sign: 1.4, CONFLICT.sign: 1.5}
    return between.get(row.badge.sign, _BY_URGENCY.index(row.state)), ""


def _rate(row: TicketRow) -> Span:
    colour = "foreground" if row.state in RUNNING else "muted"
    return Span(f"{row.rate:.0f}" if row.rate >= 0.5 else "", colour)


def _numbered(text: str) -> SortKey:
    """Return a key that sorts `t9` before `t10`."""
    return 0.0, re.sub(r"\d+", lambda digits: digits[0].zfill(12), text.casefold())


def _by_id(row: TicketRow) -> SortKey:
    return _numbered(row.ticket.id)


def _text(text: str) -> SortKey | None:
    return (0.0, text.casefold()) if text else None


def _number(value: float | None) -> SortKey | None:
    return (value, "") if value is not None else None


class Column(NamedTuple):
    """A column: its heading, what it shows of a row, and its least and most width in cells.

    A row whose `key` is None comes last, and a column without any key is left out.
    """

    heading: str
    span: Callable[[TicketRow], Span]
    key: Callable[[TicketRow], SortKey | None]
    least: int
    most: int
    is_right: bool = False
    """True for figures, which are aligned right."""
    is_high_first: bool = False
    """True if sorting by the column puts large values first."""

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


def _words(heading: str, words: Callable[[TicketRow], str], least: int, most: int) -> Column:
    def span(row: TicketRow) -> Span:
        return Span(words(row), "muted")

    return Column(heading, span, lambda row: _text(words(row)), least, most)


# The table begins sorted by the first of these; sorted by `NEEDS` it is a tree.
FILE_ORDER = Column(
    "#", lambda row: Span(str(row.index + 1), "faint"), lambda row: (row.index, ""), 3, 3, True
)
NEEDS = _words("needs", lambda row: row.needs, 10, 16)
_LAST_WORDS = Column("last words", _last_words, lambda row: _text(row.last_words), 22, 1000)
COLUMNS = (
    FILE_ORDER,
    Column("state", _state, _urgency, 14, 14),
    Column(_TICKET, lambda row: Span(row.name), _by_id, 16, 36),
    _figure("since", _since, lambda row: _number(row.seconds_in_state), 7),
    _figure("tok/s", _rate, lambda row: _number(row.rate or None), 6),
    _figure("tokens", _tokens, lambda row: _number(row.meter.output_tokens()[0] or None), 7),
    _figure("cost", _cost, lambda row: _number(row.cost[0]), 7),
    _figure("lines", _changes, _changed_lines, 12),
    _words("model", lambda row: row.model, 12, 20),
    _figure("mem", _memory, lambda row: _number(row.agent.memory if row.agent else None), 7),
    _figure("cpu", _cpu, lambda row: _number(row.agent.cpu if row.agent else None), 5),
    _LAST_WORDS,
    _figure("context", _context, lambda row: _number(row.context or None), 10),
    _words("last tool", lambda row: row.last_tool, 12, 26),
    _words("waiting for", lambda row: row.waiting_for, 11, 16),
    NEEDS,
)
"""The table's columns, in the order in which a wider table adds them; last words come last."""

_ID = Column(_TICKET, lambda row: Span(row.ticket.id), _by_id, 6, 12)
STRIP = (Column("", _sign, _urgency, 2, 2), _ID, _LAST_WORDS._replace(least=8))
WIDE_STRIP = (Column("", _badge, _urgency, 15, 15), _ID, _LAST_WORDS)
"""The columns of the strip beside a pane, and of a wide one."""


def fit_columns(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, and their widths, with a cell between two of them.

    The ticket's column and those before it are always there; last words come before the figures.
    """
    kept = list(columns)
    ticket = next(number for number, one in enumerate(kept) if one.heading == _TICKET)
    while len(kept) > ticket + 1 and sum(one.least + 1 for one in kept) - 1 > width:
        has_words = kept[-1].heading == _LAST_WORDS.heading
        kept.pop(-2 if has_words and len(kept) > ticket + 2 else -1)
    widths = [column.least for column in kept]
    spare = width - sum(widths) - len(widths) + 1
    while spare > 0:
        growing = [n for n, column in enumerate(kept) if widths[n] < column.most][:spare]
        for number in growing or [ticket]:
            widths[number] += 1
        spare -= len(growing) or 1
    widths[ticket] = max(1, widths[ticket] + min(0, spare))
    return list(zip(kept, widths, strict=True))


def draw_row(columns: Sequence[tuple[Column, int]], row: TicketRow) -> Line:
    """Return the row's cells."""
    spans = [(column.span(row), column, width) for column, width in columns]
    return [Span(column.cell(span.text, width) + " ", span.colour) for span, column, width in spans]


def arrange(
    rows: Iterable[TicketRow], pattern: str, column: Column, *, is_reversed: bool
) -> list[int]:
    """Return the indices of the tickets that match, sorted; tickets without a figure come last."""
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
