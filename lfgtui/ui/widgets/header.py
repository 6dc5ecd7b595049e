"""The row at the top: the run's title, states, speed and cost."""

from collections.abc import Mapping

from lfgtui.model.badges import BADGES
from lfgtui.model.states import State
from lfgtui.text import figures
from lfgtui.ui.painting.self_painted import LineRow
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, line_width, one_line, shorten
from lfgtui.ui.widgets.totals import Totals, totals

_HELD: tuple[State, ...] = ("paused", "queued")
_ENDS: tuple[State, ...] = ("done", "failed", "limit", "blocked", "cancelled", "interrupted")

_SHORTEST_NOTE = 10

_MEGABYTE = 1024 * 1024
_NOTABLE_QUEUE = _MEGABYTE  # less is on its way for a moment and says nothing


class Header(LineRow):
    """One row. What does not fit is left out, the least important first.

    `past`: the label of a run that is over; empty for one that works.
    """

    def __init__(self, run: RunView, *, simulated: bool, past: str, note: str = "") -> None:
        super().__init__()
        self._run = run
        self._simulated = simulated
        self._past = past
        self._note = note
        self._shown: tuple[float, str | None] | None = None

    def tell(self, now: float, notice: str | None = None) -> None:
        """Show the figures of the moment; nothing is painted if nothing changed."""
        self._shown = (now, notice)
        line = compose_header(
            self._run,
            totals(self._run, now),
            width=self.size.width,
            simulated=self._simulated,
            past=self._past,
            note=self._note,
            notice=notice,
        )
        self.show(line)

    def on_resize(self) -> None:
        if self._shown is not None:
            self.tell(*self._shown)


def compose_header(
    run: RunView,
    sums: Totals,
    *,
    width: int,
    simulated: bool,
    past: str,
    notice: str | None,
    note: str = "",
) -> Line:
    """Return the row's spans: alarms, then figures as long as there is room, then the note."""
    alarm: Line = []
    behind, open_circuits, queued_bytes = run.health
    if behind is not None:
        alarm.append(Span(f" history not saved: {behind} ", "background", True, "error"))
    if open_circuits:
        alarm.append(Span(f" {_open_circuits(open_circuits)} ", "background", True, "warning"))
    if past:
        alarm.append(Span(f" {past} ", "background", True, "secondary"))
    if simulated:
        alarm.append(Span(" SIMULATED MODELS ", "background", True, "warning"))
    parts = [
        part
        for part in (
            _standing(sums, bool(past), notice),
            _queue(queued_bytes),
            _time(sums),
            _rate(sums),
            _tokens(sums),
        )
        if part
    ]
    if cost := figures.money(sums.cost):
        parts.append([Span(cost, "muted")])
    room = width - line_width(alarm) - 1
    title = shorten(one_line(run.title), max(8, room // 3))
    line: Line = [Span(f" {title}", "foreground", True)]
    for part in parts:
        if line_width(line) + line_width(part) + 2 <= room:
            line += [Span("  "), *part]
    left = room - line_width(line) - 2
    if note and left >= _SHORTEST_NOTE:
        line.append(Span(f"  {shorten(one_line(note), left)}", "secondary"))
    gap = width - line_width(line) - line_width(alarm)
    return [*line, Span(" " * max(0, gap)), *alarm] if alarm else line


def _open_circuits(open_circuits: Mapping[str, float]) -> str:
    """Return the text for providers that keep failing, with the seconds until the next try."""
    if len(open_circuits) > 1:
        return f"{len(open_circuits)} providers keep failing"
    ((provider, seconds),) = open_circuits.items()
    next_try = f"next try in {seconds:.0f} s" if seconds >= 0.5 else "trying again"
    return f"{provider} keeps failing, {next_try}"


def _standing(sums: Totals, past: bool, notice: str | None) -> Line:
    if notice is not None:
        return [Span(notice, "warning", True)]
    counts: Line = []

    def add(sign: str, colour: str, number: int, word: str = "") -> None:
        if number:
            gap = [Span(" ")] if counts else []
            counts.extend([*gap, Span(f"{sign} {number}{word}", colour)])

    approvals = sums.states["needs_approval"]
    if sums.unfinished:
        add("●", "primary", sums.running, " running")
        add("?", "warning", approvals, " to approve" if approvals else "")
        for state in _HELD:
            add(BADGES[state].sign, BADGES[state].colour, sums.states[state])
    for end in _ENDS:
        add(BADGES[end].sign, BADGES[end].colour, sums.states[end])
    if not sums.unfinished and not past:
        all_done = sums.exit_code == 0
        word = "all done – q to quit" if all_done else "finished – q to quit"
        counts.extend([Span("  "), Span(word, "success" if all_done else "warning", True)])
    return counts


def _queue(size: int) -> Line:
    if size < _NOTABLE_QUEUE:
        return []
    return [Span(f"{size / _MEGABYTE:.1f} MB to save", "warning")]


def _time(sums: Totals) -> Line:
    return [Span(figures.duration(sums.elapsed), "muted")] if sums.elapsed is not None else []


def _rate(sums: Totals) -> Line:
    return [Span(f"{sums.rate:>4.0f} tok/s", "foreground")] if sums.unfinished else []


def _tokens(sums: Totals) -> Line:
    if not sums.input and not sums.output:
        return []
    about = "~" if sums.estimated else ""
    return [Span(f"↑{figures.count(sums.input)} ↓{about}{figures.count(sums.output)}", "muted")]
