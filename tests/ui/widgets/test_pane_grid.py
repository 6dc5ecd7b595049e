"""The grid as the terminal shows it: what stays in its place, and what a person moves."""

from collections.abc import Mapping
from itertools import pairwise

from textual.geometry import Offset

from lfgtui.model import events as e
from tests.ui.emulator import Terminal, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, run_screen, toasts
from tests.ui.stage import numbered

NAMES = [f"ticket-{number:02}" for number in range(1, 21)]


def working() -> FakeLive:
    """Twenty tickets, all at work: on 120x40 two pages, of twelve and eight."""
    live = FakeLive(*NAMES)
    for name in NAMES:
        live.begin(name)
    return live


def places(terminal: Terminal) -> Mapping[str, Offset]:
    """The tickets whose headers the terminal shows, and where."""
    found = {name: terminal.place_of(f" {name} ") for name in NAMES}
    return {name: place for name, place in found.items() if place is not None}


async def test_no_pane_moves_while_tickets_work_and_end_until_a_page_is_turned(
    make_app: MakeApp,
) -> None:
    live = working()
    async with on_terminal(make_app(live)) as terminal:
        before = places(terminal)
        assert list(before) == NAMES[:12]
        for name in NAMES[:9]:
            live.stream(name, numbered(1, 30))
            live.finish(name)
            await terminal.settle()
        live.happen(NAMES[11], e.TicketFailed("server", "HTTP 500", True))
        await terminal.settle()
        assert places(terminal) == before
        await terminal.press("}")
        after = places(terminal)
        assert list(after) == NAMES[:15]
        column = [after[name].y for name in NAMES[:15:3]]
        assert [below - row for row, below in pairwise(column)] == [4, 4, 4, 13]
        assert "line 30" in terminal.row(after[NAMES[0]].y + 3)  # its last words
        assert run_screen(terminal.app).current == NAMES[12]
        for name in NAMES[12:]:
            live.finish(name)
        await terminal.settle()
        assert places(terminal) == after


async def test_the_row_under_the_cursor_keeps_its_size_and_one_that_works_again_gets_it_back(
    make_app: MakeApp,
) -> None:
    live = working()
    for name in NAMES[:6]:
        live.finish(name)
    async with on_terminal(make_app(live)) as terminal:
        await terminal.press("enter", "escape")
        shown = places(terminal)
        assert [shown[NAMES[n]].y for n in (0, 3, 6)] == [1, 12, 16]
        await terminal.press("down")
        assert places(terminal) == shown
        live.happen(NAMES[3], e.TicketQueued())
        live.begin(NAMES[3])
        await terminal.press("right", "left")
        assert [places(terminal)[NAMES[n]].y for n in (0, 3, 6)] == [1, 5, 16]


async def test_a_pinned_pane_is_first_on_every_page_and_stays_the_current_one(
    make_app: MakeApp,
) -> None:
    async with on_terminal(make_app(working())) as terminal:
        screen = run_screen(terminal.app)
        await terminal.press("5", "P")
        assert list(places(terminal)) == NAMES[:12] and f"{NAMES[4]} ◆" in terminal.row(1)
        await terminal.press("}")
        assert f"{NAMES[4]} ◆" in terminal.row(1)
        assert list(places(terminal)) == [NAMES[4], *NAMES[12:]]
        assert toasts(terminal.app) == [f"pinned “{NAMES[4]}”: it is first on every page"]
        assert screen.current == NAMES[4]
        await terminal.press("enter", "}", "escape", "tab", "down")
        assert toasts(terminal.app)[-1] == "only the grid has pages"
        assert list(places(terminal)) == NAMES[:12] and screen.current == NAMES[3]
        await terminal.press("}", "{", "5", "P")
        assert list(places(terminal)) == NAMES[:12] and "◆" not in terminal.text


async def test_arrows_go_on_to_the_next_page_and_back(make_app: MakeApp) -> None:
    async with on_terminal(make_app(working())) as terminal:
        screen, visited = run_screen(terminal.app), list[str]()
        for key in ("down", "down", "down", "down", "up", "{", "}", "}"):
            await terminal.press(key)
            visited.append(screen.current.removeprefix("ticket-"))
        assert visited == ["04", "07", "10", "13", "12", "12", "13", "13"]


async def test_selection_and_scroll_survive_other_views_a_zoom_and_other_sizes(
    make_app: MakeApp,
) -> None:
    live = working()
    live.stream(NAMES[13], numbered(1, 200))
    async with on_terminal(make_app(live)) as terminal:
        screen = run_screen(terminal.app)
        screen.go_to(NAMES[13])
        await terminal.press("pageup", "pageup", "pageup")
        before = terminal.text
        for keys in (("enter", "escape"), ("v", "v", "v"), ("v", "enter", "v", "v", "v")):
            await terminal.press(*keys)
            assert terminal.text == before
        for size in ((60, 15), (300, 100), (80, 24), (120, 40)):
            await terminal.resize(*size)
            assert not terminal.difference()
        while not screen.frame():  # gauges, and all panes that had no turn yet
            pass
        await terminal.settle()
        assert terminal.text == before and screen.current == NAMES[13]
