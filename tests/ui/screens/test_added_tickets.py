"""Tickets that join a run while it is on the screen."""

import msgspec
import pytest

from lfgtui.engine.commands import AddPrompt
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, make_app, on_screen, opened, repainted, run_screen, toasts


def join(live: FakeLive, *ids: str, **keys: object) -> None:
    """Tickets are added from outside."""
    for name in ids:
        live.add(msgspec.structs.replace(live.tickets[0], id=name, title="", **keys))


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (200, 60)])
async def test_they_get_panes_behind_the_others_and_no_more_changes(size: tuple[int, int]) -> None:
    live = FakeLive("a", "b", "c")
    live.start()
    async with on_terminal(make_app(live), size) as terminal:
        await terminal.press("tab")
        screen = run_screen(terminal.app)
        join(live, "d", "e", "f", "g", "h")
        live.begin("h")
        live.stream("h", "said at once")
        await terminal.settle()
        assert not terminal.difference()
        assert (screen.current, screen.focused) == ("b", screen.panes[1])
        assert screen.panes[1] in screen.grid.in_view()
        assert " 2/8" in terminal.row(size[1] - 1)
        assert toasts(terminal.app)[-1].startswith("added 5 tickets")
        await terminal.press("8")
        assert not terminal.difference()
        assert "said at once" in terminal.text


async def test_a_zoom_a_focus_and_a_filtered_table_stay_as_they_are() -> None:
    live = FakeLive("up1", "up2", "down1")
    live.start()
    app = make_app(live)
    async with opened(app, (160, 30)) as pilot:
        await pilot.press("tab", "enter")
        join(live, "up3")
        assert (await repainted(pilot))[-1].endswith(" zoom 2/4 ")
        await pilot.press("escape", "v")
        join(live, "up4")
        rows = await repainted(pilot)
        assert rows[-1].endswith(" focus 2/5 ")
        assert any(" up4 " in row for row in rows)
        await pilot.press("v", "/", *"up", "enter")
        join(live, "up0", needs=("down1",))
        join(live, "down2")
        rows = await repainted(pilot)
        assert "5 of 7" in rows[1] and "needs" in rows[1]
        names = ["up1", "up2", "up3", "up4", "up0"]
        assert all(f" {name} " in row for row, name in zip(rows[2:7], names, strict=True))
        assert run_screen(app).current == "up2"


async def test_a_toast_names_the_page_of_one_that_is_out_of_sight() -> None:
    live = FakeLive(*"abcdefgh")
    live.tickets = tuple(msgspec.structs.replace(one, model="gpt-5") for one in live.tickets)
    live.start()
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        join(live, "late")
        await repainted(pilot)
        pages = run_screen(app).grid.aside().partition("/")[2][0]
        assert toasts(app) == [f"added “late” on page {pages}"]
        await pilot.press("+")
        assert " new ticket for gpt-5 " in lines(app)[-1]


async def test_plus_writes_a_prompt_that_becomes_one() -> None:
    live = FakeLive("a", "b")
    live.start()
    app = make_app(live)
    async with opened(app, (120, 30)) as pilot:
        await pilot.press("+", *"half", "escape", "tab", "+", *" done", "alt+enter", *"why")
        assert [line.split() for line in lines(app)[-2:]] == [
            ["new", "ticket", "half", "done"],
            ["why"],
        ]
        await pilot.press("enter")
        assert live.sent == [AddPrompt("half done\nwhy")]
        await repainted(pilot)
        assert run_screen(app).current == "b" and toasts(app) == ["added “prompt”"]
        await pilot.press("+", "up", "enter")
        assert [ticket.id for ticket in live.tickets[2:]] == ["prompt", "prompt-2"]
        for ticket in live.tickets:
            live.begin(ticket.id)
            live.finish(ticket.id)
        assert "all done" in (await repainted(pilot))[0]
        await pilot.press("+", *"more", "enter")
        assert "all done" not in (await repainted(pilot))[0]
        await pilot.press("+", "space", "enter")
        assert len(live.sent) == 3


async def test_a_prompt_that_no_run_takes_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_screen("a") as (live, app, pilot):
        with monkeypatch.context() as patch:
            patch.setattr(live, "send", lambda _: None)
            await pilot.press("+", *"more", "enter")
        assert toasts(app)[0].startswith("not added")
        await pilot.press("+", "up", "enter")
        assert live.sent == [AddPrompt("more")]
