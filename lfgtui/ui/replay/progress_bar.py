"""The row that shows how a replay goes: speed, time, a bar, the event, the time of day."""

from datetime import datetime
from typing import Literal, NamedTuple

from textual import events
from textual.message import Message

from lfgtui.text import figures
from lfgtui.ui.painting.self_painted import LineRow
from lfgtui.ui.text.styled_line import Line, Span, line_width

State = Literal["playing", "held", "ended"]

_SIGNS: dict[State, tuple[str, str]] = {
    "playing": ("▶", "success"),
    "held": ("‖", "warning"),
    "ended": ("■", "secondary"),
}
_LEAST = 8
"""Cells below which there is no bar."""


class Progress(NamedTuple):
    """Where a replay stands. `event` counts all of them, or those of the one `ticket`."""

    state: State
    speed: float
    place: float
    length: float
    event: int
    events: int
    ticket: str | None
    recorded: float
    is_skipping: bool
    is_busy: bool


class Transport(LineRow):
    """One row; a click on its bar goes there."""

    class Sought(Message):
        """The bar was clicked: `share` of the whole is behind that point."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._bar = range(0)

    def tell(self, progress: Progress) -> None:
        """Bring the row up to date; nothing is painted where nothing changed."""
        self._progress = progress
        line, self._bar = compose_transport(progress, self.size.width)
        self.show(line)

    def on_resize(self) -> None:
        if self._progress is not None:
            self.tell(self._progress)

    def on_click(self, event: events.Click) -> None:
        if event.x in self._bar:
            self.post_message(self.Sought((event.x - self._bar.start) / (len(self._bar) - 1)))


def compose_transport(progress: Progress, width: int) -> tuple[Line, range]:
    """The row's spans, and the columns of its bar."""
    sign, colour = _SIGNS[progress.state]
    left = [
        Span(f" {sign} ", colour, True),
        Span(f"{progress.speed:g}×".ljust(6), "foreground", True),
        Span(f"{figures.duration(progress.place):>4}", "foreground", True),
        Span(f" / {figures.duration(progress.length)}  ", "muted"),
    ]
    right: Line = []
    for span in _said(progress):
        if line_width(left) + line_width(right) + span.width <= width:
            right.append(span)
    room = width - line_width(left) - line_width(right)
    if room < _LEAST:
        return [*left, Span(" " * max(0, room)), *right], range(0)
    begin = line_width(left)
    share = progress.place / progress.length if progress.length else 1.0
    done = round(share * room)
    bar = [Span("━" * done, colour), Span("─" * (room - done), "muted")]
    return [*left, *bar, *right], range(begin, begin + room)


def _said(progress: Progress) -> list[Span]:
    """What stands at the right, the most important first."""
    if progress.is_busy:
        return [Span("  going there … ", "warning", True)]
    event = f"  {progress.ticket or 'event'} {progress.event}/{progress.events} "
    day = f" {datetime.fromtimestamp(progress.recorded):%H:%M:%S} "
    ended = "  the end " if progress.state == "ended" else ""
    skips = "  idle, cut short " if progress.is_skipping else ""
    remark = Span(ended or skips, "secondary", True)
    return [Span(event, "foreground"), Span(day, "muted"), *([remark] if remark.text else [])]
