"""One row a ticket: all gauges at once, for many tickets; slim, a strip beside one pane."""

from collections.abc import Sequence
from typing import NamedTuple

from lfgtui.model.states import BADGES, QUESTION, RUNNING, STALLED
from lfgtui.model.tickets import Ticket
from lfgtui.text import figures
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, fit, one_line
from lfgtui.ui.widgets.pane_header import parked_badge
from lfgtui.ui.widgets.row_list import RowList


class Column(NamedTuple):
    """A column's heading, width, and whether its figures stand at the right."""

    heading: str
    width: int
    is_right: bool = True

    def cell(self, text: str) -> str:
        """Return the text in the column's width."""
        cut = fit(text, self.width)
        return (cut.rstrip().rjust(self.width) if self.is_right else cut) + " "


_COLUMNS = (
    Column("time", 8),
    Column("tok/s", 6),
    Column("out", 7),
    Column("ttft", 6),
    Column("", 12, is_right=False),
    Column("model", 22, is_right=False),
    Column("in", 7),
    Column("cost", 7),
    Column("tries", 5),
    Column("tools", 5),
)
"""In the order in which they come as the table gets wider."""

_STATE, _LEAST_NAME = 14, 24


class TicketTable(RowList):
    """The tickets as rows, the current one marked. `slim` is the strip beside a pane."""

    DEFAULT_CSS = """
    TicketTable.slim { width: 30; max-width: 30%; background: $surface; border-left: solid $line; }
    """

    def __init__(self, run: RunView, *, stall_after: float) -> None:
        super().__init__()
        self._run = run
        self._stall_after = stall_after
        self._now = 0.0
        self._rows: list[Line] = []
        self.count = len(run.tickets)

    def entry(self, index: int, width: int) -> Sequence[Line]:
        return self._rows[index : index + 1] or [[]]

    def update_rows(self, now: float) -> None:
        """Bring the rows up to date; only rows that changed are painted."""
        self._now, width = now, self.size.width
        is_slim = self.has_class("slim")
        columns = () if is_slim else _columns(width)
        heading = () if is_slim else (_heading(columns, width),)
        rows = [
            self._slim_row(ticket, width) if is_slim else self._row(number, ticket, columns, width)
            for number, ticket in enumerate(self._run.tickets, 1)
        ]
        old, self._rows = self._rows, rows
        if heading != self.heading or len(old) != len(rows):
            self.heading, self.ground = heading, "surface" if is_slim else "background"
            super().on_resize()
            return
        for index, (before, row) in enumerate(zip(old, rows, strict=True)):
            if before != row:
                self.redraw(index)

    def on_resize(self) -> None:
        self.update_rows(self._now)
        super().on_resize()

    def _state(self, ticket: Ticket) -> tuple[Span, float]:
        """Return the ticket's badge and its tokens a second."""
        transcript, meter = self._run.transcript(ticket.id), self._run.meter(ticket.id)
        badge = QUESTION if transcript.asks else BADGES[transcript.state]
        if transcript.state in ("waiting", "streaming"):
            badge = STALLED if meter.is_stalled(self._now, self._stall_after) else badge
        if transcript.parked_until is not None:
            badge = parked_badge(transcript.parked_until, self._now)
        rate = meter.rate(self._now) if transcript.state in RUNNING else 0.0
        return Span(f"{badge.sign} {badge.word}", badge.colour), rate

    def _slim_row(self, ticket: Ticket, width: int) -> Line:
        badge, rate = self._state(ticket)
        tail = f"{rate:.0f}/s" if rate >= 0.5 else ""
        return [
            Span(f" {badge.text[0]} ", badge.colour),
            Span(fit(ticket.id, max(1, width - 9))),
            Span(f"{tail:>5} ", "muted"),
        ]

    def _row(self, number: int, ticket: Ticket, columns: Sequence[Column], width: int) -> Line:
        badge, rate = self._state(ticket)
        title = one_line(ticket.title)
        name = fit(f"{ticket.id}  {title}" if title else ticket.id, _name_width(columns, width))
        figured = zip(columns, self._figures(ticket, rate), strict=False)
        return [
            Span(f"{number:>3} ", "faint"),
            Span(f"{badge.text:<{_STATE}} ", badge.colour),
            Span(f"{name} "),
            *(Span(column.cell(span.text), span.colour) for column, span in figured),
        ]

    def _figures(self, ticket: Ticket, rate: float) -> Sequence[Span]:
        """Return what stands in each column, if there is room for it."""
        transcript, meter = self._run.transcript(ticket.id), self._run.meter(ticket.id)
        attempts, attempt, now = transcript.attempts, transcript.attempt, self._now
        is_running = transcript.state in RUNNING
        if not is_running and attempt is not None:
            rate = attempt.tokens_per_second or 0.0
        output, is_estimate = meter.output_tokens()
        usage = attempt.usage if attempt else None
        tools = sum(1 for attempt in attempts for _ in attempt.tools)
        return (
            Span(figures.duration(meter.elapsed(now)), "muted"),
            Span(f"{rate:.0f}" if rate else "", "foreground" if is_running else "muted"),
            Span(f"{'~' if is_estimate else ''}{figures.count(output)}" if output else ""),
            Span("" if meter.ttft is None else f"{meter.ttft:.2f}s", "muted"),
            Span(figures.spark(meter.history(now), 12) if is_running else "", "primary"),
            Span(one_line(f"{attempt.provider}/{attempt.model}") if attempt else "", "muted"),
            Span(figures.count(usage.input) if usage and usage.input else "", "muted"),
            Span(figures.money(usage.cost) if usage else "", "muted"),
            Span(str(len(attempts)) if len(attempts) > 1 else "", "warning"),
            Span(str(tools) if tools else "", "muted"),
        )


def _name_width(columns: Sequence[Column], width: int) -> int:
    """Return the cells left beside number, state and the columns."""
    return max(0, width - _STATE - 6 - sum(column.width + 1 for column in columns))


def _columns(width: int) -> Sequence[Column]:
    """Return the columns that fit beside a name of `_LEAST_NAME` cells."""
    number = len(_COLUMNS)
    while number and _name_width(_COLUMNS[:number], width) < _LEAST_NAME:
        number -= 1
    return _COLUMNS[:number]


def _heading(columns: Sequence[Column], width: int) -> Line:
    names = fit("ticket", _name_width(columns, width))
    cells = "".join(column.cell(column.heading) for column in columns)
    return [Span(f"    {'state':<{_STATE}} {names} {cells}", "muted")]
