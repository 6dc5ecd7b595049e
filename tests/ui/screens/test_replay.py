"""Replaying on the screen: keys, figures that stand still, panes that are as if never seen."""

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.text.figures import duration
from lfgtui.tools import summary
from lfgtui.ui.app import LfgApp
from lfgtui.ui.replay.playback import Playback
from lfgtui.ui.replay.progress_bar import ReplayBar
from lfgtui.ui.screens.replay import ReplayMode, push_replay, replay_screen
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.plain_text import plain_text
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.pane_header import PaneHead
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import START, FakeLive
from tests.ui.replay.lives import replayed, worked
from tests.ui.screen_text import lines, toasts

THEMES = load_themes()


class Stage:
    """A replay on a screen, its clock turned by the test; frames come when the test says so."""

    def __init__(self, app: LfgApp, pilot: Pilot[int], clock: list[float]) -> None:
        assert isinstance(app.screen, RunScreen)
        assert isinstance(app.screen.mode, ReplayMode)
        self.app, self.pilot, self.screen = app, pilot, app.screen
        self.playback = app.screen.mode.player
        self._clock = clock

    async def frame(self, seconds: float = 0.0) -> None:
        """Time passes; a frame is drawn."""
        self._clock[0] += seconds
        self.screen.frame()
        await self.pilot.pause()

    async def tick(self) -> None:
        """The app draws a frame of whatever screen is shown."""
        self.app.draw_frame()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.frame()

    async def type(self, text: str) -> None:
        """Answer the line at the bottom."""
        names = {" ": "space", "%": "percent_sign", ":": "colon", "#": "number_sign"}
        await self.pilot.press(*(names.get(c, c) for c in text), "enter")
        await self.frame()

    @property
    def bar(self) -> str:
        return self.screen.query_one(ReplayBar).render_line(0).text

    @property
    def footer(self) -> str:
        return lines(self.app)[-1]

    def heads(self) -> list[str]:
        panes = self.screen.query(PaneHead)
        return [head.render_line(y).text for head in panes for y in (0, 1)]


def replay_app(live: FakeLive) -> tuple[LfgApp, list[float]]:
    """An app that plays what was worked, and its clock."""
    clock = [9000.0]
    run = replayed(live)
    app = LfgApp(
        run,
        config=Config(),
        open_reader=None,
        simulated=False,
        summarise=summary,
        themes=THEMES,
        clock=lambda: clock[0],
        first_screen=lambda context: replay_screen(Playback(run, context.frames.clock), context),
    )
    return app, clock


@asynccontextmanager
async def staged(live: FakeLive, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Stage]:
    app, clock = replay_app(live)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        stage = Stage(app, pilot, clock)
        await stage.frame()
        yield stage


@pytest.fixture
def live() -> FakeLive:
    return worked()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_it_plays_by_itself_and_says_where_it_is(live: FakeLive) -> None:
    async with staged(live) as stage:
        assert "REPLAY" in lines(stage.app)[0]
        assert "▶ 1×    0:00 / 0:50" in stage.bar
        for _ in range(12):
            await stage.frame(0.25)
        assert "0:03 / " in stage.bar
        text = "\n".join(lines(stage.app))
        assert "Paragraph 1 of api." in text
        assert "Paragraph 5" not in text


