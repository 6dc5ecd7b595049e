"""The app as a person uses it: keys in, commands and screens out."""

import asyncio
import os
import signal
import time

import pytest
from textual.containers import VerticalScroll
from textual.driver import Driver
from textual.events import Key, Paste
from textual.geometry import Region, Size
from textual.notifications import Notification
from textual.widgets import Input

from lfgtui.engine.commands import Cancel, CancelAll, Pause, Resume, Retry
from lfgtui.model import events as e
from lfgtui.model.metrics import WINDOW, Health
from lfgtui.model.tokens import CHARACTERS_A_TOKEN
from lfgtui.settings.config import Config
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.dialogs import Question, help_text
from lfgtui.ui.screens.modes import CONFIRM_SECONDS
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.toast import Toast
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.ticket_table import TicketTable
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import (
    lines,
    make_app,
    on_screen,
    opened,
    repainted,
    run_screen,
    text_of,
    toasts,
)


async def test_the_run_starts_once_the_first_frame_is_painted() -> None:
    live = FakeLive("api")
    app = make_app(live)
    assert live.started == 0
    async with opened(app):
        assert live.started == 1


async def rest(app: LfgApp, *, is_still: bool = True) -> None:
    """Turn the loop until no frame is to come, or until one is."""
    async with asyncio.timeout(60):
        while (app.context.frames.next_at is None) is not is_still:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0)


async def test_with_everything_done_no_frame_is_to_come_until_an_entry_or_a_key() -> None:
    async with on_screen("api", "docs") as (live, app, _):
        for name in ("api", "docs"):
            live.begin(name)
            live.stream(name, "All is well.")
            live.finish(name)
        live.now += 60
        await rest(app)
        assert "all done" in text_of(app)
        live.send(Retry("api"))
        live.stream("api", "Once more.")
        live.finish("api")
        live.now += 60
        assert app.context.frames.next_at is not None
        await rest(app)
        assert "Once more." in text_of(app)
        run_screen(app).post_message(Key("m", "m"))
        await rest(app, is_still=False)
        await rest(app)


