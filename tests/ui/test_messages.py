"""Messages to an agent: written at the bottom of the screen, shown in its pane."""

import pytest
from textual.events import Key

from lfgtui.engine.commands import Restart, Tell
from lfgtui.model import events as e
from tests.ui.emulator import settled
from tests.ui.screen_text import lines, on_screen, run_screen, text_of

LATER = ("alt+enter", *"why")


async def test_enter_sends_and_alt_enter_begins_a_line() -> None:
    async with on_screen("a", "b", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        await pilot.press("s", *"use it", *LATER)
        await settled(app)
        assert [line.strip() for line in lines(app)[-2:]] == ["to “a”  use it", "why"]
        await pilot.press("enter")
        await settled(app)
        assert live.sent == [Tell("a", "use it\nwhy")]
        assert "to “a”" not in lines(app)[-1]


async def test_what_is_typed_before_the_line_is_open_is_in_the_message() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        for key in ("s", *"one!", "backspace", "alt+enter", *"two"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await settled(app)
        await pilot.press("enter")
        await settled(app)
        assert live.sent == [Tell("a", "one\ntwo")]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_long_message_leaves_the_panes_in_their_places(size: tuple[int, int]) -> None:
    async with on_screen(*"abcdef", size=size) as (live, app, pilot):
        live.begin("a")
        await settled(app)
        panes = run_screen(app).panes
        before = [pane.region.x for pane in panes], len({pane.region.y for pane in panes})
        await pilot.press("s", *["alt+enter"] * 8)
        await settled(app)
        assert run_screen(app).grid.size.height == size[1] - 9
        after = [pane.region.x for pane in panes], len({pane.region.y for pane in panes})
        assert after == before


async def test_with_a_capital_letter_the_response_is_stopped_for_it() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        await pilot.press("S", *"wait", "enter")
        await settled(app)
        assert live.sent == [Tell("a", "wait", stops=True)]


async def test_escape_keeps_the_draft_of_each_ticket() -> None:
    async with on_screen("a", "b", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        live.begin("b")
        await pilot.press("s", *"half", "escape", "tab", "s")
        await settled(app)
        assert "half" not in lines(app)[-1]
        await pilot.press("escape", "tab", "s", *" done", "enter")
        await settled(app)
        assert live.sent == [Tell("a", "half done")]


async def test_up_brings_earlier_messages_and_down_what_was_begun() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        for text in ("one", "two"):
            await pilot.press("s", *text, "enter")
        await pilot.press("s", *"new", "up", "up", "enter")
        await pilot.press("s", *"new", "up", "down", "enter")
        await settled(app)
        assert [tell.text for tell in live.sent if isinstance(tell, Tell)] == [
            *("one", "two"),
            *("one", "new"),
        ]


async def test_a_message_of_blanks_is_not_sent() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        await pilot.press("s", "space", "alt+enter", "enter")
        await settled(app)
        assert live.sent == []


async def test_the_prompt_is_edited_to_start_over() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, pilot):
        live.begin("a")
        live.finish("a")
        await pilot.press("E", *" Well.")
        assert "enter sends · alt+enter new line" in lines(app)[0]
        await pilot.press("enter")
        await settled(app)
        assert "enter sends" not in lines(app)[0]
        assert live.sent == [Restart("a", "Do a. Well.")]


async def test_the_footer_counts_messages_until_they_are_sent() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, _):
        live.begin("a")
        live.happen("a", e.UserMessage("be brief", origin="person"))
        await settled(app)
        assert "s say (1 waiting)" in lines(app)[-1]
        live.happen("a", e.ResponseFinished(1, "end"), e.RequestSent(2))
        await settled(app)
        assert "s say  " in lines(app)[-1]


async def test_a_pane_shows_what_was_said_where_it_was_heard() -> None:
    async with on_screen("a", size=(80, 24)) as (live, app, _):
        live.begin("a")
        live.stream("a", "First part, ")
        live.happen("a", e.UserMessage("be brief", origin="person"))
        live.stream("a", "second part.")
        live.happen("a", e.ResponseFinished(1, "end"), e.RequestSent(2))
        live.stream("a", "Brief.")
        await settled(app)
        shown = text_of(app)
        assert "First part, second part." in shown
        assert shown.index("second part.") < shown.index("you: be brief") < shown.index("Brief.")