async def test_held_everything_stands_still(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(3.4)
        await stage.press("p")
        before = lines(stage.app)
        assert "‖ 1×" in stage.bar and "p play" in stage.footer
        for _ in range(8):
            await stage.frame(0.25)
        assert lines(stage.app) == before
        await stage.press("p")
        await stage.frame(0.25)
        assert stage.playback.position == pytest.approx(3.65)


async def test_the_gauges_are_what_they_were(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(1.4)
        await stage.press("p")
        meter = stage.screen.run.meter("api")
        assert meter.ttft == pytest.approx(0.7)
        now = START + 1.4
        assert f"{meter.rate(now):>4.0f} t/s".strip() in stage.heads()[1]
        assert "ttft 0.70s" in stage.heads()[1]


async def test_a_stall_is_seen_again_and_is_cut_short() -> None:
    live = FakeLive("api")
    live.start()
    live.begin("api")
    live.stream("api", "a word ")
    live.stream("api", "and the next, a minute later", after=60.0)
    async with staged(live) as stage:
        stage.playback.seek(9.9)
        await stage.press("p")
        assert "streaming" in stage.heads()[0]
        assert "idle time skipped" in stage.bar
        stage.playback.seek(11.9)
        await stage.press("p")
        assert "stalled 11s" in stage.heads()[0]
        stage.playback.seek(99)
        await stage.frame()
        assert "idle" not in stage.bar
        assert stage.playback.run.now == START + 60.5


async def test_steps_show_at_once_what_an_event_did(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.press("g")
        await stage.type("#1")
        assert "event 1/" in stage.bar
        assert "queued" in stage.heads()[0]
        await stage.press("full_stop")
        assert "event 2/" in stage.bar
        assert "starting" in stage.heads()[0]
        await stage.press("comma")
        assert "queued" in stage.heads()[0]


async def test_in_zoom_events_are_the_tickets_own(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.press("2", "enter", "g")
        await stage.type("#5")
        assert "docs 5/" in stage.bar
        own = stage.playback.run.timeline.own_count
        for key, number in (("full_stop", 6), ("full_stop", 7), ("comma", 6)):
            await stage.press(key)
            assert own("docs", stage.playback.run.count) == number
        await stage.press("escape")
        assert "event " in stage.bar


async def test_skipping_and_speed(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.press("p", "right_square_bracket")
        assert stage.playback.position == 10.0
        await stage.press("left_square_bracket", "left_square_bracket")
        assert stage.playback.position == 0.0
        await stage.press("plus", "equals_sign")
        assert "4×" in stage.bar
        await stage.press("minus", "minus", "minus")
        assert "0.5×" in stage.bar


async def test_going_to_a_place(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.press("p", "g")
        await stage.type("0:07")
        assert "0:07 / " in stage.bar
        await stage.press("g")
        await stage.type("docs 9")
        assert stage.screen.run.transcript("docs").last_seq == 9
        await stage.press("g")
        await stage.type("nowhere")
        assert toasts(stage.app)[-1].startswith('invalid position "nowhere"')
        assert stage.screen.run.transcript("docs").last_seq == 9


async def test_a_click_on_the_bar_goes_there(live: FakeLive) -> None:
    async with staged(live) as stage:
        bar = stage.bar
        begin, end = bar.index("━") if "━" in bar else bar.index("─"), bar.rindex("─")
        middle = (begin + end) // 2
        await stage.pilot.click(ReplayBar, offset=(middle, 0))
        await stage.frame()
        share = stage.playback.position / stage.playback.run.timeline.length
        assert share == pytest.approx(0.5, abs=0.02)


async def test_at_the_end_the_last_picture_stays(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(stage.playback.run.timeline.length - 0.1)
        await stage.frame(0.2)
        assert " end " in stage.bar and "p replay" in stage.footer
        assert "✓ 3" in lines(stage.app)[0]
        before = lines(stage.app)
        await stage.frame(5.0)
        assert lines(stage.app) == before
        await stage.press("p")
        assert stage.playback.is_playing and stage.playback.position < 1


async def test_it_can_be_read_and_not_changed(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(6.0)
        await stage.press("p", "r")
        assert toasts(stage.app)[-1].startswith("this is a replay; resume")
        assert "resume" not in stage.footer and stage.app.resumes is None
        await stage.press("c", "a")
        assert toasts(stage.app)[-1] == "this is a replay: read-only"
        await stage.press("enter", "slash")
        await stage.type("paragraph")
        assert "“paragraph” 1/5" in stage.footer
        stage.playback.seek(2.0)
        await stage.frame()
        assert "“paragraph” 1/2" in stage.footer


async def test_attempts_are_compared_while_it_is_held(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(30.0)
        await stage.press("p", "b")
        assert "ATTEMPTS" in lines(stage.app)[0]
        assert "api #1" in "\n".join(lines(stage.app))
        await stage.tick()
        run = stage.playback.run
        newest = run.transcript("api").attempts[-1]
        assert newest.ended_at is None
        *_, head = stage.app.screen.query(PaneHead)
        assert head.render_line(1).text.rstrip().endswith(duration(run.now - newest.started_at))
        await stage.pilot.press("b")
        await stage.frame()
        assert stage.app.screen is stage.screen
        assert not stage.playback.is_playing
        assert stage.playback.position == 30.0


async def test_the_heads_of_panes_are_drawn_though_the_clock_stands(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(6.0)
        await stage.press("p", "enter")
        await stage.pilot.resize_terminal(80, 24)
        for _ in range(3):
            await stage.frame()
        assert "api" in lines(stage.app)[1] and "ttft" in lines(stage.app)[2]


def plain_anew(pane: Pane) -> str:
    """The text of a pane that sees the ticket for the first time, in the same look."""
    stream, lines = pane._stream, StreamLines()
    assert stream._look is not None
    lines.update(pane._view.transcript(pane.ticket_id), stream._look)
    return plain_text(lines)


@pytest.mark.parametrize("seed", range(4))
async def test_wherever_one_came_from_panes_are_as_if_never_seen(seed: int) -> None:
    dice = random.Random(seed)
    async with staged(worked(), (100, 40)) as stage:
        playback, timeline = stage.playback, stage.playback.run.timeline
        playback.is_playing = False
        moves: list[Callable[[], None]] = [
            lambda: playback.seek(dice.uniform(0, timeline.length)),
            lambda: playback.seek_entry(dice.randint(0, timeline.count)),
            lambda: playback.step(dice.choice([-3, -1, 1, 5])),
        ]
        for _ in range(14):
            dice.choice(moves)()
            if dice.random() < 0.5:
                await stage.press(dice.choice(["t", "m", "u", "end", "home", "pageup", "v"]))
            if dice.random() < 0.3:
                await stage.pilot.resize_terminal(dice.choice([80, 100, 130]), 40)
            await stage.frame()
            for pane in stage.screen.grid.in_view():
                assert pane.plain_text() == plain_anew(pane)


@pytest.mark.parametrize("seed", range(4))
async def test_the_whole_screen_is_that_of_a_replay_that_went_there_at_once(seed: int) -> None:
    dice = random.Random(seed)
    async with staged(worked()) as stage:
        stage.playback.is_playing = False
        for _ in range(9):
            stage.playback.seek_entry(dice.randint(0, stage.playback.run.timeline.count))
            await stage.frame(0.2)
        await stage.press("full_stop", "comma")
        count, shown = stage.playback.run.count, lines(stage.app)
    async with staged(worked()) as fresh:
        fresh.playback.seek_entry(count + 1)
        await fresh.press("comma")
        assert fresh.playback.run.count == count
        assert lines(fresh.app) == shown


async def test_what_the_terminal_shows_is_what_is_meant(live: FakeLive) -> None:
    dice = random.Random(5)
    app, _ = replay_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        screen = app.screen
        assert isinstance(screen, RunScreen)
        for key in ["p", *dice.choices(["[", "]", ",", ".", "+", "p", "enter", "v", "t"], k=20)]:
            names = {"[": "left_square_bracket", "]": "right_square_bracket"}
            names |= {",": "comma", ".": "full_stop", "+": "plus"}
            await terminal.press(names.get(key, key))
            assert not (difference := await terminal.lasting_difference()), (key, difference)


async def test_a_long_way_says_that_it_is_being_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SimpleNamespace(perf_counter=count().__next__)  # a second passes between two looks
    monkeypatch.setattr("lfgtui.ui.replay.run.time", slow)
    live = FakeLive("api")
    live.begin("api")
    for _ in range(20_000):
        live.happen("api", e.Heartbeat(), after=0.001)
    async with staged(live) as stage:
        stage.playback.is_playing = False
        await stage.press("g")
        await stage.type("100%")
        frames = 0
        while stage.playback.run.is_busy:
            assert "seeking …" in stage.bar
            await stage.frame()
            frames += 1
        await stage.frame()
        assert frames > 0
        assert "event 20004/20004" in stage.bar


async def test_the_palette_knows_what_a_replay_can_do(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.playback.seek(20.0)
        await stage.press("p")
        await stage.pilot.press("ctrl+p", *"half")
        await stage.pilot.pause(0.3)
        await stage.pilot.press("enter")
        await stage.pilot.pause(0.3)
        assert stage.playback.speed == 0.5


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_it_looks_like(
    snap_compare: Callable[..., bool], live: FakeLive, utc: None, size: tuple[int, int]
) -> None:
    app, clock = replay_app(live)

    async def run_before(pilot: Pilot[int]) -> None:
        await pilot.pause()
        stage = Stage(app, pilot, clock)
        stage.playback.seek(33.0)
        await stage.press("plus", "p")
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=run_before)


# From elsewhere


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, str, str]:
    """A history, a run in it, and one of nothing."""
    path = tmp_path / "history.db"
    with Recorder(path) as store:
        run = store.start_run("Stored", [Ticket(id="one", prompt="x", workspace="/")], None)
        store.submit(run, "one", 1, START, e.TicketQueued())
        empty = store.start_run("Empty", [], None)
        store.flush().result(30)
    return path, run, empty


async def test_any_screen_can_have_a_stored_run_played(
    live: FakeLive, history: tuple[Path, str, str]
) -> None:
    path, run, empty = history
    async with staged(live) as stage:
        context = stage.screen.context
        await push_replay(stage.app, context, lambda: Reader(path), run)
        assert isinstance(stage.app.screen, RunScreen)
        assert stage.app.screen.run.title == "Stored"
        await stage.pilot.press("escape")
        assert stage.app.screen is stage.screen
        await push_replay(stage.app, context, lambda: Reader(path), empty)
        await stage.pilot.pause()
        assert stage.app.screen is stage.screen
        assert toasts(stage.app)[-1] == f"run {empty} has no tickets to replay"