def note_layouts(screen: RunScreen, monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """Every layout of the panes from now on."""
    placed: list[Size] = []
    original = screen.grid.place

    def place(room: Size) -> list[tuple[Pane, Region]]:
        placed.append(room)
        return original(room)

    monkeypatch.setattr(screen.grid, "place", place)
    return placed


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


async def test_a_question_is_shown_in_the_table() -> None:
    async with on_screen("api", "docs", size=(100, 24)) as (live, _, pilot):
        live.begin("api")
        live.stream("api", "Done. Shall I write the docs too?")
        live.finish("api")
        await pilot.press("v", "v")
        rows = await repainted(pilot)
        assert any("¿ question" in row and "api" in row for row in rows)


async def test_the_time_of_a_suspension_is_left_out_and_the_rate_begins_anew() -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        live.stream("a", "word " * 40)
        app._driver.suspended_at = live.now  # type: ignore[union-attr]  # as our own has
        live.now += 60
        app.post_message(Driver.SignalResume())
        await pilot.pause()
        live.stream("a", "what came meanwhile " * 400)
        assert live.meter("a").rate(live.now) == 0
        live.stream("a", "word " * 8, after=1.0)
        assert live.meter("a").rate(live.now) == 40 / CHARACTERS_A_TOKEN / WINDOW
        assert live.meter("a").elapsed(live.now) == 2.0


async def test_streaming_is_painted_and_never_lays_the_grid_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    async with opened(app, (100, 24)) as pilot:
        live.begin("api")
        await pilot.pause()
        before = [pane.region for pane in run_screen(app).panes]
        placed = note_layouts(run_screen(app), monkeypatch)
        for number in range(20):
            live.stream("api", f"Paragraph {number}.\n\n")
            await pilot.pause()
        assert "Paragraph 19." in text_of(app)
        assert placed == []
        assert [pane.region for pane in run_screen(app).panes] == before


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
        live.health = Health("disk full", slots=3, slots_in_use=1)
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


async def test_commands_go_to_the_ticket_with_the_focus_only() -> None:
    async with on_screen("a", "b", "c") as (live, _, pilot):
        live.begin("b")
        live.stream("b", "hello")
        await pilot.press("2", "c", "c", "r", "3", "p", "p")
        assert live.sent == [Cancel("b"), Retry("b"), Pause("c"), Resume("c")]


async def test_a_pane_scrolls_by_half_pages_to_its_top_and_to_its_end() -> None:
    async with on_screen("a") as (live, app, pilot):
        live.begin("a")
        live.stream("a", "".join(f"line {number}\n\n" for number in range(99)))
        await repainted(pilot)
        viewport = run_screen(app).current_pane.stream.viewport
        half = (viewport.height - 1) // 2
        await pilot.press("g")
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


async def test_a_message_is_shown_once_at_a_time() -> None:
    async with on_screen("a") as (_, app, pilot):
        await pilot.press("d", "d", "i", "d")
        assert toasts(app) == [
            "nothing waits for your answer",
            "“a” has no request to approve or deny",
        ]


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


@pytest.mark.parametrize(
    "size", [(3, 2), (1, 1), (39, 3), (80, 24), (77, 20), (20, 5), (300, 2), (2, 90)]
)
async def test_at_any_size_keys_work_and_the_layout_comes_to_rest(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_screen("a", "b", "c", "d", "e", "f", size=(40, 10)) as (live, app, pilot):
        live.begin("a")
        live.stream("a", "words and more words")
        await pilot.resize_terminal(*size)
        await pilot.press("v", "v", "?", "escape", "/", "escape", "q", "n", "v")
        placed = note_layouts(run_screen(app), monkeypatch)
        assert len(await repainted(pilot)) == size[1]
        assert placed == []


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
    async with on_screen("a", size=(80, 110)) as (_, app, pilot):
        await pilot.press("?")
        shown = [line.strip(" │▌") for line in lines(app)]
        page = help_text(app.keys_in_force).plain
        assert "cancel this ticket" in page and "ctrl+p" in page
        assert all(line.strip() in shown for line in page.splitlines())
        assert max(map(len, page.splitlines())) <= 69  # a page that scrolls is a cell narrower
        await pilot.press("escape")
        assert run_screen(app).current == "a"


@pytest.mark.parametrize("is_all_done", [True, False])
async def test_an_ended_run_stays_open_and_leaves_with_its_code(is_all_done: bool) -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        live.begin("a")
        live.finish("a")
        if is_all_done:
            live.begin("b")
            live.finish("b")
            assert "all done – q to quit" in (await repainted(pilot))[0]
        else:
            live.happen("b", e.TicketCancelled())
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == (0 if is_all_done else 1)
    assert live.closed == 1


@pytest.mark.parametrize("keys", [("q", "y"), ("ctrl+c", "ctrl+c"), ("q", "n", "q", "ctrl+c")])
async def test_quitting_while_work_runs_asks_and_interrupts(keys: tuple[str, ...]) -> None:
    async with on_screen("a") as (live, app, pilot):
        await pilot.press(keys[0])
        assert "1 ticket is unfinished. Quit anyway?" in text_of(app)
        await pilot.press(*keys[1:])
        await pilot.pause()
    assert app.return_value == 1
    assert live.transcript("a").state == "interrupted"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
async def test_a_signal_shuts_down_and_gives_its_code(number: signal.Signals, code: int) -> None:
    async with on_screen("a") as (live, app, pilot):
        os.kill(os.getpid(), number)
        while not live.closed:
            await pilot.pause()
    assert app.return_value == code
    assert live.closed == 1


async def test_keys_that_come_faster_than_screens_go_do_no_harm() -> None:
    async with on_screen("a") as (live, app, pilot):
        for keys in (("?", "x", "x", "x"), ("C", "n", "n", "y"), ("escape", "escape")):
            for key in keys:
                app.simulate_key(key)
            await pilot.pause()
        await pilot.pause()
        assert run_screen(app).current == "a"
        assert live.sent == []


async def test_a_screen_that_breaks_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    live = FakeLive("a")
    app = make_app(live)

    def broken(gauges: bool = True) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with opened(app) as pilot:
            monkeypatch.setattr(run_screen(app), "frame", broken)
            await pilot.pause()
    assert live.closed == 1
    assert live.transcript("a").state == "interrupted"


class TestToasts:
    """Toasts, whatever becomes of the clock."""

    @pytest.fixture
    def unhurried(self) -> None:
        """Leave a toast's time as it is: it is what is tested here."""

    @pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
    def test_set_clocks_do_nothing(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        toast, textuals = Toast("saved"), Notification("saved")
        system = time.time
        monkeypatch.setattr("textual.notifications.time", lambda: system() + seconds)
        monkeypatch.setattr(time, "time", lambda: system() + seconds)
        assert abs(textuals.time_left) > 3000  # Textual's own goes by that clock
        assert 0 < toast.time_left <= 5.0
        assert not toast.has_expired

    def test_a_late_one_has_some_time_left_and_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        toast = Toast("saved")
        monkeypatch.setattr("lfgtui.ui.toast.now", lambda: toast.raised_at + 60.0)
        assert toast.has_expired
        assert toast.time_left > 0
