"""One pane on a screen: a real run, real folds, a clock of the test's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.settings.themes import load_themes
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.text.wrapping import Row
from lfgtui.ui.themes import to_textual
from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.pane_header import PaneHeader
from tests.ui.fake_live import FakeLive

THEMES = load_themes()


class Run(FakeLive):
    """A run whose entries the test writes. One ticket, `api`, which needs `schema`."""

    def __init__(self) -> None:
        super().__init__("api", "schema")
        self.tickets = (
            Ticket(
                id="api",
                title="Build the API",
                prompt="p",
                workspace="/",
                needs=("schema",),
                provider="anthropic",
                model="claude-sonnet-4-5",
            ),
        )

    def begin_anew(self) -> None:
        """Another transcript in the old one's place, with nothing in it yet."""
        self._transcripts["api"], self._meters["api"] = Transcript(), Meter()

    def apply(self, at: float, *events: e.Event) -> None:
        self.now = at
        self.happen("api", *events)


class Stage(App[None]):
    """One pane, and ticks when the test says so."""

    def __init__(self, run: Run, ticks: Callable[[], float] | None = None) -> None:
        super().__init__()
        for theme in THEMES.values():
            self.register_theme(to_textual(theme))
        self.theme = "dark"
        self.source = run
        self.now = 1000.0
        settings = PaneSettings(10.0, 1.5, self.clock, ticks=ticks or self.clock)
        self.canvas = settings.canvas
        self.pane = Pane(run, run.tickets[0], settings)

    @property
    def stream(self) -> StreamView:
        return self.pane.stream

    def clock(self) -> float:
        return self.now

    def compose(self) -> ComposeResult:
        yield self.pane

    async def play(self, pilot: Pilot[None], *events: e.Event, seconds: float = 1.0) -> None:
        self.now += seconds
        self.source.apply(self.now, *events)
        self.pane.mark_dirty()
        self.pane.mark_gauges()
        self.pane.tick(self.now)
        await pilot.pause()

    def screen_rows(self) -> list[str]:
        rows = self.stream.render_lines(self.stream.size.region)
        return [strip.text.rstrip() for strip in rows]

    def head_rows(self) -> list[str]:
        head = self.query_one(PaneHeader)
        return [head.render_line(y).text.rstrip() for y in range(2)]


BEGIN = (
    e.TicketQueued(),
    e.AttemptStarted("anthropic", "claude-sonnet-4-5"),
    e.UserMessage("Build it"),
    e.RequestSent(1),
)
CALL = (
    e.ToolCallStarted("c1", "run_command"),
    e.ToolArgumentsDelta("c1", '{"command": "make"}'),
    e.ToolCallRequested("c1", "run_command", {"command": "make"}),
    e.ResponseFinished(1, "tool_use"),
)


@asynccontextmanager
async def staged(
    *events: e.Event, width: int = 60, height: int = 20, ticks: Callable[[], float] | None = None
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    """A pane after the events. `ticks`: the time that passes while a frame is drawn, else none."""
    stage = Stage(Run(), ticks)
    async with stage.run_test(size=(width, height)) as pilot:
        if events:
            await stage.play(pilot, *events)
        yield stage, pilot


def rows_of(stream: StreamView) -> list[Row]:
    """All rows, drawn if need be."""
    return [seen.row for seen in stream.lines.chunks.rows(0, 1 << 30)]


def numbered(first: int, last: int) -> str:
    return "".join(f"line {number}\n\n" for number in range(first, last + 1))
