"""The list of runs that are at work, on one machine or several: `lfg attach` attaches to one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from textual.app import ComposeResult

from lfgtui.history.reader import RunSummary
from lfgtui.ui.history.list_screen import RowScreen
from lfgtui.ui.history.run_list import run_row
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.screens.base import ScreenContext
from lfgtui.ui.screens.dialogs import Help, help_on
from lfgtui.ui.text.styled_line import Line, Span, one_line, shorten
from lfgtui.ui.widgets.footer import Offer, compose_footer
from lfgtui.ui.widgets.row_list import RowList

_HELP: Mapping[str, str] = {
    "up": "to the row above",
    "down": "to the row below",
    "zoom": "attach to the run under the cursor",
    "back": "quit",
    "quit": "quit",
}
"""Help on keys here, by their actions."""

REST = 2.0
"""Seconds between two readings of the list."""


class ListedRun(NamedTuple):
    """A run at work; `host` is its machine, "" for this one."""

    summary: RunSummary
    host: str

    def is_same(self, other: "ListedRun") -> bool:
        """Return True for the same run, whatever has become of it meanwhile."""
        return (self.summary.run, self.host) == (other.summary.run, other.host)


class RunsListed(NamedTuple):
    """The runs at work, and a line on each machine that could not be asked."""

    runs: Sequence[ListedRun]
    troubles: Sequence[str]


class RunsAtWork(RowList):
    """The rows of `RunsListed`: the runs, and below them why others could not be listed."""

    def __init__(self, listed: RunsListed, clock: Callable[[], float]) -> None:
        super().__init__()
        self._runs, self._troubles = listed
        self._clock = clock

    def on_mount(self) -> None:
        self.show(len(self._runs) + len(self._troubles), 1)

    @property
    def here(self) -> ListedRun | None:
        """The run under the cursor; None if no run is listed any more."""
        return self._runs[self.cursor] if self.cursor < len(self._runs) else None

    def take(self, listed: RunsListed) -> None:
        """Show these instead; the cursor stays on its run."""
        here = self.here
        self._runs, self._troubles = listed
        if not self._runs and not self._troubles:
            self._troubles = ["no run is in progress any more"]
        self.grow(len(self._runs) + len(self._troubles))
        index = next((n for n, one in enumerate(self._runs) if here and one.is_same(here)), None)
        self.move_to(self.cursor if index is None else index)

    def lines_at(self, index: int, width: int) -> Sequence[Line]:
        if index >= len(self._runs):
            text = shorten(one_line(self._troubles[index - len(self._runs)]), width - 4)
            return ([Span("   "), Span(text, "warning")],)
        one = self._runs[index]
        return (run_row(one.summary, width, self._clock(), has_costs=False, place=one.host),)

    def move_to(self, index: int) -> None:
        super().move_to(max(0, min(index, len(self._runs) - 1)))


class AttachScreen(RowScreen):
    """Passes the chosen run to `choose`, and ends the app; the caller then attaches to it.

    `look` reads the list anew; it is called every `REST` seconds while the screen is open.
    """

    DEFAULT_CSS = """
    AttachScreen { layout: vertical; background: $background; overflow: hidden; }
    AttachScreen RunsAtWork { height: 1fr; }
    """

    rows: RunsAtWork

    def __init__(
        self,
        context: ScreenContext,
        listed: RunsListed,
        look: Callable[[], Awaitable[RunsListed]],
        choose: Callable[[ListedRun], object],
    ) -> None:
        super().__init__(context)
        self.rows = RunsAtWork(listed, context.panes.clock)
        self._top = LineRow()
        self._look, self._choose = look, choose

    def compose(self) -> ComposeResult:
        yield self._top
        yield self.rows
        yield self.footer

    def on_mount(self) -> None:
        title = [Span(" lfg   ", bold=True), Span("runs in progress", "muted")]
        self._top.show(lambda width: title)
        offers = [Offer("zoom", "attach"), Offer("help"), Offer("quit")]
        self.footer.show(lambda width: compose_footer(offers, self.context.keys, width))
        self.rows.focus()
        self.run_worker(self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(REST)
            self.rows.take(await self._look())

    # Keys

    async def action_zoom(self) -> None:
        if (here := self.rows.here) is not None:
            self._choose(here)
            await self.act("quit")

    async def action_back(self) -> None:
        await self.act("quit")

    async def action_help(self) -> None:
        await self.app.push_screen(Help(help_on(_HELP, "Runs in progress", self.context.keys)))
