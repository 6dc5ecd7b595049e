"""Apps opened on a screen of a given size, and what stands on it as text."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.app import App
from textual.pilot import Pilot

from lfgtui.cli.launching.past_runs import FileHistoryActions
from lfgtui.history.reader import Reader
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.ui.app import LfgApp
from lfgtui.ui.run_view import HistoryActions, RunView
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.line_index import LineIndex
from tests.ui.fake_live import FakeLive

MakeApp = Callable[..., LfgApp]
THEMES = load_themes()


def make_app(
    live: FakeLive,
    *,
    is_past_only: bool = False,
    history_actions: HistoryActions | None = None,
    run: RunView | None = None,
    config: Config | None = None,
    open_reader: Callable[[], Reader] | None = None,
    simulated: bool = False,
    can_detach: bool = False,
) -> LfgApp:
    """An app on a run; its clock is the run's."""
    return LfgApp(
        None if is_past_only else run or live,
        config=config or Config(),
        open_reader=open_reader,
        simulated=simulated,
        themes=THEMES,
        history_actions=lambda: history_actions or FileHistoryActions(Config()),
        clock=lambda: live.now,
        can_detach=can_detach,
    )


@asynccontextmanager
async def opened(app: LfgApp, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[int]]:
    """Run the app until the block ends; its first frame is drawn."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot


@asynccontextmanager
async def on_screen(
    *ids: str,
    size: tuple[int, int] = (120, 30),
    config: Config | None = None,
    simulated: bool = False,
) -> AsyncIterator[tuple[FakeLive, LfgApp, Pilot[int]]]:
    """An app on a run of these tickets, until the block ends."""
    live = FakeLive(*ids)
    app = make_app(live, config=config, simulated=simulated)
    async with opened(app, size) as pilot:
        yield live, app, pilot


def run_screen(app: LfgApp) -> RunScreen:
    """The run that is shown."""
    screen = app.screen
    assert isinstance(screen, RunScreen)
    return screen


async def repainted(pilot: Pilot[int]) -> list[str]:
    """The rows of the terminal after a frame in which all gauges are due."""
    await pilot.pause()
    assert isinstance(pilot.app, LfgApp)
    run_screen(pilot.app).frame()
    await pilot.pause()
    return lines(pilot.app)


def lines(app: App[int]) -> list[str]:
    """The rows of the terminal."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width] for strip in strips][:height]


def text_of(app: App[int]) -> str:
    """All that is on the terminal."""
    return "\n".join(lines(app))


def toasts(app: App[int]) -> list[str]:
    """Messages that are or were shown, oldest first."""
    return [notification.message for notification in app._notifications]


def plain_text(lines: LineIndex) -> str:
    """All rows as shown; they are not kept in memory."""
    chunks = lines.chunks
    return "\n".join(
        row.text.rstrip() for index in range(len(chunks)) for row in chunks.rows_once(index)
    )
