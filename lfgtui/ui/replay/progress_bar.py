"""The row at the bottom of a replay: speed, time, a bar, the event, the time of day."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from textual import events

from lfgtui.text import figures
from lfgtui.ui.painting.self_painted import LineRow
from lfgtui.ui.run_view import PlaybackState
from lfgtui.ui.text.styled_line import Line, Span, line_width

_SIGNS: dict[PlaybackState, tuple[str, str]] = {
    "playing": ("▶", "success"),
    "held": ("‖", "warning"),
    "ended": ("■", "secondary"),
}
_LEAST = 8
"""Cells below which there is no bar."""


class Progress(NamedTuple):
    """Position of a replay. `event` counts all of them, or those of the one `ticket`."""

    state: PlaybackState
    speed: float
    position: float
    length: float
    event: int
    events: int
    ticket: str | None
    recorded: float
    is_skipping: bool
    is_busy: bool


class ReplayBar(LineRow):
    """One row; `seek` gets the share of the replay that lies before a click on its bar."""

    def __init__(self, seek: Callable[[float], None]) -> None:
        super().__init__()
        self._seek = seek
        self._bar = range(0)

    def update(self, progress: Progress) -> None:
        """Show how far the replay is."""
        line, self._bar = compose_bar(progress, self.size.width)
        self.show(line)

    def on_click(self, event: events.Click) -> None:
        if event.x in self._bar:
            self._seek((event.x - self._bar.start) / (len(self._bar) - 1))


def compose_bar(progress: Progress, width: int) -> tuple[Line, range]:
    """Return the row's spans, and the columns of its bar."""
    sign, colour = _SIGNS[progress.state]
    left = [
        Span(f" {sign} ", colour, True),
        Span(f"{progress.speed:g}×".ljust(6), "foreground", True),
        Span(f"{figures.duration(progress.position):>4}", "foreground", True),
        Span(f" / {figures.duration(progress.length)}  ", "muted"),
    ]
    right: Line = []
    for span in _remarks(progress):
        if line_width(left) + line_width(right) + span.width <= width:
            right.append(span)
    room = width - line_width(left) - line_width(right)
    if room < _LEAST:
        return [*left, Span(" " * max(0, room)), *right], range(0)
    begin = line_width(left)
    share = progress.position / progress.length if progress.length else 1.0
    done = round(share * room)
    bar = [Span("━" * done, colour), Span("─" * (room - done), "muted")]
    return [*left, *bar, *right], range(begin, begin + room)


def _remarks(progress: Progress) -> list[Span]:
    """Return the spans at the right, the most important first."""
    if progress.is_busy:
        return [Span("  seeking … ", "warning", True)]
    event = f"  {progress.ticket or 'event'} {progress.event}/{progress.events} "
    spans = [
        Span(event, "foreground"),
        Span(f" {datetime.fromtimestamp(progress.recorded):%H:%M:%S} ", "muted"),
    ]
    if progress.state == "ended":
        spans.append(Span("  end ", "secondary", True))
    elif progress.is_skipping:
        spans.append(Span("  idle time skipped ", "secondary", True))
    return spans
