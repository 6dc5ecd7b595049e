"""Apps opened on a screen of a given size, and what stands on it as text."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.app import App
from textual.pilot import Pilot

from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.run import RunScreen

MakeApp = Callable[..., LfgApp]


@asynccontextmanager
async def opened(app: LfgApp, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[int]]:
    """Run the app until the block ends; its first frame is drawn."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot


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
