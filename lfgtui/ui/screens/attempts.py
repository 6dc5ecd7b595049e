"""The attempts at one ticket side by side."""

from lfgtui.ui.compare_attempts import AttemptsView
from lfgtui.ui.keymap import BY_ACTION
from lfgtui.ui.screens.run import Desk, RunScreen


class BesideScreen(RunScreen):
    """A pane an attempt, each scrolled, searched, folded and copied by itself.

    Of a ticket that works the newest attempt goes on growing. To do something
    to it one goes back: here it is only looked at.
    """

    called = "ATTEMPTS"
    is_tiled_across = True

    def __init__(self, attempts: AttemptsView, desk: Desk, *, follows_live: bool) -> None:
        super().__init__(attempts, desk)
        self.follows_live = follows_live
        self._ticket = attempts.ticket
        self._current = self.panes[-1]

    @property
    def can_resume(self) -> bool:
        return False

    def frame(self, now: float, gauges: bool = True) -> None:
        super().frame(self._desk.panes.clock(), gauges)  # of a replay: the time it is held at

    def mark(self, tickets: set[str]) -> None:
        if self._ticket in tickets:
            for pane in self.panes:
                pane.mark_dirty()

    async def act(self, action: str) -> None:
        if BY_ACTION[action].group in ("Work", "Approve"):
            self.toast(f"attempts are compared here; esc goes back to {self._ticket}")
        else:
            await super().act(action)

    def action_beside(self) -> None:
        self.leave()
