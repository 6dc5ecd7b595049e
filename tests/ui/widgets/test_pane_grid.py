"""Where panes lie, and who is drawn in a frame, by a clock that only the test moves."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.pane_grid import (
    BUDGET,
    MIN_HEIGHT,
    MIN_WIDTH,
    Direction,
    FrameClock,
    neighbour,
    tile,
)
from tests.ui.fake_live import FakeLive

ROOMS = st.builds(Size, st.integers(1, 300), st.integers(1, 100))
COUNTS = st.integers(1, 64)


def rows(regions: list[Region]) -> int:
    return len({region.y for region in regions})


@given(COUNTS, ROOMS)
def test_panes_fill_the_room_without_gaps_and_keep_their_least_size(count: int, room: Size) -> None:
    regions = tile(count, room)
    bottom = max(region.bottom for region in regions)
    assert len(regions) == count
    assert sum(region.area for region in regions) == room.width * bottom
    assert not any(a.overlaps(b) for i, a in enumerate(regions) for b in regions[:i])
    assert all(region.width >= min(MIN_WIDTH, room.width) for region in regions)
    assert all(region.height >= min(MIN_HEIGHT, room.height) for region in regions)
    assert bottom == room.height or rows(regions) > room.height // MIN_HEIGHT


def test_panes_on_three_terminals() -> None:
    assert rows(tile(6, Size(200, 58))) == 2
    assert rows(tile(6, Size(120, 38))) in (2, 3)
    assert sum(region.bottom <= 22 for region in tile(6, Size(80, 22))) == 4
    assert max(region.bottom for region in tile(16, Size(200, 58))) == 58


def test_steps_go_to_the_neighbour_and_stop_at_the_edge() -> None:
    grid = tile(5, Size(200, 58))  # three above, two wider ones below
    assert [neighbour(grid, 0, way) for way in get_args(Direction)] == [0, 1, 0, 3]
    assert neighbour(grid, 4, "up") == 2
    assert neighbour(grid, 4, "right") == 4


@given(COUNTS, ROOMS)
def test_a_step_never_goes_the_other_way(count: int, room: Size) -> None:
    grid = tile(count, room)
    for index, here in enumerate(grid):
        for way in get_args(Direction):
            there = grid[neighbour(grid, index, way)]
            ahead = (there.x - here.x) if way in ("left", "right") else (there.y - here.y)
            assert there is here or (ahead < 0) is (way in ("left", "up"))


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


def test_after_a_frame_keys_have_half_as_long() -> None:
    turns = Turns(1, cost=0.02)
    began = turns.now
    turns.frame(0)
    turns.clock.ended(began)
    turns.now += 0.009
    assert not turns.clock.is_due()
    turns.now += 0.002
    assert turns.clock.is_due()
