"""Replaying on the screen: keys, figures that stand still, panes that are as if never seen."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest
from textual.pilot import Pilot

from lfgtui.model import events as e
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.ui.app import LfgApp
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.screens.replay import ReplayBar, replay_screen
from lfgtui.ui.widgets.pane_header import PaneHeader
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import START, FakeLive
from tests.ui.replay.lives import replayed, worked
from tests.ui.screen_text import lines, opened, run_screen, text_of, toasts

THEMES = load_themes()


class Stage:
    """A replay on a screen, its clock turned by the test; frames come when the test says so."""

    def __init__(self, app: LfgApp, pilot: Pilot[int], clock: list[float]) -> None:
        self.app, self.pilot, self.screen = app, pilot, run_screen(app)
        assert isinstance(self.screen.run, ReplayedRun)
        self.run = self.screen.run
        self._clock = clock

    async def frame(self, seconds: float = 0.0) -> None:
        """Time passes; a frame is drawn."""
        self._clock[0] += seconds
        self.screen.frame()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.frame()

    async def go_to(self, text: str) -> None:
        """Answer the line at the bottom."""
        await self.press("g")
        await self.type(text)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text, "enter")
        await self.frame()

    @property
    def bar(self) -> str:
        return self.screen.query_one(ReplayBar).render_line(0).text

    @property
    def footer(self) -> str:
        return lines(self.app)[-1]

    def heads(self) -> list[str]:
        panes = self.screen.query(PaneHeader)
        return [head.render_line(y).text for head in panes for y in (0, 1)]


def replay_app(
    live: FakeLive, ticks: Callable[[], float] = lambda: 0.0
) -> tuple[LfgApp, list[float]]:
    """An app that replays what was worked, and its clock."""
    clock = [9000.0]
    run = replayed(live, ticks=ticks)
    app = LfgApp(
        run,
        config=Config(),
        open_reader=None,
        simulated=False,
        themes=THEMES,
        clock=lambda: clock[0],
        first_screen=lambda context: replay_screen(run, context),
    )
    return app, clock


@asynccontextmanager
async def staged(
    live: FakeLive, size: tuple[int, int] = (120, 40), *, ticks: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[Stage]:
    app, clock = replay_app(live, ticks)
    async with opened(app, size) as pilot:
        stage = Stage(app, pilot, clock)
        await stage.frame()
        yield stage


@pytest.fixture
def live() -> FakeLive:
    return worked()


async def test_it_plays_and_shows_its_position_and_stands_still_when_held(live: FakeLive) -> None:
    async with staged(live) as stage:
        assert "REPLAY" in lines(stage.app)[0]
        assert "▶ 1×    0:00 / 0:50" in stage.bar
        for _ in range(12):
            await stage.frame(0.25)
        assert "0:03 / " in stage.bar
        assert "Paragraph 1 of api." in text_of(stage.app)
        assert "Paragraph 5" not in text_of(stage.app)
        await stage.press("p")
        before = lines(stage.app)
        assert "‖ 1×" in stage.bar and "p play" in stage.footer
        await stage.frame(2.0)
        assert lines(stage.app) == before
        stage.run.seek(stage.run.timeline.length)
        await stage.frame()
        assert " end " in stage.bar and "p replay" in stage.footer
        assert "3 done" in lines(stage.app)[0]
        await stage.press("p")
        assert stage.run.is_playing and stage.run.position < 1


async def test_the_gauges_are_what_they_were(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.run.seek(20.0)
        await stage.press("p")
        assert "idle time skipped" in stage.bar
        stage.run.seek(1.4)
        await stage.frame()
        meter = stage.run.meter("api")
        assert meter.ttft == pytest.approx(0.7)
        assert f"{meter.rate(START + 1.4):>4.0f} tok/s".strip() in stage.heads()[1]
        assert "ttft 0.70s" in stage.heads()[1]
        await stage.press("enter")
        await stage.pilot.resize_terminal(80, 24)
        await stage.frame()
        assert "api" in lines(stage.app)[1] and "ttft" in lines(stage.app)[2]  # held, drawn anew


async def test_steps_show_what_an_event_did_and_in_zoom_go_by_ticket(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.go_to("#1")
        for key, event, state in ((None, 1, "queued"), (".", 2, "starting"), (",", 1, "queued")):
            await stage.press(*([key] if key else []))
            assert f"event {event}/" in stage.bar
            assert state in stage.heads()[0]
        await stage.press("2", "enter")
        await stage.go_to("#5")
        assert "docs 5/" in stage.bar
        for key, number in ((".", 6), (".", 7), (",", 6)):
            await stage.press(key)
            assert stage.run.timeline.own_count("docs", stage.run.count) == number
        await stage.press("escape")
        assert "event " in stage.bar


async def test_skipping_speed_and_going_to_a_position(live: FakeLive) -> None:
    async with staged(live) as stage:
        await stage.press("p", "]")
        assert stage.run.position == 10.0
        await stage.press("[", "[")
        assert stage.run.position == 0.0
        await stage.press("+", "=")
        assert "4×" in stage.bar
        await stage.press("-", "-", "-")
        assert "0.5×" in stage.bar
        await stage.go_to("0:07")
        assert "0:07 / " in stage.bar
        await stage.go_to("docs 9")
        assert stage.run.transcript("docs").last_seq == 9
        await stage.go_to("nowhere")
        assert toasts(stage.app)[-1].startswith('invalid position "nowhere"')
        assert stage.run.transcript("docs").last_seq == 9
        middle = (stage.bar.index("━") + stage.bar.rindex("─")) // 2
        await stage.pilot.click(ReplayBar, offset=(middle, 0))
        await stage.frame()
        share = stage.run.position / stage.run.timeline.length
        assert share == pytest.approx(0.5, abs=0.02)


async def test_it_is_read_only_and_a_search_keeps_up(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.run.seek(6.0)
        await stage.press("p", "r")
        assert toasts(stage.app)[-1].startswith("this is a replay; resume")
        assert "resume" not in stage.footer and stage.app.resumes is None
        await stage.press("c", "a")
        assert toasts(stage.app)[-1] == "this is a replay: read-only"
        await stage.press("enter", "slash")
        await stage.type("paragraph")
        assert "“paragraph” 1/5" in stage.footer
        stage.run.seek(2.0)
        await stage.frame()
        assert "“paragraph” 1/2" in stage.footer


@pytest.mark.parametrize("seed", range(6))
async def test_the_screen_is_that_of_a_replay_that_went_there_at_once(seed: int) -> None:
    dice = random.Random(seed)
    folds: list[str] = []
    async with staged(worked()) as stage:
        player, timeline = stage.run, stage.run.timeline
        player.is_playing = False
        moves: list[Callable[[], None]] = [
            lambda: player.seek(dice.uniform(0, timeline.length)),
            lambda: player.seek_entry(dice.randint(0, timeline.count)),
            lambda: player.step(dice.choice([-3, -1, 1, 5])),
        ]
        for _ in range(12):
            dice.choice(moves)()
            if dice.random() < 0.5:
                folds.append(dice.choice("tmu"))
                await stage.press(folds[-1])
            await stage.frame(0.2)
        await stage.press(".", ",")
        count, shown = stage.run.count, lines(stage.app)
    async with staged(worked()) as fresh:
        await fresh.press(*folds)
        fresh.run.seek_entry(count + 1)
        await fresh.press(",")
        assert fresh.run.count == count
        assert lines(fresh.app) == shown


async def test_the_terminal_shows_what_the_screen_means(live: FakeLive) -> None:
    dice = random.Random(5)
    app, _ = replay_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        for key in ["p", *dice.choices([*"[],.+pvt", "enter"], k=20)]:
            await terminal.press(key)
            assert not (difference := await terminal.lasting_difference()), (key, difference)


async def test_a_long_way_shows_that_it_is_seeking() -> None:
    live = FakeLive("api")
    live.begin("api")
    for _ in range(20_000):
        live.happen("api", e.Heartbeat(), after=0.001)
    ticks = map(float, count())  # a second between two looks
    async with staged(live, ticks=ticks.__next__) as stage:
        stage.run.is_playing = False
        await stage.go_to("100%")
        frames = 0
        while stage.run.is_busy:
            assert "seeking …" in stage.bar
            await stage.frame()
            frames += 1
        await stage.frame()
        assert frames > 0
        assert "event 20004/20004" in stage.bar


async def test_the_palette_offers_what_a_replay_can_do(live: FakeLive) -> None:
    async with staged(live) as stage:
        stage.run.seek(20.0)
        await stage.press("p")
        await stage.pilot.press("ctrl+p", *"replay")
        await stage.app.workers.wait_for_complete()
        await stage.pilot.pause()
        assert "Replay: play or pause" in text_of(stage.app)
        await stage.pilot.press(*["backspace"] * 6, *"half")
        await stage.app.workers.wait_for_complete()
        await stage.pilot.press("enter")
        await stage.pilot.pause()
        assert stage.run.speed == 0.5


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_it_looks_like(
    snap_compare: Callable[..., bool], live: FakeLive, utc: None, size: tuple[int, int]
) -> None:
    app, clock = replay_app(live)

    async def run_before(pilot: Pilot[int]) -> None:
        await pilot.pause()
        stage = Stage(app, pilot, clock)
        stage.run.seek(33.0)
        await stage.press("+", "p")

    assert snap_compare(app, terminal_size=size, run_before=run_before)
