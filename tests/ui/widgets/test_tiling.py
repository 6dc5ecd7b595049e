"""Where panes lie."""

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from lfgtui.ui.widgets.pane_grid import MIN_HEIGHT, MIN_WIDTH, neighbour, tile

rooms = st.builds(Size, st.integers(1, 300), st.integers(1, 100))
counts = st.integers(1, 64)


def rows(regions: list[Region]) -> int:
    return len({region.y for region in regions})


@given(counts, rooms)
def test_panes_never_overlap_and_leave_no_gap(count: int, room: Size) -> None:
    regions = tile(count, room)
    assert len(regions) == count
    assert sum(region.area for region in regions) == room.width * max(r.bottom for r in regions)
    assert not any(a.overlaps(b) for i, a in enumerate(regions) for b in regions[:i])


@given(counts, rooms)
def test_panes_keep_their_least_size_where_the_room_has_it(count: int, room: Size) -> None:
    for region in tile(count, room):
        assert region.width >= min(MIN_WIDTH, room.width)
        assert region.height >= min(MIN_HEIGHT, room.height)


@given(counts, rooms)
def test_what_fits_fills_the_room(count: int, room: Size) -> None:
    regions = tile(count, room)
    bottom = max(region.bottom for region in regions)
    assert bottom == room.height or rows(regions) > room.height // MIN_HEIGHT


def test_six_panes_on_three_terminals() -> None:
    assert rows(tile(6, Size(200, 58))) == 2
    assert rows(tile(6, Size(120, 38))) in (2, 3)
    small = tile(6, Size(80, 22))
    assert sum(region.bottom <= 22 for region in small) == 4


def test_sixteen_panes_fit_on_a_large_terminal() -> None:
    assert max(region.bottom for region in tile(16, Size(200, 58))) == 58


def test_steps_go_to_the_neighbour_and_stop_at_the_edge() -> None:
    grid = tile(5, Size(200, 58))  # three above, two wider ones below
    assert [neighbour(grid, 0, way) for way in ("left", "right", "up", "down")] == [0, 1, 0, 3]
    assert neighbour(grid, 4, "up") == 2
    assert neighbour(grid, 4, "right") == 4


@given(counts, rooms, st.sampled_from(["left", "right", "up", "down"]))
def test_a_step_never_goes_the_other_way(count: int, room: Size, way: str) -> None:
    grid = tile(count, room)
    for index, here in enumerate(grid):
        there = grid[neighbour(grid, index, way)]  # type: ignore[arg-type]  # sampled as str
        dx, dy = there.x - here.x, there.y - here.y
        if there is not here:
            assert {"left": dx < 0, "right": dx > 0, "up": dy < 0, "down": dy > 0}[way]
