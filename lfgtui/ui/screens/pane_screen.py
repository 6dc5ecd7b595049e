"""The base of a run's screen: its panes, the current one among them, and the keys that move it."""

from collections.abc import Sequence
from functools import partialmethod
from typing import Literal

from lfgtui.ui import screens
from lfgtui.ui.attention import Rounds, needing_attention
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.base import LfgScreen, ScreenContext
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.pane_grid import PaneGrid
from lfgtui.ui.widgets.tiling import Direction

View = Literal["grid", "focus", "table"]
"""The ways to show a run, in the order in which a key goes through them: panes side by side, one
pane beside a strip of all tickets, the table."""


class PaneScreen(LfgScreen[None]):
    """A pane for each ticket. One ticket is the current one in every view.

    `RunScreen` is the only subclass, and implements what is missing here.
    """

    def __init__(
        self, run: RunView, context: ScreenContext, *, is_across: bool, rows_taken: int
    ) -> None:
        super().__init__()
        self.run = run
        self.context = context
        self.now = context.panes.clock
        self.grid = PaneGrid(run, context.panes, is_across=is_across, rows_taken=rows_taken)
        self.panes = self.grid.panes
        self.current = self.panes[0].ticket_id
        """The id of the ticket that keys act on."""
        self.view: View = "grid"
        self.is_zoomed = False
        """True while only the current pane is shown, whatever the view."""
        self._rounds = Rounds()

    @property
    def current_pane(self) -> Pane:
        """The current ticket's pane."""
        return next(pane for pane in self.panes if pane.ticket_id == self.current)

    @property
    def is_alone(self) -> bool:
        """True while only the current pane is shown."""
        return self.is_zoomed or self.view == "focus"

    @property
    def is_in_table(self) -> bool:
        """True while the table is shown instead of the panes."""
        return self.view == "table" and not self.is_zoomed

    @property
    def order(self) -> Sequence[Pane]:
        """The panes in the order in which keys go through them."""
        raise NotImplementedError

    def go_to(self, ticket: str) -> None:
        """Make the ticket the current one."""
        raise NotImplementedError

    def update_bars(self) -> None:
        """Bring header, table, bar and footer up to date."""
        raise NotImplementedError

    # Keys

    def jump(self, number: int) -> None:
        """Go to the pane of that number in file order."""
        if number <= len(self.panes):
            self.go_to(self.panes[number - 1].ticket_id)

    def _step(self, panes: int) -> None:
        order = self.order
        index = (order.index(self.current_pane) + panes) % len(order)
        self.go_to(order[index].ticket_id)

    action_next_pane = partialmethod(_step, 1)
    action_previous_pane = partialmethod(_step, -1)

    def _move(self, direction: Direction) -> None:
        step = 1 if direction in ("down", "right") else -1
        if self.view == "grid" and not self.is_zoomed:
            self.go_to(self.grid.step(direction).ticket_id)
        elif self.is_zoomed and direction in ("up", "down"):
            self.current_pane.stream.scroll_lines(step)
        else:
            self._step(step)

    action_left = partialmethod(_move, "left")
    action_right = partialmethod(_move, "right")
    action_up = partialmethod(_move, "up")
    action_down = partialmethod(_move, "down")

    def _turn(self, pages: int) -> None:
        if self.view == "grid" and not self.is_zoomed:
            self.go_to(self.grid.turn(pages).ticket_id)
        else:
            self.toast("only the grid has pages")

    action_previous_page = partialmethod(_turn, -1)
    action_next_page = partialmethod(_turn, 1)

    def action_pin_pane(self) -> None:
        self.grid.pin(self.current_pane)
        self.realign()
        is_pinned = self.current_pane.is_pinned
        effect = "it is first on every page" if is_pinned else "it is in its own place again"
        self.toast(f"{'pinned' if is_pinned else 'unpinned'} “{self.current}”: {effect}")

    def _zoom(self, is_zoomed: bool) -> None:
        self.is_zoomed = is_zoomed
        self.realign()

    action_zoom = partialmethod(_zoom, True)

    def action_diff(self) -> None:
        if host := self.context.host:
            place = f"{self.run.run}/{self.current.partition(' #')[0]}"
            self.toast(f"its files are on {host}: ssh {host} lfg diff {place}")
            return
        self.app.push_screen(screens.diff.DiffScreen(self.run, self.context, self.current))

    def action_attention(self) -> None:
        for panes in (self.order, self.panes):  # panes that the filter hides come last
            tickets = [pane.ticket_id for pane in panes]
            stall_after = self.context.panes.stall_after
            needs = needing_attention(self.run, tickets, self.now(), stall_after)
            if (ticket := self._rounds.next(needs, self.current)) is not None:
                break
        else:
            self.toast("nothing else needs attention" if needs else "nothing needs attention")
            return
        self.go_to(ticket)
        if note := needs[ticket][0].note(self.now()):
            self.toast(note)
