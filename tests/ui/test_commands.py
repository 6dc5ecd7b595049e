"""The command palette: names that others chose are shown as they are."""

from collections.abc import Callable

import msgspec
import pytest
from textual.command import CommandPalette, DiscoveryHit, Hits
from textual.widgets import Input, OptionList

from lfgtui.ui.app import LfgApp
from lfgtui.ui.commands import LfgCommands
from lfgtui.ui.screens.run import RunScreen
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines

MakeApp = Callable[..., LfgApp]

TITLES = ("Rename foo[key='old to new", "[BUG] crash", "[/b] [@click=app.quit]x[/] \\[", "$x [[")


@pytest.fixture
def titled() -> FakeLive:
    live = FakeLive("a", "b", "c", "d")
    live.tickets = tuple(
        msgspec.structs.replace(ticket, title=title)
        for ticket, title in zip(live.tickets, TITLES, strict=True)
    )
    return live


@pytest.mark.parametrize("query", ["", "go to"])
async def test_titles_are_no_markup(make_app: MakeApp, titled: FakeLive, query: str) -> None:
    app = make_app(titled)
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", *("space" if c == " " else c for c in query))
        assert isinstance(app.screen, CommandPalette)
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.screen.query_one(OptionList).scroll_end(animate=False)
        await pilot.pause()
        text = "\n".join(lines(app))
        for title in TITLES:
            assert title in text


@pytest.mark.parametrize("query", ["rename", "foo[key", "bug"])
async def test_a_ticket_is_found_by_its_title(
    make_app: MakeApp, titled: FakeLive, query: str
) -> None:
    app = make_app(titled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", *query)
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = "\n".join(lines(app))
        ticket, title = ("b", TITLES[1]) if query == "bug" else ("a", TITLES[0])
        assert f"Go to {ticket}" in text and title in text


async def test_a_message_is_no_markup_whatever_it_was_said_to_be(make_app: MakeApp) -> None:
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.pause()
        app.notify("[b]bold[/b] foo[key='old", markup=True)
        app.screen.notify("[BUG] crash")
        await pilot.pause()
        text = "\n".join(lines(app))
        assert "[b]bold[/b] foo[key='old" in text and "[BUG] crash" in text


async def test_what_is_typed_as_the_palette_closes_is_not_searched_for(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Textual would write what it found into a list that is gone by then, which ended lfg.
    sought: list[str] = []

    async def search(_: LfgCommands, query: str) -> Hits:
        sought.append(query)
        for nothing in list[DiscoveryHit]():
            yield nothing

    monkeypatch.setattr(LfgCommands, "search", search)
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", "h")
        palette = app.screen
        closing = palette.dismiss()
        palette.post_message(Input.Changed(palette.query_one(Input), "help"))
        await closing
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        assert sought == ["h"]
