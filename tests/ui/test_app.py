"""The app as a person uses it: keys in, commands and screens out."""

import os
import signal
from collections.abc import Callable

import pytest
from textual.command import CommandPalette
from textual.geometry import Region, Size
from textual.widgets import Input

from lfgtui.engine.commands import Approve, Cancel, CancelAll, Deny, Pause, Resume, Retry
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.settings.config import Config
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.confirm import Question
from lfgtui.ui.screens.help import Help, help_text
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.widgets.pane import Pane
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, toasts

MakeApp = Callable[..., LfgApp]


def screen_of(app: LfgApp) -> RunScreen:
    screen = app.screen
    assert isinstance(screen, RunScreen)
    return screen


async def test_the_run_starts_once_the_first_frame_is_painted(make_app: MakeApp) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    assert live.started == 0
    async with app.run_test() as pilot:
        await pilot.pause()
        assert live.started == 1
        assert live.transcript("api").state == "queued"


async def test_what_streams_is_painted_by_the_clock(make_app: MakeApp) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        live.begin("api")
        live.stream("api", "The answer is 42.")
        await pilot.pause(0.1)
        assert any("The answer is 42." in line for line in lines(app))


async def test_streaming_never_lays_the_grid_out_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        live.begin("api")
        await pilot.pause(0.1)
        before = [pane.region for pane in screen_of(app).panes]
        placed: list[object] = []
        grid = screen_of(app).grid
        original = grid.place

        def place(room: Size) -> list[tuple[Pane, Region]]:
            placed.append(room)
            return original(room)

        monkeypatch.setattr(grid, "place", place)
        for _ in range(20):
            live.stream("api", "More words for the pane.\n\n")
            await pilot.pause(0.02)
        assert placed == []
        assert [pane.region for pane in screen_of(app).panes] == before


