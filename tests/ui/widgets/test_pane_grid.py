"""Who is drawn in a frame, by a clock that only the test moves."""

from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.pane_grid import BUDGET, FrameClock
from tests.ui.fake_live import FakeLive


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def panes(count: int) -> list[Pane]:
    live = FakeLive(*(f"t{number}" for number in range(count)))
    settings = PaneSettings(10.0, 1.5)
    return [Pane(live, ticket, settings) for ticket in live.tickets]


def drawn(frames: FrameClock, clock: Clock, all_panes: list[Pane], first: int, cost: float) -> str:
    """The numbers of the panes that had their turn, each taking so long."""
    turns = []
    for pane in frames.turns(all_panes, all_panes[first]):
        turns.append(pane.ticket_id.removeprefix("t"))
        clock.now += cost
    return "".join(turns)


def test_all_are_drawn_where_there_is_time_the_one_with_the_focus_first() -> None:
    clock = Clock()
    assert drawn(FrameClock(clock), clock, panes(4), 2, cost=0.0) == "2013"


def test_a_frame_that_ran_out_of_time_is_gone_on_with() -> None:
    clock, some = Clock(), panes(5)
    frames = FrameClock(clock)
    turns = [drawn(frames, clock, some, 0, cost=BUDGET * 0.4) for _ in range(3)]
    assert turns == ["012", "034", "012"]


def test_after_a_frame_keys_have_half_as_long() -> None:
    clock = Clock()
    frames = FrameClock(clock)
    began, clock.now = clock.now, clock.now + 0.02
    frames.ended(began)
    clock.now += 0.009
    assert not frames.is_due()
    clock.now += 0.002
    assert frames.is_due()
