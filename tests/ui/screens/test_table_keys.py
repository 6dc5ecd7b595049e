"""The table as a person uses it: sorting, filtering, moving in it, leaving it and coming back."""

import re
from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from lfgtui.model import events as e
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.widgets.frame_clock import MINUTE, SECOND
from lfgtui.ui.widgets.ticket_table import TicketTable
from tests.ui.emulator import Terminal, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, lines, opened, repainted, run_screen, toasts


@pytest.fixture
def live() -> FakeLive:
    """Forty tickets, of which each third failed."""
    live = FakeLive(*(f"t{number}" for number in range(1, 41)))
    live.start()
    for number in range(3, 41, 3):
        live.begin(f"t{number}")
        live.happen(f"t{number}", e.TicketFailed("server", "HTTP 500", True))
    return live


async def filtered(pilot: Pilot[int], *keys: str) -> None:
    """Open the table with the failed tickets alone."""
    await pilot.press("v", "v", "/", *"is:fail", "enter", *keys)


def shown_run(pilot: Pilot[int]) -> RunScreen:
    assert isinstance(pilot.app, LfgApp)
    return run_screen(pilot.app)


def current(pilot: Pilot[int]) -> str:
    return shown_run(pilot).current


def first_row(rows: list[str]) -> str:
    return rows[2]


async def test_a_filter_narrows_while_it_is_typed_and_enter_keeps_it(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await pilot.press("v", "v", "/", *"t4")
        assert "ticket 2 of 40" in (await repainted(pilot))[1]
        await pilot.press("0")
        rows = await repainted(pilot)
        assert "ticket 1 of 40" in rows[1] and " t40 " in first_row(rows)
        assert current(pilot) == "t1"
        await pilot.press("enter")
        rows = await repainted(pilot)
        assert "“t40” 1 of 40" in rows[-1] and " t40 " in first_row(rows)
        assert current(pilot) == "t40"


async def test_escape_clears_a_filter_that_is_typed_and_one_that_was_kept(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await pilot.press("down", "v", "v", "/", *"t40", "escape")
        rows = await repainted(pilot)
        assert "of 40" not in rows[1] and " t1 " in first_row(rows)
        before = current(pilot)
        await pilot.press("/", *"t40", "enter", "escape")
        rows = await repainted(pilot)
        assert "of 40" not in rows[1] and "“t40”" not in rows[-1]
        assert before != "t40" and current(pilot) == "t40"


async def test_keys_move_among_the_rows_that_are_shown(make_app: MakeApp, live: FakeLive) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot)
        visited = [current(pilot)]
        for key in ("j", "j", "down", "k", "end", "j", "shift+tab", "home", "pagedown", "pageup"):
            await pilot.press(key)
            visited.append(current(pilot))
        expected = ["t3", "t6", "t9", "t12", "t9", "t39", "t3", "t39", "t3", "t39", "t3"]
        assert visited == expected


async def test_n_goes_to_the_most_urgent_of_the_rows_that_are_shown(
    make_app: MakeApp, live: FakeLive
) -> None:
    live.begin("t1")
    live.ask("t1")
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, "n")
        assert current(pilot) == "t6"
        await pilot.press("escape", "n")
        assert current(pilot) == "t1"


