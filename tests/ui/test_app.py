"""The app as a person uses it: keys in, commands and screens out."""

import asyncio

from textual.containers import VerticalScroll
from textual.events import Paste
from textual.widgets import Input

from lfgtui.engine.commands import Cancel, Retry
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health, HistoryTrouble
from lfgtui.settings.config import Config
from lfgtui.ui.screens.dialogs import help_text
from lfgtui.ui.widgets.ticket_table import TicketTable
from tests.ui.screen_text import lines, on_screen, repainted, run_screen, text_of, toasts


async def test_a_parked_ticket_is_shown_in_the_table_and_can_be_tried_now() -> None:
    async with on_screen("api", "docs", size=(100, 24)) as (live, app, pilot):
        for later, ticket in ((3600, "api"), (86_400, "docs")):
            live.happen(ticket, e.Parked("p", live.now + later, "full"))
        await pilot.press("v", "v")
        await pilot.pause()
        (first, second) = [row for row in lines(app) if "↻" in row and "2 parked" not in row]
        assert "↻ until 05:53" in first and "↻ 5 Mar 04:53" in second
        assert first.index("api") == second.index("docs")
        assert "r try now" in lines(app)[-1]
        await pilot.press("r")
        await pilot.pause()
        assert live.sent == [Retry("api")]
        assert "r try now" not in lines(app)[-1]


async def test_what_the_screen_began_has_ended_when_it_closes() -> None:
    has_begun, has_ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(bool)  # it clears up, which takes a moment
            has_ended.set()

    async with on_screen("api") as (_, app, _):
        app.run_worker(work())
        await has_begun.wait()
    assert has_ended.is_set()


async def test_a_question_is_shown_in_the_table() -> None:
    async with on_screen("api", "docs", size=(100, 24)) as (live, _, pilot):
        live.begin("api")
        live.stream("api", "Done. Shall I write the docs too?")
        live.finish("api")
        await pilot.press("v", "v")
        rows = await repainted(pilot)
        assert any("¿ question" in row and "api" in row for row in rows)


async def test_the_header_shows_counts_simulated_models_and_an_unsaved_history() -> None:
    async with on_screen("a", "b", "c", "d", size=(140, 30), simulated=True) as (live, _, pilot):
        for ticket in ("a", "b", "c"):
            live.begin(ticket)
            live.stream(ticket, "words " * 20)
        live.finish("a")
        live.happen("b", e.TicketFailed("server", "500", True))
        header = (await repainted(pilot))[0]
        for part in (
            "Checkout rewrite",
            "1 failed · 1 running · 1 queued · 1 done",
            "SIMULATED MODELS",
        ):
            assert part in header
        live.health = Health(HistoryTrouble("disk full"), slots=3, slots_in_use=1)
        live.now += 1
        assert "history not saved: disk full" in (await repainted(pilot))[0]
        assert "waiting for a slot (1 of 3 in use)" in text_of(pilot.app)


async def test_a_ticket_that_waits_for_a_slot_again_says_so_and_is_not_counted_as_running() -> None:
    async with on_screen("a", "b", size=(140, 30)) as (live, _, pilot):
        for ticket in ("a", "b"):
            live.begin(ticket)
        live.happen("b", e.ToolCallRequested("1", "write_file", {"path": "x", "content": "1"}))
        live.happen("b", e.ResponseFinished(1, "tool_use"))
        live.happen("b", e.ApprovalRequested("1", "write_file", "x"), e.ApprovalGiven("1"))
        live.health = Health(slots=1, slots_in_use=1, waiting_for_slot=frozenset({"b"}))
        live.stream("a", "hello")
        assert "1 running · 1 queued" in (await repainted(pilot))[0]
        assert text_of(pilot.app).count("waiting for a slot (1 of 1 in use)") == 1
        assert "approved" in text_of(pilot.app)
        live.health = Health(slots=2, slots_in_use=2)
        live.now += 7
        await repainted(pilot)
        assert "approved" not in text_of(pilot.app) and "7 s" in text_of(pilot.app)


async def test_a_pane_scrolls_by_half_pages_to_its_top_and_to_its_end() -> None:
    async with on_screen("a") as (live, app, pilot):
        live.begin("a")
        live.stream("a", "".join(f"line {number}\n\n" for number in range(99)))
        await repainted(pilot)
        viewport = run_screen(app).current_pane.stream.viewport
        half = (viewport.height - 1) // 2
        await pilot.press("home")
        assert (viewport.top, viewport.follows) == (0, False)
        await pilot.press("ctrl+d", "ctrl+d", "ctrl+u")
        assert viewport.top == half
        await pilot.press("G")
        assert viewport.is_at_end


async def test_keys_that_edit_a_line_do_not_scroll_while_one_types() -> None:
    async with on_screen("a") as (live, app, pilot):
        live.begin("a")
        live.stream("a", "line\n\n" * 99)
        await repainted(pilot)
        await pilot.press("slash", *"word", "ctrl+u", *"lines", "home", "ctrl+d")
        assert isinstance(app.focused, Input) and app.focused.value == "ines"
        assert run_screen(app).current_pane.stream.viewport.is_at_end


async def test_text_in_an_input_is_text_and_a_paste_elsewhere_is_nothing() -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        app.post_message(Paste("cCqr2"))
        await pilot.pause()
        assert run_screen(app).current == "a"
        await pilot.press("/")
        app.post_message(Paste("cq\nsecond line"))
        await pilot.pause()
        assert live.sent == []
        line = app.screen.query_one(Input)
        assert line.value == "cq second line"
        line.select_all()
        await pilot.press("ctrl+c")
        assert app.clipboard == "cq second line"


