"""The runs that were read so far, or the hits of a search in them."""

from collections.abc import Sequence

from lfgtui.history.reader import RunSummary
from lfgtui.history.search.search import SearchHit
from lfgtui.ui.history.list_rows import hit_row, run_row
from lfgtui.ui.text.styled_line import Line


class RunList:
    """Rows for a list: runs, newest first; or hits, while there are any to show."""

    def __init__(self) -> None:
        self.runs: list[RunSummary] = []
        self.hits: list[SearchHit] | None = None
        self.is_complete = False
        """True once the oldest run was read."""
        self._known: dict[str, RunSummary] = {}
        self._has_costs = False

    def __len__(self) -> int:
        return len(self.runs if self.hits is None else self.hits)

    @property
    def known(self) -> set[str]:
        """Runs whose summary is at hand."""
        return set(self._known)

    def run_at(self, index: int | None) -> RunSummary | None:
        """Return the run in that row, or that of the hit there."""
        if index is None:
            return None
        return self.runs[index] if self.hits is None else self._known[self.hits[index].run]

    def hit_at(self, index: int | None) -> SearchHit | None:
        """Return the hit in that row."""
        return None if self.hits is None or index is None else self.hits[index]

    def lines_at(self, index: int, width: int, now: float) -> Sequence[Line]:
        """Return a row as it is drawn: a run is one line, a hit is two."""
        if (hit := self.hit_at(index)) is not None:
            return hit_row(hit, self._known[hit.run].title, width)
        return (run_row(self.runs[index], width, now, costs=self._has_costs),)

    def add(self, page: Sequence[RunSummary], limit: int) -> None:
        """Put older runs at the end: a page of up to `limit`."""
        self.is_complete = len(page) < limit
        listed = {run.run for run in self.runs}  # one may have begun meanwhile
        self.runs.extend(run for run in page if run.run not in listed)
        self._learn(page)
        self._has_costs = self._has_costs or any(run.cost is not None for run in page)

    def refresh(self, newest: Sequence[RunSummary]) -> int | None:
        """Take over the newest runs; how many are new, None if nothing changed."""
        listed, now = {run.run for run in self.runs}, {run.run: run for run in newest}
        new = [run for run in newest if run.run not in listed]
        runs = [*new, *(now.get(run.run, run) for run in self.runs)]
        self._learn(newest)
        if runs == self.runs:
            return None
        self.runs = runs
        return len(new)

    def show_hits(self, hits: Sequence[SearchHit], runs: Sequence[RunSummary]) -> None:
        """Show hits instead of runs; `runs` are those that were not known."""
        self._learn(runs)
        self.hits = [hit for hit in hits if hit.run in self._known]  # not deleted meanwhile

    def replace(self, run: str, summary: RunSummary | None) -> None:
        """Take over what became of a run; None: it was deleted."""
        if summary is not None:
            self._known[run] = summary
            self.runs = [summary if one.run == run else one for one in self.runs]
            return
        self._known.pop(run, None)
        self.runs = [one for one in self.runs if one.run != run]
        if self.hits is not None:
            self.hits = [hit for hit in self.hits if hit.run != run]

    def _learn(self, runs: Sequence[RunSummary]) -> None:
        self._known.update((run.run, run) for run in runs)

    def count(self, limit: int) -> str:
        """Return `no runs yet`, `1 run`, `200+ runs`; a search has at most `limit` hits."""
        if self.hits is None:
            noun, plural, is_cut = "run", "runs", not self.is_complete
        else:
            noun, plural, is_cut = "match", "matches", len(self) == limit
        if not len(self):
            return "no runs yet" if self.hits is None else "no matches"
        return f"{len(self)}{'+' if is_cut else ''} {noun if len(self) == 1 else plural}"
