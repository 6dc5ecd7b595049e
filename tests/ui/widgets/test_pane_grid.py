"""Where panes lie."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from lfgtui.ui.widgets.pane_grid import (
    MIN_HEIGHT,
    MIN_WIDTH,
    Direction,
    neighbour,
    tile,
)

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
