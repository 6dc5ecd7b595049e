"""Runs and hits as rows of the list."""

from lfgtui.history.reader import RunSummary
from lfgtui.history.search.search import SearchHit
from lfgtui.model.badges import BADGES
from lfgtui.text import figures
from lfgtui.text.terminal_safe import visible
from lfgtui.ui.text.styled_line import Line, Span, fit, line_width, one_line, shorten

_LEAST_TITLE = 24
"""Cells that optional columns leave to the title."""

_BEFORE_MATCH = 36
"""Characters shown before a match, so that it stands on a narrow terminal too."""

STATES = {
    "running": ("●", "primary"),
    "done": (BADGES["done"].sign, "success"),
    "failed": (BADGES["failed"].sign, "error"),
    "interrupted": (BADGES["interrupted"].sign, "warning"),
}

PIN = "◆"


def run_row(run: RunSummary, width: int, now: float, *, costs: bool = True) -> Line:
    """Return a past run in a line: what there is no room for is left out, the title comes first.

    `costs`: some run has one, and so there is a column for it.
    """
    sign, colour = STATES[run.state]
    when = figures.day_and_time(run.started_at)
    took = figures.duration((run.ended_at or now) - run.started_at)
    head = [Span(f" {sign} ", colour), Span(PIN if run.pinned else " ", "warning")]
    if width < 90:
        is_this_year = when[:4] == figures.day_and_time(now)[:4]
        when = when[5:] if is_this_year else f"{when[:10]} "
    columns = [f" {when} "]
    room = width - line_width(head) - len(columns[0]) - _LEAST_TITLE
    cost = f"{figures.money(run.cost):>7} " if costs else ""
    for text in (f"{run.done}/{run.tickets} ".rjust(6), took.rjust(7) + " ", cost):
        if len(text) <= room:
            columns.append(text)
            room -= len(text)
    line = [*head, *(Span(text, "muted") for text in columns)]
    line.append(Span(shorten(one_line(run.title), width - line_width(line) - 1)))
    note = one_line(run.note)
    if note and (left := width - line_width(line) - 3) >= 4:
        line.append(Span(f"  {shorten(note, left)}", "faint"))
    return line


def hit_row(hit: SearchHit, title: str, width: int) -> list[Line]:
    """Return a hit in two lines: the place, and the text around it."""
    about = f" {hit.kind.replace('_', ' ')} · {figures.day_and_time(hit.at)} · {one_line(title)}"
    first = hit.matches[0][0] if hit.matches else 0
    cut = max(0, first - _BEFORE_MATCH)
    text = visible(hit.snippet.replace("\n", " ").replace("\t", " "))
    line = [Span("   …" if cut else "   ", "muted")]
    at = cut
    for start, end in hit.matches:
        if start >= at:
            line += [Span(text[at:start], "muted"), Span(text[start:end], "warning", True)]
            at = end
    line.append(Span(text[at:], "muted"))
    head = [Span(f" {one_line(hit.ticket)}", "primary", True), Span(about, "muted")]
    return [head, _cut(line, width)]


def _cut(line: Line, width: int) -> Line:
    """Return the line, its end replaced by `…` where it is too long."""
    kept: Line = []
    left = width
    for span in line:
        if span.width > left:
            return [*kept, Span(fit(span.text, left), span.colour, span.bold)]
        kept.append(span)
        left -= span.width
    return kept
