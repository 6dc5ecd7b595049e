"""The command palette, and names that others chose: shown as they are, never as markup."""

import msgspec
import pytest
from textual.command import DiscoveryHit, Hits
from textual.widgets import Input, OptionList

from lfgtui.engine.commands import SetConcurrency
from lfgtui.model.fold.metrics import Health
from lfgtui.settings import paths
from lfgtui.ui.screens.commands import LfgCommands, Palette
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, on_screen, opened, run_screen, text_of, toasts
from tests.ui.waiting import shown, toasted, until

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
async def test_titles_are_no_markup(titled: FakeLive, query: str) -> None:
    app = make_app(titled)
    async with opened(app, (100, 70)) as pilot:
        await pilot.press("ctrl+p", *("space" if c == " " else c for c in query))
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.screen.query_one(OptionList).scroll_end(animate=False)
        await pilot.pause()
        assert all(title in text_of(app) for title in TITLES)


@pytest.mark.parametrize(
    ("query", "ticket"), [("rename", 0), ("foo[key", 0), ("bug", 1)], ids=["word", "bracket", "bug"]
)
async def test_a_ticket_is_found_by_its_title(titled: FakeLive, query: str, ticket: int) -> None:
    app = make_app(titled)
    async with opened(app, (100, 30)) as pilot:
        await pilot.press("3", "ctrl+p", *query)
        await app.workers.wait_for_complete()
        await pilot.pause()
        name = titled.tickets[ticket].id
        assert f"Go to “{name}”" in text_of(app) and TITLES[ticket] in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        assert run_screen(app).current == name


async def test_what_has_not_all_words_that_are_typed_is_no_match(
    titled: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(titled)
    async with opened(app, (100, 30)) as pilot:
        await pilot.press("ctrl+p", *"dnytsc")  # scattered in "Deny this call"
        await shown(pilot, "No matches found")
        await pilot.press("enter", *["backspace"] * 6, *"call", "space", *"deny")
        await shown(pilot, "Deny this call")
        assert "Approve this call" not in text_of(app)
        await pilot.press(*["backspace"] * 9, *"theme")
        await shown(pilot, "Themes: none here")
        await pilot.press("enter")
        await toasted(pilot, "NO_COLOR is set")


async def test_the_palette_offers_what_can_be_done_here() -> None:
    app = make_app(FakeLive("a"))
    async with opened(app, (100, 108)) as pilot:
        await pilot.press("ctrl+p")
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = text_of(app)
        for name in (
            "Cancel this ticket",
            "Add a ticket",
            "Show or hide tool output",
            "Theme: light",
        ):
            assert name in text
        assert "Delete this run" not in text and "half the speed" not in text


async def test_a_theme_is_shown_while_it_is_highlighted_and_kept_if_chosen() -> None:
    async with on_screen("a", size=(100, 30)) as (_, app, pilot):

        async def find(query: str) -> str:
            await pilot.press("ctrl+p", *query)
            await app.workers.wait_for_complete()
            await pilot.pause()
            ground = app.screen.query_one("#--input").background_colors[1].hex.lower()
            assert ground == app.theme_variables["panel"]
            return app.theme

        assert await find("light") == "light"
        await pilot.press("escape")
        assert app.theme == "dark"
        assert await find("theme") == "dark"
        await pilot.press("down")
        assert app.theme == "high-contrast"
        await pilot.press(*["backspace"] * 5, *"help")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.theme == "dark"
        await pilot.press("escape")
        assert await find("okabe") == "okabe-ito"
        await pilot.press("enter")
        told = f'to keep it: theme = "okabe-ito" in {paths.config_file()}'
        await until(pilot, lambda: told in toasts(app))
        assert app.theme == "okabe-ito"


@pytest.mark.parametrize(
    ("query", "slots", "shown"),
    [("more sl", 2, "2 slots, 1 in use"), ("fewer sl", 1, "1 slot, 1 in use")],
)
async def test_the_palette_changes_the_number_of_slots(query: str, slots: int, shown: str) -> None:
    live = FakeLive("a")
    live.health = Health(slots=1, slots_in_use=1)
    app = make_app(live)
    async with opened(app, (100, 30)) as pilot:
        await pilot.press("ctrl+p", *("space" if c == " " else c for c in query))
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: shown in toasts(app))
        assert live.sent == [SetConcurrency(slots)]


async def test_a_toast_is_no_markup_whatever_it_is_declared_as() -> None:
    async with on_screen("a", size=(100, 30)) as (_, app, pilot):
        app.notify("[b]bold[/b] foo[key='old", markup=True)
        app.screen.notify("[BUG] crash")
        await pilot.pause()
        assert "[b]bold[/b] foo[key='old" in text_of(app) and "[BUG] crash" in text_of(app)


async def test_what_is_typed_as_it_closes_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    # Textual would write what it found into a list that is gone by then, which ended lfg.
    sought: list[str] = []

    async def search(_: LfgCommands, query: str) -> Hits:
        sought.append(query)
        for nothing in list[DiscoveryHit]():
            yield nothing

    monkeypatch.setattr(LfgCommands, "search", search)
    async with on_screen("a") as (_, app, pilot):
        await pilot.press("ctrl+p", "h")
        palette = app.screen
        assert isinstance(palette, Palette)
        closing = palette.dismiss()
        palette.post_message(Input.Changed(palette.query_one(Input), "help"))
        await closing
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert run_screen(app).mode.is_live
        assert sought == ["h"]


async def test_a_key_from_before_the_palette_was_opened_is_none_of_its_own(
    titled: FakeLive,
) -> None:
    app = make_app(titled)
    async with opened(app, (100, 30)) as pilot:
        palette = Palette([LfgCommands])
        app.push_screen(palette)
        for action in ("cursor_down", "command_list('page_down')", "escape"):
            assert not palette.is_mounted
            await app.run_action(action, palette)
        await pilot.pause()
        assert app.screen is palette
        await pilot.press("escape")
        assert app.screen is not palette