async def test_moving_zooming_and_views() -> None:
    async with on_screen("a", "b", "c", "d", "e", "f", size=(200, 60)) as (_, app, pilot):
        screen = run_screen(app)
        await pilot.press("right", "j")
        assert screen.current == "e"
        await pilot.press("tab", "tab", "shift+tab")
        assert screen.current == "f"
        await pilot.press("enter", "right")
        assert screen.is_zoomed
        assert screen.current == "a"
        await pilot.pause()
        assert [pane.ticket_id for pane in screen.grid.in_view()] == ["a"]
        assert screen.panes[0].size.width > 190
        await pilot.press("escape", "v", "down")
        assert (screen.view, screen.current, screen.is_zoomed) == ("focus", "b", False)
        await pilot.press("v")
        await pilot.click(TicketTable, offset=(5, 3))  # below the heading
        assert (screen.view, screen.current) == ("table", "c")
        await pilot.press("enter")
        assert screen.is_zoomed
        await pilot.press("escape", "v", "9")
        assert (screen.view, screen.current) == ("grid", "c")


async def test_n_goes_to_the_most_urgent_and_on_to_the_next() -> None:
    async with on_screen("works", "fails", "asks", "waits", "stalls") as (live, app, pilot):
        live.begin("stalls")
        live.now += 40
        for ticket in ("works", "fails", "asks", "waits"):
            live.begin(ticket)
        live.happen("fails", e.TicketFailed("server", "500", True))
        live.stream("asks", "All is done. Shall I go on?")
        live.finish("asks")
        live.ask("waits")
        seen = []
        for _ in range(5):
            await pilot.press("n")
            seen.append(run_screen(app).current)
        assert seen == ["waits", "asks", "fails", "stalls", "waits"]
        assert toasts(app)[-2:] == ["question", "no answer from claude-sonnet-4-5 for 0:41"]


async def test_n_at_the_only_ticket_that_needs_attention_says_so() -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        live.begin("b")
        live.ask("b")
        await pilot.press("n", "n")
        assert run_screen(app).current == "b"
        assert toasts(app)[-1] == "nothing else needs attention"


async def test_the_focused_pane_is_scrolled_into_view() -> None:
    async with on_screen(*(f"t{number}" for number in range(20)), size=(80, 24)) as (_, app, pilot):
        await pilot.press("9", "tab", "tab", "tab", "tab", "tab")
        await pilot.pause()
        in_view = [pane.ticket_id for pane in run_screen(app).grid.in_view()]
        assert "t13" in in_view
        assert "t0" not in in_view


async def test_find_counts_steps_and_is_left_with_escape() -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        live.begin("a")
        live.stream("a", "one fish, two fish, red fish")
        await pilot.pause()
        await pilot.press("/", *"fish", "enter")
        await pilot.pause()
        shown = lines(app)[-1]
        assert "“fish” " in shown and "/3 " in shown
        await pilot.press("n")
        assert lines(app)[-1] != shown
        await pilot.press("N")
        assert lines(app)[-1] == shown
        await pilot.press("escape")
        assert "fish" not in lines(app)[-1]
        await pilot.press("y")
        assert app.clipboard == "one fish, two fish, red fish"


async def test_remapped_keys_act_and_are_in_the_footer_which_shows_approvals_first() -> None:
    async with on_screen("a", size=(80, 24), config=Config(keys={"cancel": "x", "help": "F1"})) as (
        live,
        app,
        pilot,
    ):
        assert "x cancel" in lines(app)[-1]
        live.begin("a")
        live.ask("a")
        footer = (await repainted(pilot))[-1]
        assert footer.startswith(" a approve  A rules…  d deny ")
        assert len(footer) == 80 and "q quit" in footer
        await pilot.press("c", "x")
        assert toasts(app) == ["press x again to cancel “a”"]
        await pilot.press("x")
        assert live.sent == [Cancel("a")]


async def test_the_page_of_keys_scrolls_with_the_keys_of_panes() -> None:
    async with on_screen("a", size=(80, 24)) as (_, app, pilot):
        await pilot.press("?")
        page = app.screen.query_one(VerticalScroll)
        places = []
        for key in ("G", "ctrl+u", "ctrl+d", "g", "ctrl+d"):
            await pilot.press(key)
            places.append(page.scroll_y)
        half, end = page.size.height // 2, page.max_scroll_y
        assert places == [end, end - half, end, 0, half]


async def test_help_shows_every_line_whole_in_eighty_columns() -> None:
    async with on_screen("a", size=(80, 130)) as (_, app, pilot):
        await pilot.press("?")
        shown = [line.strip(" │▌") for line in lines(app)]
        page = help_text(app.keys_in_force).plain
        assert "cancel this ticket" in page and "ctrl+p" in page
        assert all(line.strip() in shown for line in page.splitlines())
        assert max(map(len, page.splitlines())) <= 69  # a page that scrolls is a cell narrower
        await pilot.press("escape")
        assert run_screen(app).current == "a"


async def test_keys_that_come_faster_than_screens_go_do_no_harm() -> None:
    async with on_screen("a") as (live, app, pilot):
        for keys in (("?", "x", "x", "x"), ("C", "n", "n", "y"), ("escape", "escape")):
            for key in keys:
                app.simulate_key(key)
            await pilot.pause()
        await pilot.pause()
        assert run_screen(app).current == "a"
        assert live.sent == []
