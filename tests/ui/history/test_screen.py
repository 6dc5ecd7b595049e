"""Past runs: the list, the search, and opening what was found."""

from collections.abc import Callable
from pathlib import Path

from textual.widgets import Input

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.history.stored_run import StoredRun
from lfgtui.ui.screens.run import RunScreen
from tests.ui.fake_live import FakeLive
from tests.ui.history.past import shown
from tests.ui.screen_text import lines, toasts

MakeApp = Callable[..., LfgApp]


async def test_runs_are_listed_newest_first_without_control_characters(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = make_app(FakeLive("a"), open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("H")
        await shown(pilot, "First run")
        text = "\n".join(lines(app))
        assert text.index("Second") < text.index("First run")
        assert "\x1b" not in text
        assert "2/2" in text
        await pilot.press("escape")
        assert isinstance(app.screen, RunScreen)


async def test_a_past_run_opens_read_only_in_the_same_panes(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    live = FakeLive("a")
    app = make_app(live, open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("H")
        await shown(pilot, "First run")
        await pilot.press("down", "enter")
        await shown(pilot, "The quick brown fox.")
        screen = app.screen
        assert type(screen) is RunScreen
        assert [pane.ticket_id for pane in screen.panes] == ["alpha", "beta"]
        await pilot.press("c", "p", "a")
        assert live.sent == []
        assert toasts(app)[-1] == "this is a past run: read-only"
        await pilot.press("escape")
        assert isinstance(app.screen, HistoryScreen)


async def test_searching_as_one_types_and_opening_the_hit(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = make_app(FakeLive("a"), open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("H", *"brow")
        await shown(pilot, "1 match")
        await shown(pilot, "alpha text")
        await pilot.press("enter")
        await shown(pilot, "“brown” 1/1")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert (screen.current, screen.is_zoomed) == ("alpha", True)
        await pilot.press("escape", "escape", "escape")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.query_one(Input).value == "brow"


async def test_a_hit_in_a_tools_output_opens_with_its_card_unfolded(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = make_app(FakeLive("a"), open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("H", *"gamma log")
        await shown(pilot, "1 match")
        await pilot.press("enter")
        await shown(pilot, "“gamma” 1/1")
        await shown(pilot, "the gamma log")


async def test_an_emptied_search_shows_the_runs_again(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = make_app(FakeLive("a"), open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.press("H", *"zz")
        await shown(pilot, "no matches; use title:… to search titles and notes")
        await pilot.press("backspace", "backspace")
        await shown(pilot, "2 runs")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.rows.count == 2


async def test_the_live_run_goes_on_underneath(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    live = FakeLive("a")
    app = make_app(live, open_reader=open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        live.begin("a")
        await pilot.press("H")
        await shown(pilot, "First run")
        live.stream("a", "said while nobody looked")
        await pilot.press("escape")
        await shown(pilot, "said while nobody looked")


async def test_a_history_that_cannot_be_read_says_so(make_app: MakeApp) -> None:
    def broken() -> Reader:
        raise HistoryError("history.db: file is not a database")

    app = make_app(FakeLive("a"), open_reader=broken)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("H")
        await shown(pilot, "file is not a database")


def test_a_stored_run_folds_to_what_was_live(stored: StoredRun) -> None:
    assert [ticket.id for ticket in stored.tickets] == ["gamma"]
    attempt = stored.transcript("gamma").attempt
    assert attempt is not None
    assert attempt.text == "A lazy dog\nand a foxglove."
    assert stored.meter("gamma").output_tokens() == (20, False)


async def test_a_past_run_alone_is_left_with_its_own_code(
    make_app: MakeApp, stored: StoredRun
) -> None:
    app = make_app(FakeLive("a"), run=stored)
    async with app.run_test(size=(100, 24)) as pilot:
        await shown(pilot, "A lazy dog")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0