async def test_keys_go_through_the_rows_as_they_are_sorted_also_zoomed(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await pilot.press("v", "v", ">", ">", "~", "j")
        assert current(pilot) == "t40"  # t1 is the last row
        await pilot.press("enter", "tab")
        assert current(pilot) == "t39"


async def test_a_filter_that_nothing_passes_says_so_and_is_kept(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await pilot.press("2", "v", "v", "/", *"nothing")
        assert "ticket 0 of 40" in (await repainted(pilot))[1]
        await pilot.press("enter", "j", "v", "v", "v")
        rows = await repainted(pilot)
        assert rows[2].strip() == "no ticket matches “nothing”"
        assert "“nothing” 0 of 40" in rows[-1] and current(pilot) == "t2"
        await pilot.press("escape")
        assert "›" in (await repainted(pilot))[3]


async def test_rows_that_match_no_more_stay_until_the_filter_is_typed_again(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot)
        live.happen("t3", e.TicketQueued())
        rows = await repainted(pilot)
        assert "○ queued" in first_row(rows) and "13 of 40" in rows[1]
        await pilot.press("~", "~")
        assert "13 of 40" in (await repainted(pilot))[1] and current(pilot) == "t3"
        await pilot.press("/", "enter")
        rows = await repainted(pilot)
        assert " t6 " in first_row(rows) and "12 of 40" in rows[1]


async def test_sort_filter_and_selection_survive_other_views_a_zoom_and_another_size(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, ">", ">", "~", "j")
        before = (await repainted(pilot))[1:-1]
        assert " t39 " in before[1] and current(pilot) == "t39"
        for keys in (("enter", "escape"), ("v", "v", "v")):
            await pilot.press(*keys)
            assert (await repainted(pilot))[1:-1] == before
        await pilot.resize_terminal(60, 15)
        assert "ticket ▼ 13 of" in (await repainted(pilot))[1]
        await pilot.resize_terminal(120, 30)
        assert (await repainted(pilot))[1:-1] == before


async def test_groups_have_headings_that_keys_skip_and_are_remembered(
    make_app: MakeApp, live: FakeLive
) -> None:
    live.begin("t1")
    live.ask("t1")
    async with opened(make_app(live), (120, 30)) as pilot:
        await pilot.press("v", "v", "o", "home", "j", "j")
        rows = await repainted(pilot)
        assert [rows[n].split() for n in (2, 4)] == [["to", "approve", "1"], ["failed", "13"]]
        assert " t1 " in rows[3] and rows[6].startswith("› 6") and current(pilot) == "t6"
        await pilot.press("end", *["k"] * 9)
        before = await repainted(pilot)
        assert " t40 " in before[-2] and current(pilot) == "t26"
        await pilot.press("v", "v", "j", "k", "v")
        assert await repainted(pilot) == before
        await pilot.press("home", "/", *"is:fail", "enter")
        assert [row.split()[0] for row in (await repainted(pilot))[2:4]] == ["failed", "›"]
        await pilot.press("o")
        assert (await repainted(pilot))[2].split() == ["anthropic", "13"]
        await pilot.click(TicketTable, offset=(5, 1))  # a heading stands for its first ticket
        assert current(pilot) == "t3"
        await pilot.press("o")
        assert first_row(await repainted(pilot)).startswith("› 3")


def places(terminal: Terminal) -> dict[str, int]:
    """The row of each ticket that the terminal shows in a list."""
    rows = (terminal.row(y).rpartition("│")[2] for y in range(1, terminal.size.height - 1))
    found = ((re.search(r" (t\d+) ", row), y) for y, row in enumerate(rows))
    return {match[1]: y for match, y in found if match}


@pytest.mark.parametrize("size", [(60, 15), (120, 40), (300, 100)])
@pytest.mark.parametrize(
    ("keys", "is_sorted"), [((), False), (("v", ">"), True), (("v", "<", "o"), True)]
)
async def test_no_row_moves_while_text_streams_and_tickets_end(
    make_app: MakeApp, live: FakeLive, keys: Sequence[str], is_sorted: bool, size: tuple[int, int]
) -> None:
    async with on_terminal(make_app(live), size) as terminal:
        screen = run_screen(terminal.app)
        await terminal.press("v", *keys, "home")
        before = places(terminal)
        assert len(before) >= 7
        for number in (1, 2, 4, 5, 7):
            live.begin(f"t{number}")
            live.stream(f"t{number}", f"word {number} " * 20 * number)
            screen.frame()
            await terminal.settle()
            assert places(terminal) == before
        assert "word 1" in terminal.text or size[0] == 60
        live.finish("t4")
        live.happen("t5", e.TicketFailed("server", "gone", True))
        screen.frame()
        await terminal.settle()
        assert places(terminal) == before and not terminal.difference()
        if is_sorted:
            await terminal.press("~")
            assert places(terminal) != before


async def test_going_to_a_ticket_that_the_filter_hides_clears_the_filter(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, "4")
        assert current(pilot) == "t4"
        assert "of 40" not in (await repainted(pilot))[1]


async def test_a_filter_stays_when_another_ticket_became_the_current_one_in_the_grid(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, "v", "4", "v", "v")
        rows = await repainted(pilot)
        assert "13 of 40" in rows[1] and current(pilot) == "t3"


async def test_the_strip_has_all_tickets_in_file_order(make_app: MakeApp, live: FakeLive) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, "~", "v", "v")
        rows = await repainted(pilot)
        strip = [row.partition("│")[2] for row in rows[1:4]]
        assert [line.split()[:4] for line in strip] == [
            ["›✗", "t3", "server:", "HTTP"],
            ["○", "t4", "waiting", "for"],
            ["○", "t5", "waiting", "for"],
        ]


async def test_the_footer_offers_what_the_table_can_do(make_app: MakeApp, live: FakeLive) -> None:
    async with opened(make_app(live), (160, 30)) as pilot:
        await pilot.press("v", "v")
        rows = await repainted(pilot)
        assert "/ filter  > sort  ~ reverse  o group" in rows[-1] and "t tools" not in rows[-1]
        await pilot.press("/", *"is:fail", "enter")
        assert "esc clear filter" in (await repainted(pilot))[-1]


async def test_the_search_in_a_pane_is_not_the_tables_filter(
    make_app: MakeApp, live: FakeLive
) -> None:
    live.begin("t1")
    live.stream("t1", "one fish, two fish")
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot, "enter", "1", "/", *"fish", "enter")
        assert "“fish” 1/2" in lines(pilot.app)[-1]
        await pilot.press("n")
        assert "“fish” 2/2" in lines(pilot.app)[-1]
        await pilot.press("escape", "escape")
        assert current(pilot) == "t1"


async def test_times_go_on_in_the_table_of_a_run_that_has_ended(make_app: MakeApp) -> None:
    live = FakeLive("a")
    live.begin("a")
    live.finish("a")
    live.now += 59.0
    async with opened(make_app(live), (120, 30)) as pilot:
        mode = shown_run(pilot).mode
        assert mode.figures_move() is None
        await pilot.press("v", "v")
        assert mode.figures_move() == SECOND
        assert "  0:59 " in first_row(await repainted(pilot))
        live.now += 1.0
        assert mode.figures_move() == MINUTE
        assert "    1m " in first_row(await repainted(pilot))


async def test_a_click_on_a_row_makes_it_the_current_one_in_the_order_shown(
    make_app: MakeApp, live: FakeLive
) -> None:
    async with opened(make_app(live), (120, 30)) as pilot:
        await filtered(pilot)
        await pilot.click(TicketTable, offset=(5, 2))
        assert current(pilot) == "t6"


async def test_n_goes_to_a_ticket_that_the_filter_hides_if_no_other_needs_attention(
    make_app: MakeApp, live: FakeLive
) -> None:
    app = make_app(live)
    async with opened(app, (120, 30)) as pilot:
        await pilot.press("v", "v", "/", *"is:queued", "enter", "n")
        assert current(pilot) == "t3"
        assert "of 40" not in (await repainted(pilot))[1]
        assert toasts(app) == ["filter cleared: it hid “t3”"]
