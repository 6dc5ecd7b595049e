"""The search in a pane: at most one is searched, until another becomes the current one."""

from functools import partialmethod

from lfgtui.ui.screens.pane_screen import PaneScreen
from lfgtui.ui.stream.search_target import Target
from lfgtui.ui.widgets.footer import search_status
from lfgtui.ui.widgets.pane import Pane


class PaneSearch:
    """The search of a run's screen; while one is open, its `action_NAME` come before the run's."""

    def __init__(self, screen: PaneScreen) -> None:
        self._screen = screen
        self._pane: Pane | None = None
        self.target: Target | None = None
        """A match found in the history that is still to be shown."""

    @property
    def is_open(self) -> bool:
        """True while a pane is searched."""
        return self._pane is not None

    @property
    def status(self) -> str:
        """The pattern and the number of the match shown; empty without a search."""
        return search_status(self._pane.stream.finder) if self._pane is not None else ""

    async def ask(self) -> None:
        """Ask for what to find in the current pane."""
        pane = self._screen.current_pane
        pattern = pane.stream.finder.pattern
        await self._screen.ask(f"find in {pane.ticket_id}", self._find, text=pattern)

    def _find(self, pattern: str) -> None:
        self.close()
        if pattern:
            self._pane = self._screen.current_pane
            self._pane.stream.find(pattern)
        self._screen.realign()

    def close(self) -> None:
        """End the search, if there is one."""
        if self._pane is not None:
            self._pane.stream.find("")
            self._pane = None

    def show_target(self) -> None:
        """Show the target, once the pane is drawn that far."""
        pane, target = self._screen.current_pane, self.target
        if target is None or pane.stream.is_behind:
            return
        self.target = None
        is_shown = pane.stream.show_target(target)
        if target.pattern:
            self._pane = pane
            if not is_shown:
                self._screen.toast("the match is in text this pane does not show")

    def action_back(self) -> None:
        self.close()
        self._screen.realign()

    def _step(self, step: int) -> None:
        if self._pane is not None:
            self._pane.stream.find_step(step)
            self._screen.update_bars()

    action_attention = partialmethod(_step, 1)
    action_previous_hit = partialmethod(_step, -1)
