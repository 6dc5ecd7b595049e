"""The list of runs that are at work, on one machine or several, to attach to one."""

from collections.abc import Callable, Mapping, Sequence
from functools import partialmethod
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult

from lfgtui.history.reader import RunSummary
from lfgtui.ui.history.run_list import run_row
from lfgtui.ui.keymap import keymap
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.screens.base import LfgScreen, ScreenContext
from lfgtui.ui.screens.dialogs import Help, help_on
from lfgtui.ui.text.styled_line import Line, Span, one_line, shorten
from lfgtui.ui.widgets.footer import Offer, compose_footer
from lfgtui.ui.widgets.row_list import RowList

_HELP: Mapping[str, str] = {
    "up": "to the row above",
    "down": "to the row below",
    "zoom": "attach to the run under the cursor",
    "back": "quit",
}
"""The meaning of keys here, by their actions."""

_END = 1 << 30


class ListedRun(NamedTuple):
    """A run at work; `host` is where, "" for this machine."""

    summary: RunSummary
    host: str


class RunsAtWork(RowList):
    """The runs, and below them what kept others from being listed."""

    def __init__(
        self, runs: Sequence[ListedRun], troubles: Sequence[str], clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self._runs, self._troubles = runs, troubles
        self._clock = clock

    def on_mount(self) -> None:
        self.show(len(self._runs) + len(self._troubles), 1)

    @property
    def here(self) -> ListedRun:
        """The run under the cursor."""
        return self._runs[self.cursor]

    def entry(self, index: int, width: int) -> Sequence[Line]:
        if index >= len(self._runs):
            text = shorten(one_line(self._troubles[index - len(self._runs)]), width - 4)
            return ([Span("   "), Span(text, "warning")],)
        one = self._runs[index]
        return (run_row(one.summary, width, self._clock(), has_costs=False, place=one.host),)

    def move_to(self, index: int) -> None:
        super().move_to(min(index, len(self._runs) - 1))


class AttachScreen(LfgScreen[None]):
    """Hands `choose` the run that is to be attached to, and has the app end."""

    DEFAULT_CSS = """
    AttachScreen { layout: vertical; background: $background; overflow: hidden; }
    AttachScreen RunsAtWork { height: 1fr; }
    """

    def __init__(
        self,
        context: ScreenContext,
        runs: Sequence[ListedRun],
        troubles: Sequence[str],
        choose: Callable[[ListedRun], object],
    ) -> None:
        super().__init__()
        self.keymap = keymap(context.keys, "history")
        self.context = context
        self.footer: LineRow = LineRow()
        self.rows = RunsAtWork(runs, troubles, context.panes.clock)
        self._top = LineRow()
        self._choose = choose

    def compose(self) -> ComposeResult:
        yield self._top
        yield self.rows
        yield self.footer

    def on_mount(self) -> None:
        title = [Span(" lfg   ", bold=True), Span("runs at work", "muted")]
        self._top.show(lambda width: title)
        offers = [Offer("zoom", "attach"), Offer("help"), Offer("quit")]
        self.footer.show(lambda width: compose_footer(offers, self.context.keys, width))
        self.rows.focus()

    # Keys

    def _move(self, entries: int, *, pages: int = 0) -> None:
        self.rows.move_to(self.rows.cursor + entries + pages * self.rows.page)

    action_up = partialmethod(_move, -1)
    action_down = partialmethod(_move, 1)
    action_page_up = partialmethod(_move, 0, pages=-1)
    action_page_down = partialmethod(_move, 0, pages=1)
    action_start = partialmethod(_move, -_END)
    action_finish = partialmethod(_move, _END)

    async def action_zoom(self) -> None:
        self._choose(self.rows.here)
        await self.act("quit")

    async def action_back(self) -> None:
        await self.act("quit")

    async def action_help(self) -> None:
        await self.app.push_screen(Help(help_on(_HELP, "Runs at work", self.context.keys)))

    @on(RowList.Clicked)
    async def _clicked(self, event: RowList.Clicked) -> None:
        if event.is_second:
            await self.act("zoom")
