"""One row a ticket: all gauges at once, for many tickets; slim, a strip beside one pane."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lfgtui.model.badges import BADGES, STALLED, Badge
from lfgtui.model.states import RUNNING
from lfgtui.model.tickets import Ticket
from lfgtui.text import figures
from lfgtui.ui.guard import Guarded
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, draw, fit, one_line

_WAITING = frozenset({"waiting", "streaming"})


class Column(NamedTuple):
    """A column's heading, width, and whether its figures stand at the right."""

    heading: str
    width: int
    right: bool = False


_NUMBER, _STATE = Column("", 3, True), Column("state", 13)
_OPTIONAL = (
    Column("time", 8, True),
    Column("tok/s", 6, True),
    Column("out", 7, True),
    Column("ttft", 6, True),
    Column("", 12),
    Column("model", 22),
    Column("in", 7, True),
    Column("cost", 7, True),
    Column("tries", 5, True),
    Column("tools", 5, True),
)
"""In the order in which they come as the table gets wider."""


class TicketTable(Guarded, ScrollView, can_focus=True, inherit_bindings=False):
    """The tickets as rows, the current one marked."""

    DEFAULT_CSS = """
    TicketTable { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    TicketTable.slim { width: 30; max-width: 30%; background: $surface; border-left: solid $line; }
    """

    class Chosen(Message):
        """A row was clicked."""

        def __init__(self, ticket: str) -> None:
            super().__init__()
            self.ticket = ticket

    def __init__(self, run: RunView, *, stall_after: float) -> None:
        super().__init__()
        self._run = run
        self._stall_after = stall_after
        self._current = 0
        self._now = 0.0
        self._rows: list[Line] = []

    @property
    def is_slim(self) -> bool:
        """True of the strip beside a pane."""
        return self.has_class("slim")

    @property
    def _heading(self) -> int:
        return 0 if self.is_slim else 1

    def update_rows(self, now: float) -> None:
        """Bring the rows up to date; only rows that changed are painted."""
        self._now = now
        width = self.size.width
        if not width:
            return
        columns = columns_for(width)
        rows = [
            self._slim_row(ticket, width)
            if self.is_slim
            else self._row(index, ticket, columns, width)
            for index, ticket in enumerate(self._run.tickets)
        ]
        height = len(rows) + self._heading
        if self.virtual_size != Size(width, height):
            self.virtual_size = Size(width, height)
            self._rows = []
        if len(rows) != len(self._rows):
            self._rows = rows
            self.refresh()
            return
        for index, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                self._rows[index] = new
                self._refresh_row(index)

    def set_current(self, index: int) -> None:
        """Mark the row, and scroll it into view."""
        if index != self._current:
            self._refresh_row(self._current)
            self._current = index
            self._refresh_row(index)
        place = Region(0, index + self._heading, 1, 1)
        self.scroll_to_region(place, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        width, variables = self.size.width, self.app.theme_variables
        ground = "surface" if self.is_slim else "background"
        if y < self._heading:
            return draw(_heading_line(columns_for(width), width), width, variables, "surface")
        index = y + self.scroll_offset.y - self._heading
        if index >= len(self._rows):
            return draw([], width, variables, ground)
        here = index == self._current
        return draw(self._rows[index], width, variables, "selection" if here else ground)

    def on_resize(self) -> None:
        self.update_rows(self._now)

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y - self._heading
        if event.y >= self._heading and index < len(self._run.tickets):
            self.post_message(self.Chosen(self._run.tickets[index].id))

    def _refresh_row(self, index: int) -> None:
        y = index + self._heading - self.scroll_offset.y
        if self._heading <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _badge(self, ticket: Ticket) -> Badge:
        transcript = self._run.transcript(ticket.id)
        if transcript.state in _WAITING and self._run.meter(ticket.id).is_stalled(
            self._now, self._stall_after
        ):
            return STALLED
        return BADGES[transcript.state]

    def _slim_row(self, ticket: Ticket, width: int) -> Line:
        badge = self._badge(ticket)
        running = self._run.transcript(ticket.id).state in RUNNING
        rate = self._run.meter(ticket.id).rate(self._now)
        tail = f"{rate:.0f}/s" if running and rate >= 0.5 else ""
        return [
            Span(f" {badge.sign} ", badge.colour),
            Span(fit(ticket.id, max(1, width - 9))),
            Span(f"{tail:>5} ", "muted"),
        ]

    def _row(self, index: int, ticket: Ticket, columns: Sequence[Column], width: int) -> Line:
        badge = self._badge(ticket)
        values = self._values(ticket, columns)
        line = [
            Span(f"{index + 1:>3} ", "faint"),
            Span(f"{badge.sign} {badge.word:<11} ", badge.colour),
            Span(fit(_name(ticket), _name_width(columns, width)) + " "),
        ]
        for column, (text, colour) in zip(columns, values, strict=True):
            line.append(Span(_cell(text, column) + " ", colour))
        return line

    def _values(self, ticket: Ticket, columns: Sequence[Column]) -> list[tuple[str, str]]:
        transcript, meter = self._run.transcript(ticket.id), self._run.meter(ticket.id)
        attempt, now = transcript.attempt, self._now
        running = transcript.state in RUNNING
        output, estimated = meter.output_tokens()
        usage = attempt.usage if attempt else None
        rate = meter.rate(now) if running else (attempt.tokens_per_second if attempt else None)
        tools = sum(1 for attempt in transcript.attempts for _ in attempt.tools)
        bars = figures.spark(meter.history(now), 12) if running else ""
        values = (
            (figures.duration(meter.elapsed(now)), "muted"),
            (f"{rate:.0f}" if rate else "", "foreground" if running else "muted"),
            (f"{'~' if estimated else ''}{figures.count(output)}" if output else "", "foreground"),
            (f"{meter.ttft:.2f}s" if meter.ttft is not None else "", "muted"),
            (bars, "primary"),
            (f"{attempt.provider}/{attempt.model}" if attempt else "", "muted"),
            (figures.count(usage.input) if usage and usage.input else "", "muted"),
            (figures.money(usage.cost) if usage else "", "muted"),
            (str(len(transcript.attempts)) if len(transcript.attempts) > 1 else "", "warning"),
            (str(tools) if tools else "", "muted"),
        )
        return list(values[: len(columns)])


def columns_for(width: int) -> Sequence[Column]:
    """Return the optional columns that fit beside number, state and a name of 24 cells."""
    room = width - (_NUMBER.width + 1) - (_STATE.width + 1) - 25
    taken = 0
    for index, column in enumerate(_OPTIONAL):
        taken += column.width + 1
        if taken > room:
            return _OPTIONAL[:index]
    return _OPTIONAL


def _name_width(columns: Sequence[Column], width: int) -> int:
    fixed = sum(column.width + 1 for column in columns) + _NUMBER.width + 1 + _STATE.width + 1
    return max(4, width - fixed - 1)


def _name(ticket: Ticket) -> str:
    title = one_line(ticket.title)
    return f"{ticket.id}  {title}" if title else ticket.id


def _heading_line(columns: Sequence[Column], width: int) -> Line:
    names = fit("ticket", _name_width(columns, width))
    cells = "".join(_cell(column.heading, column) + " " for column in columns)
    return [Span(f"    {'state':<13} {names} {cells}", "muted")]


def _cell(text: str, column: Column) -> str:
    cut = fit(text, column.width)
    return cut.rstrip().rjust(column.width) if column.right else cut
