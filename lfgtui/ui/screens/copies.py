"""The copies of a ticket side by side, to choose one."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partialmethod

from msgspec.structs import replace

from lfgtui.engine.commands import Choose
from lfgtui.export.figures import attempt_figures
from lfgtui.model.choices import choice_refusal, choices, due_choices, group_of
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.metrics import Health
from lfgtui.model.fold.states import ENDED, State
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.run_view import LiveRun, RunView
from lfgtui.ui.screens.attempts import compare_attempts
from lfgtui.ui.screens.run import RunMode, RunScreen
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.text.styled_line import Line, Span, one_line, shorten
from lfgtui.ui.widgets.footer import Offer
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.pane_header import change_figures

_NARROW = 100
"""Cells below which copies are shown one at a time."""

_FIGURES = ("ttft", "tokens out", "cost", "time")
"""The figures of a copy that are shown, by their names in `attempt_figures`."""


def compare(screen: RunScreen) -> None:
    """Open the copies of the current ticket, or those it waits for, or else its attempts."""
    run, name = screen.run, group_of(screen.run, screen.current)
    if not name:
        compare_attempts(screen)
        return
    view = CopiesView(run, name)
    mode = CopiesMode(name, run if isinstance(run, LiveRun) else None)
    compared = RunScreen(view, screen.context, mode)
    ids = [ticket.id for ticket in view.tickets]
    done = due_choices(run).get(name, ids)
    compared.current = screen.current if screen.current in ids else choices(run).get(name, done[0])
    compared.is_zoomed = screen.size.width < _NARROW
    screen.app.push_screen(compared)


class CopiesMode(RunMode):
    """A pane for each copy. The panes scroll together, from their beginning, or each alone.

    `name` is the ticket that they are copies of; `live` is the run if a choice can be made.
    """

    label = "COPIES"
    is_tiled_across = True
    help: Mapping[str, str] = {"zoom": "choose this copy"}

    def __init__(self, name: str, live: LiveRun | None) -> None:
        self.refusal = f"copies are read-only here; press esc to go back from “{name}”"
        self.bar: LineRow = LineRow()
        self._name = name
        self._live = live
        self._is_together = True
        self._begun = set[Pane]()

    @property
    def streams(self) -> Sequence[StreamView]:
        shown = self.screen.grid.in_view() if self._is_together else ()
        return [pane.stream for pane in shown] or super().streams

    @property
    def comparison(self) -> str:
        return "attempts" if len(self._attempts) > 1 else ""

    @property
    def zoom_offer(self) -> Offer:
        return Offer("zoom", "choose") if self._live is not None else Offer("back", "leave")

    def offers(self, state: State | None) -> Iterator[Offer]:
        if self._live is not None:
            yield Offer("back", "leave")
        yield from map(Offer, ("next_pane", "help", "quit"))
        yield Offer("together", "scroll alone" if self._is_together else "scroll together")

    def painted(self) -> None:
        """Scroll each complete answer, once, to its first line."""
        for pane in self.screen.grid.in_view():
            if pane not in self._begun and pane.is_drawn:
                self._begun.add(pane)
                if self.screen.run.transcript(pane.ticket_id).state in ENDED:
                    pane.stream.scroll_lines(-sys.maxsize)

    def update_bar(self) -> None:
        self.bar.show(self._figures)

    @property
    def _attempts(self) -> Sequence[Attempt]:
        return self.screen.run.transcript(self.screen.current).attempts

    def _figures(self, width: int) -> Line:
        """Return the current copy's model and figures, and the choice so far."""
        attempt = self._attempts[-1] if self._attempts else None
        figures = attempt_figures(attempt) if attempt else []
        chosen = choices(self.screen.run).get(self._name)
        made = f"chosen: {chosen}" if chosen else "none chosen"
        shown = [f"{name} {figure}" for name, figure in figures if name in _FIGURES]
        if (changes := self.screen.run.transcript(self.screen.current).changes) is not None:
            shown.append("".join(span.text for span in change_figures(changes)).strip())
        model = [one_line(attempt.route)] if attempt else []
        text = shorten(" · ".join([*model, made, *shown]), width - len(self.screen.current) - 2)
        return [Span(f" {self.screen.current} ", bold=True), Span(text, "muted")]

    def action_zoom(self) -> None:
        """Choose the current copy."""
        copy = self.screen.current
        refusal = self.refusal if self._live is None else choice_refusal(self._live, copy)
        if refusal or self._live is None:
            self.screen.toast(refusal)
            return
        self._live.send(Choose(copy))
        self.screen.leave()
        self.screen.toast(f"“{copy}” is chosen")

    def action_together(self) -> None:
        self._is_together = not self._is_together

    def action_beside(self) -> None:
        if self.comparison:
            compare_attempts(self.screen)
        else:
            self.screen.leave()

    def action_back(self) -> None:
        self.screen.leave()

    def _scroll(self, lines: int) -> None:
        for stream in self.streams:
            stream.scroll_lines(lines)

    action_up = partialmethod(_scroll, -1)
    action_down = partialmethod(_scroll, 1)


class CopiesView:
    """A `RunView` of a run that has only the copies of one ticket."""

    def __init__(self, run: RunView, name: str) -> None:
        self._run = run
        self.run = run.run
        self.title = f"{name} · {run.title}"
        own = (ticket for ticket in run.tickets if ticket.copy_of == name)
        self.tickets = tuple(replace(ticket, title="") for ticket in own)
        self.transcript = run.transcript
        self.meter = run.meter

    @property
    def health(self) -> Health:
        return self._run.health
