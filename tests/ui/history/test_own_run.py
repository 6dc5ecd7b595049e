"""The run that is at work here, found in the list of past runs: it leads back to its own screen."""

import asyncio

from lfgtui.history.recording.recorder import Recorder
from tests.ui.fake_live import FakeLive
from tests.ui.history.conftest import OpenPast
from tests.ui.history.past import answered, begin, play
from tests.ui.screen_text import run_screen, text_of
from tests.ui.waiting import shown, toasted


async def at_work(store: Recorder) -> FakeLive:
    """A run at work that says something, on the screen and in the history."""
    live = FakeLive("a")
    live.run = await asyncio.to_thread(begin, store, "At work", "a")
    await asyncio.to_thread(play, store, live.run, "a", *answered("a", "a purple answer"))
    return live


async def test_opened_from_the_list_it_is_its_own_screen(
    open_past: OpenPast, store: Recorder
) -> None:
    live = await at_work(store)
    async with open_past(live=live, first="At work") as (app, pilot):
        await pilot.press("tab", "enter")
        await toasted(pilot, "this run is open already: back on its live screen")
        assert run_screen(app).run is live
        assert len(app.screen_stack) == 1


async def test_a_match_in_it_is_shown_as_saved_and_leads_back(
    open_past: OpenPast, store: Recorder
) -> None:
    live = await at_work(store)
    async with open_past(live=live, first="At work", size=(120, 30)) as (app, pilot):
        await pilot.press(*"purple")
        await shown(pilot, "1 match")
        await pilot.press("enter")
        await shown(pilot, "SAVED STATE")
        await pilot.press("escape", "escape")
        assert "r back to the live run" in text_of(app)
        await pilot.press("c")
        await toasted(pilot, "go back to the live run")
        await pilot.press("r")
        await toasted(pilot, "this run is open already: back on its live screen")
        assert run_screen(app).run is live
        assert len(app.screen_stack) == 1
