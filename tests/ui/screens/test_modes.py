"""Keys that act on the work of a live run."""

import pytest

from lfgtui.engine.commands import Cancel, CancelAll, Pause, Resume, Retry
from lfgtui.model import events as e
from lfgtui.settings.config import Config
from lfgtui.ui.screens.dialogs import Question
from lfgtui.ui.screens.modes import CONFIRM_SECONDS
from tests.ui.screen_text import on_screen, run_screen, toasts


async def test_commands_go_to_the_ticket_with_the_focus_only() -> None:
    async with on_screen("a", "b", "c") as (live, _, pilot):
        live.begin("b")
        live.stream("b", "hello")
        await pilot.press("2", "c", "c", "r", "3", "p", "p")
        assert live.sent == [Cancel("b"), Retry("b"), Pause("c"), Resume("c")]


async def test_one_press_neither_cancels_a_ticket_nor_starts_a_done_one_over() -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        await pilot.press("c", "2", "c", "1")  # another ticket each time
        live.now += CONFIRM_SECONDS + 0.1
        await pilot.press("c")  # too late
        assert live.sent == []
        assert toasts(app) == ["press c again to cancel “a”"]
        live.now += CONFIRM_SECONDS - 0.1
        await pilot.press("c")
        assert (live.sent, toasts(app)) == ([Cancel("a")], [])
        live.begin("b")
        live.finish("b")
        await pilot.press("2", "r")
        assert (live.sent, toasts(app)) == ([Cancel("a")], ["press r again to start “b” over"])
        await pilot.press("r")
        assert live.sent == [Cancel("a"), Retry("b")]


@pytest.mark.parametrize(
    "ending",
    [
        e.TicketFailed("server", "broken", retryable=True),
        e.TicketCancelled(),
        e.TicketLimited("turns"),
        e.TicketBlocked("x"),
        e.TicketInterrupted(),
    ],
)
async def test_a_ticket_that_did_not_end_well_is_retried_at_once(ending: e.Event) -> None:
    async with on_screen("a") as (live, _, pilot):
        if not isinstance(ending, e.TicketBlocked):
            live.begin("a")
        live.happen("a", ending)
        await pilot.press("r")
        assert live.sent == [Retry("a")]


async def test_an_action_without_a_key_needs_no_second_one() -> None:
    async with on_screen("a", config=Config(keys={"cancel": ""})) as (live, app, _):
        await run_screen(app).act("cancel")
        assert live.sent == [Cancel("a")]


async def test_actions_that_do_not_apply_say_so() -> None:
    async with on_screen("a") as (live, app, pilot):
        await pilot.press("r", "a", "y", "n")
        await pilot.pause()
        assert live.sent == []
        assert toasts(app) == [
            "“a” has not ended; cancel it first",
            "“a” has no request to approve or deny",
            "nothing to copy yet",
            "nothing needs attention",
        ]


async def test_cancelling_all_asks_first() -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        await pilot.press("C")
        assert isinstance(app.screen, Question)
        await pilot.press("n", "C", "y")
        await pilot.pause()
        assert live.sent == [CancelAll()]
        assert not live.unfinished


@pytest.mark.parametrize("key", ["t", "f9", "pagedown"])
async def test_any_other_key_takes_back_the_first_of_two_presses(key: str) -> None:
    async with on_screen("a") as (live, app, pilot):
        live.begin("a")
        await pilot.press("c", key)
        assert toasts(app) == []
        await pilot.press("c")
        assert live.sent == []
        await pilot.press("c")
        assert live.sent == [Cancel("a")]
