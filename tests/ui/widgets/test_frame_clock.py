"""When frames are drawn, and who is drawn in one, by a clock that only the test moves."""

import asyncio

import pytest

from lfgtui.engine.commands import Cancel
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import WINDOW, Health, HistoryTrouble, OpenCircuit
from lfgtui.ui.widgets.frame_clock import (
    ATTACHED,
    BUDGET,
    GAUGE,
    MINUTE,
    OWN,
    SECOND,
    SLOWEST,
    WITH_ARRIVALS,
    FrameClock,
    Pace,
    figures_move,
)
from lfgtui.ui.widgets.pane import Pane, PaneSettings
from tests.ui.fake_live import FakeLive


class Turns:
    """Frames over some panes, of which each takes as long to draw."""

    def __init__(self, count: int, cost: float = 0.0) -> None:
        live = FakeLive(*map(str, range(count)))
        self.panes = [Pane(live, ticket, PaneSettings(10.0, 1.5)) for ticket in live.tickets]
        self.now, self.cost = 100.0, cost
        self.clock = FrameClock(lambda: self.now)

    def frame(self, first: int, own: float = 0.0) -> str:
        """The panes that had their turn; `own` is what the first one costs beside the others."""
        drawn = ""
        for pane in self.clock.turns(self.panes, self.panes[first]):
            drawn += pane.ticket_id
            self.now += self.cost + own
            own = 0.0
        return drawn


def test_all_are_drawn_where_there_is_time_the_one_with_the_focus_first() -> None:
    assert Turns(4).frame(2) == "2013"


def test_a_frame_that_ran_out_of_time_is_gone_on_with() -> None:
    turns = Turns(5, cost=BUDGET * 0.4)
    assert [turns.frame(0) for _ in range(3)] == ["012", "034", "012"]


def test_a_frame_that_the_focused_pane_took_whole_is_no_turn_of_the_others() -> None:
    turns = Turns(5, cost=BUDGET * 0.4)
    frames = [turns.frame(0), turns.frame(0, own=BUDGET), turns.frame(0)]
    assert frames == ["012", "0", "034"]


def test_a_new_layout_has_more_time_than_other_frames() -> None:
    turns, frames = Turns(5, cost=BUDGET * 0.4), list[str]()

    async def draw() -> None:
        turns.clock.start(lambda: frames.append(turns.frame(0)))
        turns.clock.draw_whole()

    asyncio.run(draw())
    frames.append(turns.frame(0))
    assert frames == ["01234", "012"]


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is what the test says."""

    now = 100.0

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize("pace", [OWN, ATTACHED])
@pytest.mark.parametrize("took", [0.001, 0.009, 0.03, 0.2])
def test_after_a_frame_keys_have_half_as_long_and_what_arrives_waits_for_its_share(
    pace: Pace, took: float
) -> None:
    for_keys = max(pace.frame, 1.5 * took)
    for_arrivals = max(for_keys, min(took / pace.share, SLOWEST))
    loop = StillLoop()
    clock = FrameClock(loop.time, pace)

    def draw() -> None:
        loop.now += took

    async def drawn() -> list[float | None]:
        clock.start(draw)
        clock.draw_whole()
        clock.wake_for_arrivals()
        arrivals = clock.next_at
        clock.wake()
        return [arrivals, clock.next_at]

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        due = [100.0 + for_arrivals, 100.0 + for_keys]
        assert runner.run(drawn()) == pytest.approx(due)


class Frames:
    """Frames that are counted; after each the next one is due at `again_at`."""

    def __init__(self, again_at: float | None = None) -> None:
        self.clock = FrameClock(asyncio.get_running_loop().time)
        self.again_at = again_at
        self._drawn = asyncio.Event()
        self.clock.start(self._draw)

    def _draw(self) -> float | None:
        self._drawn.set()
        return self.again_at

    @property
    def is_to_come(self) -> bool:
        return self.clock.next_at is not None

    async def drawn(self) -> bool:
        """Wait for a frame; return whether one more is to come."""
        self._drawn.clear()
        await self._drawn.wait()
        return self.is_to_come


async def test_it_stands_still_after_a_frame_until_it_is_woken() -> None:
    frames = Frames()
    assert not await frames.drawn()
    frames.clock.wake()
    assert frames.is_to_come
    assert not await frames.drawn()


async def test_it_draws_again_when_the_frame_says_so_and_sooner_if_it_is_woken() -> None:
    tomorrow = asyncio.get_running_loop().time() + 86400.0
    frames = Frames(tomorrow)
    assert await frames.drawn()
    frames.clock.wake(tomorrow + 1)
    assert frames.clock.next_at == tomorrow
    frames.clock.wake()
    assert await frames.drawn()
    frames.clock.stop()
    frames.clock.wake()
    assert not frames.is_to_come


LONG = 100 * WINDOW


def test_figures_move_often_while_a_token_is_due_or_came_just_now() -> None:
    live = FakeLive("api")
    live.begin("api")
    assert figures_move(live, live.now) == GAUGE
    live.stream("api", "Some words.")
    live.finish("api")
    assert figures_move(live, live.now) == GAUGE
    assert figures_move(live, live.now + LONG) is None


def test_figures_move_each_second_while_a_clock_or_a_countdown_runs() -> None:
    live = FakeLive("asks", "waits", "done")
    live.begin("done")
    live.finish("done")
    live.begin("asks")
    live.ask("asks")
    assert figures_move(live, live.now + LONG) == SECOND
    live.send(Cancel("asks"))
    assert figures_move(live, live.now + LONG) is None
    live.begin("waits")
    live.happen("waits", e.Retrying("overloaded", 13.0, 2, "overloaded"))
    assert figures_move(live, live.now + LONG) == SECOND
    live.happen("waits", e.Paused())
    assert figures_move(live, live.now + LONG) is None


def test_figures_move_each_minute_while_tickets_are_parked_for_a_day_may_turn() -> None:
    live = FakeLive("api")
    live.begin("api")
    live.happen("api", e.Parked("p", live.now + 1e6, "full"))
    assert figures_move(live, live.now + LONG) == MINUTE
    live.happen("api", e.Paused())
    assert figures_move(live, live.now + LONG) is None


def test_figures_move_each_second_while_a_provider_keeps_failing_or_nothing_can_be_saved() -> None:
    live = FakeLive("api")
    assert figures_move(live, live.now) is None
    live.health = Health(open_circuits={"openai": OpenCircuit(20.0, "HTTP 500")})
    assert figures_move(live, live.now) == SECOND
    live.health = Health(behind=HistoryTrouble("the disk is full"))
    assert figures_move(live, live.now) == SECOND


@pytest.mark.parametrize(
    ("took", "due"), [(0.001, 100.06), (0.03, 100.0 + WITH_ARRIVALS * SLOWEST)]
)
def test_figures_wait_for_the_next_frame_of_what_arrives(took: float, due: float) -> None:
    loop = StillLoop()
    clock = FrameClock(loop.time)

    def draw() -> float:
        loop.now += took
        return 100.06

    async def drawn() -> float | None:
        clock.start(draw)
        clock.draw_whole()
        return clock.next_at

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(drawn()) == pytest.approx(due)
