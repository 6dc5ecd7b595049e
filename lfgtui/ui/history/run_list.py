"""The list of past runs, or of the hits of a search in them."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from lfgtui.history.reader import RunSummary
from lfgtui.history.search import SearchHit
from lfgtui.model.fold.states import BADGES, PIN
from lfgtui.text import figures
from lfgtui.text.terminal_safe import visible
from lfgtui.ui.text.styled_line import Line, Span, fit, line_width, one_line, shorten
from lfgtui.ui.widgets.row_list import RowList

_LEAST_TITLE = 24
"""Cells that optional columns leave to the title."""

_PLACE = 24
"""Most cells of the folder or machine of a run."""

_BEFORE_MATCH = 36
"""Characters shown before a match, few enough for it to be seen on a narrow terminal."""

# The sign and colour of each state of a run.
STATES = {
    "running": ("●", "primary"),
    "done": (BADGES["done"].sign, "success"),
    "failed": (BADGES["failed"].sign, "error"),
    "interrupted": (BADGES["interrupted"].sign, "warning"),
}


class RunList(RowList):
    """The runs that were read so far, newest first; or hits, during a search."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.runs: list[RunSummary] = []
        self.hits: list[SearchHit] | None = None
        self.is_complete = False
        """True once the oldest run was read."""
        self.known: dict[str, RunSummary] = {}
        """All summaries that have been read, by the runs' ids: also of runs found by a search."""
        self._clock = clock
        self._has_costs = False

    @property
    def hit(self) -> SearchHit | None:
        """The hit under the cursor."""
        return self.hits[self.cursor] if self.hits else None

    @property
    def here(self) -> RunSummary | None:
        """The run under the cursor, or the run of the hit there."""
        if self.hit is not None:
            return self.known[self.hit.run]
        return self.runs[self.cursor] if self.hits is None and self.runs else None

    def lines_at(self, index: int, width: int) -> Sequence[Line]:
        if self.hits is not None:
            hit = self.hits[index]
            return hit_row(hit, self.known[hit.run].title, width)
        return (run_row(self.runs[index], width, self._clock(), has_costs=self._has_costs),)

    def add(self, page: Sequence[RunSummary], limit: int) -> None:
        """Append older runs: a page of up to `limit`."""
        is_first = not self.runs
        self.is_complete = len(page) < limit
        listed = {run.run for run in self.runs}  # one may have begun meanwhile
        self.runs.extend(run for run in page if run.run not in listed)
        self._learn(page)
        self._has_costs = self._has_costs or any(run.cost is not None for run in page)
        if self.hits is None and is_first:
            self.show(len(self.runs), 1)
        elif self.hits is None:
            self.grow(len(self.runs))

    def take_newest(self, newest: Sequence[RunSummary]) -> None:
        """Update the newest runs, and put new ones on top; cursor and view stay on their runs."""
        listed, now = {run.run for run in self.runs}, {run.run: run for run in newest}
        new = [run for run in newest if run.run not in listed]
        runs = [*new, *(now.get(run.run, run) for run in self.runs)]
        self._learn(newest)
        if runs != self.runs:
            self.runs = runs
            if self.hits is None:
                self.grow(len(runs))
                if listed and new:
                    self.shift(len(new))
            self.refresh()

    def show_hits(self, hits: Sequence[SearchHit], runs: Sequence[RunSummary]) -> None:
        """Show hits instead of runs; `runs` are the runs of hits that were not known."""
        self._learn(runs)
        self.hits = [hit for hit in hits if hit.run in self.known]  # not deleted meanwhile
        self.show(len(self.hits), 2)

    def show_runs(self) -> None:
        """Show the runs instead of hits."""
        if self.hits is not None:
            self.hits = None
            self.show(len(self.runs), 1)

    def replace(self, run: str, summary: RunSummary | None) -> None:
        """Replace a run's summary; None: it was deleted."""
        if summary is not None:
            self.known[run] = summary
            self.runs = [summary if one.run == run else one for one in self.runs]
        else:
            self.known.pop(run, None)
            self.runs = [one for one in self.runs if one.run != run]
            if self.hits is not None:
                self.hits = [hit for hit in self.hits if hit.run != run]
        self.grow(len(self.runs if self.hits is None else self.hits))

    def _learn(self, runs: Sequence[RunSummary]) -> None:
        self.known.update((run.run, run) for run in runs)

    def description(self, limit: int) -> str:
        """Return `no runs yet`, `1 run`, `200+ runs`; a search has at most `limit` hits."""
        if self.hits is None:
            noun, plural, is_cut = "run", "runs", not self.is_complete
        else:
            noun, plural, is_cut = "match", "matches", self.count == limit
        if not self.count:
            return "no runs yet" if self.hits is None else "no matches"
        return f"{self.count}{'+' if is_cut else ''} {noun if self.count == 1 else plural}"


def run_row(
    run: RunSummary, width: int, now: float, *, has_costs: bool = True, place: str = ""
) -> Line:
    """Return a past run in a line; other columns give way to the title.

    `has_costs`: there is a column for costs. `place` is the folder or machine that it ran in.
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
    cost = f"{figures.money(run.cost):>7} " if has_costs else ""
    for text in (f"{run.done}/{run.tickets} ".rjust(6), took.rjust(7) + " ", cost):
        if len(text) <= room:
            columns.append(text)
            room -= len(text)
    line = [*head, *(Span(text, "muted") for text in columns)]
    room, aside = width - line_width(line) - 1, ""
    if place and room >= _LEAST_TITLE:
        aside = f"  {shorten(one_line(place), min(_PLACE, room // 2))}"
    line.append(Span(shorten(one_line(run.title), room - cell_len(aside))))
    if aside:
        line.append(Span(aside, "muted"))
    note = one_line(run.note)
    if note and (left := width - line_width(line) - 3) >= 4:
        line.append(Span(f"  {shorten(note, left)}", "faint"))
    return line


def hit_row(hit: SearchHit, title: str, width: int) -> list[Line]:
    """Return a hit in two lines: where it is, and the text around it."""
    about = f" {hit.kind.replace('_', ' ')} · {figures.day_and_time(hit.at)} · {one_line(title)}"
    first = hit.matches[0][0] if hit.matches else 0
    at = max(0, first - _BEFORE_MATCH)
    text = visible(hit.snippet.replace("\n", " ").replace("\t", " "))
    line = [Span("   …" if at else "   ", "muted")]
    for start, end in hit.matches:
        if start >= at:
            line += [Span(text[at:start], "muted"), Span(text[start:end], "warning", True)]
            at = end
    line.append(Span(text[at:], "muted"))
    head = [Span(f" {one_line(hit.ticket)}", "primary", True), Span(about, "muted")]
    return [head, _cut(line, width)]


def _cut(line: Line, width: int) -> Line:
    """Return the line, cut with `…` if it is too long."""
    kept: Line = []
    for span in line:
        if span.width > (left := width - line_width(kept)):
            return [*kept, Span(fit(span.text, left), span.colour, span.bold)]
        kept.append(span)
    return kept
