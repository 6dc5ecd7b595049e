"""Frames: when they are drawn, what they show, and what the run hears of it."""

import asyncio

import pytest
from textual.driver import Driver
from textual.events import Key
from textual.geometry import Region, Size

from lfgtui.engine.commands import Retry
from lfgtui.model.fold.metrics import WINDOW
from lfgtui.model.fold.tokens import CHARACTERS_PER_TOKEN
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.widgets.pane import Pane
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, on_screen, opened, repainted, run_screen, text_of


async def test_the_run_starts_once_the_first_frame_is_painted() -> None:
    live = FakeLive("api")
    app = make_app(live)
    assert live.started == 0
    async with opened(app):
        assert live.started == 1


async def rest(app: LfgApp, *, is_still: bool = True) -> None:
    """Turn the loop until no frame is to come, or until one is."""
    async with asyncio.timeout(60):
        while (app.context.frames.next_at is None) is not is_still:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0)


async def test_with_everything_done_no_frame_is_to_come_until_an_entry_or_a_key() -> None:
    async with on_screen("api", "docs") as (live, app, _):
        for name in ("api", "docs"):
            live.begin(name)
            live.stream(name, "All is well.")
            live.finish(name)
        live.now += 60
        await rest(app)
        assert "all done" in text_of(app)
        live.send(Retry("api"))
        live.stream("api", "Once more.")
        live.finish("api")
        live.now += 60
        assert app.context.frames.next_at is not None
        await rest(app)
        assert "Once more." in text_of(app)
        run_screen(app).post_message(Key("m", "m"))
        await rest(app, is_still=False)
        await rest(app)


def note_layouts(screen: RunScreen, monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """Every layout of the panes from now on."""
    placed: list[Size] = []
    original = screen.grid.place

    def place(room: Size) -> list[tuple[Pane, Region]]:
        placed.append(room)
        return original(room)

    monkeypatch.setattr(screen.grid, "place", place)
    return placed


async def test_the_time_of_a_suspension_is_left_out_and_the_rate_begins_anew() -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        live.stream("a", "word " * 40)
        app._driver.suspended_at = live.now  # type: ignore[union-attr]  # as our own has
        live.now += 60
        app.post_message(Driver.SignalResume())
        await pilot.pause()
        live.stream("a", "what came meanwhile " * 400)
        assert live.meter("a").rate(live.now) == 0
        live.stream("a", "word " * 8, after=1.0)
        assert live.meter("a").rate(live.now) == 40 / CHARACTERS_PER_TOKEN / WINDOW
        assert live.meter("a").elapsed(live.now) == 2.0


async def test_streaming_is_painted_and_never_lays_the_grid_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    async with opened(app, (100, 24)) as pilot:
        live.begin("api")
        await pilot.pause()
        before = [pane.region for pane in run_screen(app).panes]
        placed = note_layouts(run_screen(app), monkeypatch)
        for number in range(20):
            live.stream("api", f"Paragraph {number}.\n\n")
            await pilot.pause()
        assert "Paragraph 19." in text_of(app)
        assert placed == []
        assert [pane.region for pane in run_screen(app).panes] == before


@pytest.mark.parametrize(
    "size", [(3, 2), (1, 1), (39, 3), (80, 24), (77, 20), (20, 5), (300, 2), (2, 90)]
)
async def test_at_any_size_keys_work_and_the_layout_comes_to_rest(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_screen("a", "b", "c", "d", "e", "f", size=(40, 10)) as (live, app, pilot):
        live.begin("a")
        live.stream("a", "words and more words")
        await pilot.resize_terminal(*size)
        await pilot.press("v", "v", "?", "escape", "/", "escape", "q", "n", "v")
        placed = note_layouts(run_screen(app), monkeypatch)
        assert len(await repainted(pilot)) == size[1]
        assert placed == []


async def test_the_run_hears_which_tickets_a_frame_shows_up_to_date() -> None:
    async with on_screen("a", "b") as (live, _, pilot):
        live.begin("a")
        live.stream("a", "Hello.")
        live.in_frame.clear()
        await repainted(pilot)
        assert live.in_frame == {"a", "b"}
        await pilot.press("enter")
        await repainted(pilot)
        assert live.in_frame == {"a"}