async def test_the_header_counts_and_says_that_models_are_simulated(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c", "d")
    app = make_app(live, simulated=True)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        for ticket in ("a", "b", "c"):
            live.begin(ticket)
            live.stream(ticket, "words " * 20)
        live.finish("a")
        live.happen("b", e.TicketFailed("server", "500", True))
        await pilot.pause(0.4)
        header = lines(app)[0]
        for part in ("Checkout rewrite", "● 1 running", "✓ 1", "✗ 1", "○ 1", "SIMULATED MODELS"):
            assert part in header


async def test_history_that_is_behind_is_said_in_the_header(make_app: MakeApp) -> None:
    live = FakeLive("a")
    live.behind = "disk full"
    app = make_app(live)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause(0.3)
        assert "history is behind: disk full" in lines(app)[0]


async def test_commands_go_to_the_ticket_with_the_focus_only(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c")
    app = make_app(live)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        live.begin("b")
        live.stream("b", "hello")
        await pilot.press("2", "c", "r", "3", "p", "p")
        assert live.sent == [Cancel("b"), Retry("b"), Pause("c"), Resume("c")]


async def test_actions_that_do_not_apply_say_so(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        await pilot.press("r", "a", "y", "n")
        await pilot.pause()
        assert live.sent == []
        assert toasts(app) == [
            "a has not ended; cancel it first",
            "a has no request to approve or deny",
            "nothing to copy yet",
            "nothing needs attention",
        ]


async def test_cancelling_all_asks_first(make_app: MakeApp) -> None:
    live = FakeLive("a", "b")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("C")
        assert isinstance(app.screen, Question)
        await pilot.press("n", "C", "y")
        await pilot.pause()
        assert live.sent == [CancelAll()]
        assert not live.unfinished


async def test_approval_keys_are_deaf_until_the_request_was_seen(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        live.begin("a")
        live.ask("a")
        await pilot.pause(0.1)
        live.now += 0.39
        await pilot.press("a")
        assert live.sent == []
        live.now += 0.02
        await pilot.press("a")
        assert live.sent == [Approve("a", "call-1")]


async def test_a_second_request_must_be_seen_as_well(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        live.begin("a")
        live.ask("a")
        await pilot.pause(0.1)
        live.now += 1
        await pilot.press("A")
        live.happen("a", e.ToolCallFinished("call-1", "ok", None, 0, 0.1), e.RequestSent(2))
        live.ask("a", "call-2")
        await pilot.press("A", "a")
        assert live.sent == [Approve("a", "call-1", always=True)]


async def test_what_is_not_on_the_screen_cannot_be_approved(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("v", "v")
        live.begin("a")
        live.ask("a")
        await pilot.pause(0.1)
        live.now += 1
        await pilot.press("a")
        assert live.sent == []
        assert toasts(app) == ["press enter to read the request"]
        await pilot.press("enter")
        await pilot.pause(0.1)
        live.now += 1
        await pilot.press("a")
        assert live.sent == [Approve("a", "call-1")]


async def test_ctrl_c_copies_what_is_selected_in_a_line_of_input(make_app: MakeApp) -> None:
    app = make_app(FakeLive("a"))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("/", *"fish")
        app.screen.query_one(Input).select_all()
        await pilot.press("ctrl+c")
        assert app.clipboard == "fish"


async def test_denying_takes_a_reason_for_the_model(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        live.begin("a")
        live.ask("a", command="rm -rf build")
        await pilot.pause(0.1)
        live.now += 1
        await pilot.press("d", *"no", "escape")
        assert live.sent == []
        await pilot.press("d", *"use make", "enter")
        assert live.sent == [Deny("a", "call-1", "use make")]


async def test_text_in_an_input_is_text_and_a_paste_elsewhere_is_nothing(
    make_app: MakeApp,
) -> None:
    from textual.events import Paste

    live = FakeLive("a", "b")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.post_message(Paste("cCqr2"))
        await pilot.pause()
        assert live.sent == []
        assert screen_of(app).current == "a"
        await pilot.press("/")
        app.post_message(Paste("cq\nsecond line"))
        await pilot.pause()
        assert app.screen.query_one(Input).value == "cq second line"
        assert live.sent == []


async def test_moving_zooming_and_views(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c", "d", "e", "f")
    app = make_app(live)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        screen = screen_of(app)
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
        await pilot.press("v", "down", "enter")
        assert (screen.view, screen.current, screen.is_zoomed) == ("table", "c", True)
        await pilot.press("escape", "v", "9")
        assert (screen.view, screen.current) == ("grid", "c")


async def test_n_goes_to_what_needs_attention(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c", "d")
    app = make_app(live)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        for ticket in ("b", "d"):
            live.begin(ticket)
            live.ask(ticket)
        await pilot.press("n")
        assert screen_of(app).current == "b"
        await pilot.press("n")
        assert screen_of(app).current == "d"
        await pilot.press("n")
        assert screen_of(app).current == "b"


async def test_the_focused_pane_is_scrolled_into_view(make_app: MakeApp) -> None:
    live = FakeLive(*(f"t{number}" for number in range(20)))
    app = make_app(live)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("9", "tab", "tab", "tab", "tab", "tab")
        await pilot.pause()
        screen = screen_of(app)
        assert "t13" in [pane.ticket_id for pane in screen.grid.in_view()]
        assert "t0" not in [pane.ticket_id for pane in screen.grid.in_view()]


async def test_find_counts_steps_and_is_left_with_escape(make_app: MakeApp) -> None:
    live = FakeLive("a", "b")
    app = make_app(live)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "one fish, two fish, red fish")
        await pilot.pause(0.1)
        await pilot.press("/", *"fish", "enter")
        await pilot.pause()
        assert "“fish” " in lines(app)[-1]
        assert "/3 " in lines(app)[-1]
        shown = lines(app)[-1]
        await pilot.press("n")
        assert lines(app)[-1] != shown
        await pilot.press("N")
        assert lines(app)[-1] == shown
        await pilot.press("escape")
        assert "fish" not in lines(app)[-1]
        assert not screen_of(app).search.is_open


async def test_copying_takes_the_answer(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "**bold** answer")
        await pilot.press("y")
        assert app.clipboard == "**bold** answer"


async def test_remapped_keys_act_and_are_shown_in_help_and_footer(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live, config=Config(keys={"cancel": "x", "help": "F1"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "x cancel" in lines(app)[-1]
        await pilot.press("c", "x")
        assert live.sent == [Cancel("a")]


async def test_help_lists_every_action(make_app: MakeApp) -> None:
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(100, 70)) as pilot:
        await pilot.pause()
        await pilot.press("?")
        assert type(app.screen) is Help
        text = "\n".join(lines(app))
        for part in ("cancel this ticket", "ctrl+p", "PgUp", "copy the selection"):
            assert part in text
        await pilot.press("escape")
        assert screen_of(app).current == "a"


async def test_no_line_of_help_is_broken_in_eighty_columns(make_app: MakeApp) -> None:
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(80, 90)) as pilot:
        await pilot.pause()
        await pilot.press("?")
        shown = [line.strip(" │▌") for line in lines(app)]
        for line in help_text(app.keys_in_force).plain.splitlines():
            assert line.strip() in shown


async def test_the_palette_has_lfg_s_own_commands(make_app: MakeApp) -> None:
    live = FakeLive("api", "docs")
    app = make_app(live)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"docs")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert screen_of(app).current == "docs"


async def test_any_size_of_terminal_works(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c", "d", "e", "f")
    app = make_app(live)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "words and more words")
        for size in ((20, 5), (3, 2), (1, 1), (300, 2), (2, 90), (100, 30)):
            await pilot.resize_terminal(*size)
            await pilot.press("v")
        await pilot.press("?", "escape", "/", "escape", "q", "n")
        assert len(lines(app)) == 30


@pytest.mark.parametrize("size", [(3, 2), (1, 1), (39, 3), (80, 24), (77, 20)])
async def test_the_layout_comes_to_rest_at_any_size(
    make_app: MakeApp, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FakeLive("a", "b", "c", "d", "e", "f")
    app = make_app(live)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause(0.1)
        grid = screen_of(app).grid
        placed: list[object] = []
        original = grid.place

        def place(room: Size) -> list[tuple[Pane, Region]]:
            placed.append(room)
            return original(room)

        monkeypatch.setattr(grid, "place", place)
        await pilot.pause(0.1)
        assert placed == []


async def test_the_footer_fits_eighty_columns_and_shows_approval_keys(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        live.begin("a")
        live.ask("a")
        await pilot.pause(0.4)
        footer = lines(app)[-1]
        assert footer.startswith(" a approve  A always  d deny ")
        assert len(footer) == 80
        assert "q quit" in footer


# Ends


async def test_all_done_stays_open_and_leaves_with_zero(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "done")
        live.finish("a")
        await pilot.pause(0.4)
        assert "all done – q to quit" in lines(app)[0]
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0
    assert live.closed == 1


async def test_any_other_end_leaves_with_one(make_app: MakeApp) -> None:
    live = FakeLive("a", "b")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "done")
        live.finish("a")
        live.happen("b", e.TicketCancelled())
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 1


@pytest.mark.parametrize("keys", [("q", "y"), ("ctrl+c", "ctrl+c"), ("q", "n", "q", "ctrl+c")])
async def test_quitting_while_work_runs_asks_and_interrupts(
    make_app: MakeApp, keys: tuple[str, ...]
) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert app.return_value == 1
    assert live.transcript("a").state == "interrupted"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
async def test_a_signal_shuts_down_and_says_which(
    make_app: MakeApp, number: signal.Signals, code: int
) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        os.kill(os.getpid(), number)
        for _ in range(50):
            await pilot.pause()
            if live.closed:
                break
    assert app.return_value == code
    assert live.closed == 1


async def test_keys_that_come_faster_than_screens_go_do_no_harm(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with app.run_test() as pilot:
        await pilot.pause()
        for keys in (("?", "x", "x", "x"), ("C", "n", "n", "y"), ("escape", "escape")):
            for key in keys:
                app.simulate_key(key)
            await pilot.pause()
        await pilot.pause()
        assert screen_of(app).current == "a"
        assert live.sent == []


async def test_a_screen_that_breaks_leaves_nothing_running(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FakeLive("a")
    app = make_app(live)

    def broken(now: float, gauges: bool = True) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with app.run_test() as pilot:
            await pilot.pause()
            monkeypatch.setattr(screen_of(app), "frame", broken)
            await pilot.pause(0.2)
    assert live.closed == 1
    assert live.transcript("a").state == "interrupted"


def test_what_config_says_wrong_is_refused_before_anything_starts(make_app: MakeApp) -> None:
    with pytest.raises(UsageError, match="unknown theme"):
        make_app(FakeLive("a"), config=Config(theme="drak"))
    with pytest.raises(UsageError, match="unknown action"):
        make_app(FakeLive("a"), config=Config(keys={"stop": "x"}))
