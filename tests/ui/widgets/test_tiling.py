"""Where panes lie."""

from collections.abc import Sequence
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from lfgtui.ui.widgets.tiling import LOW, MIN_HEIGHT, MIN_WIDTH, Direction, Page, neighbour, tile

ROOMS = st.builds(Size, st.integers(1, 300), st.integers(1, 100))
COUNTS = st.integers(1, 64)
ENDS = st.lists(st.booleans(), min_size=1, max_size=64)


def rows(page: Page) -> list[list[Region]]:
    regions = list(page.values())
    return [[one for one in regions if one.y == top] for top in sorted({r.y for r in regions})]


@given(ENDS, ROOMS, st.integers(0, 5))
def test_each_page_fills_the_room_and_all_panes_are_on_one(
    has_ended: list[bool], room: Size, pinned: int
) -> None:
    pages = tile(has_ended, room, pinned=min(pinned, len(has_ended)))
    assert {index for page in pages for index in page} == set(range(len(has_ended)))
    for page in pages:
        regions = list(page.values())
        assert sum(region.area for region in regions) == room.area
        assert not any(a.overlaps(b) for i, a in enumerate(regions) for b in regions[:i])
        assert all(region.width >= min(MIN_WIDTH, room.width) for region in regions)
        assert list(page) == sorted(page)
        for index, region in page.items():
            assert region.height >= min(LOW if has_ended[index] else MIN_HEIGHT, room.height)


@given(COUNTS, ROOMS, st.integers(1, 5))
def test_pinned_panes_are_first_on_every_page_and_leave_room_for_another(
    count: int, room: Size, pinned: int
) -> None:
    pages = tile([False] * count, room, pinned=min(pinned, count))
    kept = set(pages[0]).intersection(*pages)
    assert all(list(page)[: len(kept)] == sorted(kept) for page in pages)
    assert len(pages) == 1 or all(len(page) > len(kept) for page in pages)
    others = [index for page in pages for index in page if index not in kept]
    assert others == sorted(set(others))


def panes_on(pages: Sequence[Page]) -> list[int]:
    return [len(page) for page in pages]


def test_panes_on_three_terminals() -> None:
    assert len(rows(tile([False] * 6, Size(200, 58))[0])) == 2
    assert len(rows(tile([False] * 6, Size(120, 38))[0])) in (2, 3)
    assert panes_on(tile([False] * 6, Size(80, 22))) == [4, 2]
    assert panes_on(tile([False] * 16, Size(200, 58))) == [16]


def test_panes_that_have_ended_make_room_for_those_that_are_pushed_off() -> None:
    (first, second) = tile([True] * 9 + [False] * 11, Size(120, 38))
    assert [row[0].height for row in rows(first)] == [4, 4, 4, 13, 13]
    assert (list(first), list(second)) == ([*range(15)], [*range(15, 20)])
    (mixed, _) = tile([False, True] * 10, Size(120, 38))
    assert [mixed[index].height for index in (0, 3, 6, 9, 12)] == [10, 4, 10, 4, 10]
    assert len(mixed) == 15
    (whole,) = tile([True] * 3 + [False] * 9, Size(120, 38))  # nothing is pushed off
    assert min(region.height for region in whole.values()) >= MIN_HEIGHT


def test_a_bar_below_the_panes_leaves_them_on_their_pages() -> None:
    for ended in ([False] * 20, [True] * 9 + [False] * 11):
        pages = tile(ended, Size(120, 38))
        assert [*map(list, tile(ended, Size(120, 29), rows_taken=9))] == [*map(list, pages)]


def test_steps_go_to_the_neighbour_and_stop_at_the_edge() -> None:
    (grid,) = tile([False] * 5, Size(200, 58))  # three above, two wider ones below
    assert [neighbour(grid, 0, way) for way in get_args(Direction)] == [None, 1, None, 3]
    assert neighbour(grid, 4, "up") == 2
    assert neighbour(grid, 4, "right") is None


@given(COUNTS, ROOMS)
def test_a_step_never_goes_the_other_way(count: int, room: Size) -> None:
    for page in tile([False] * count, room):
        for index, here in page.items():
            for way in get_args(Direction):
                if (to := neighbour(page, index, way)) is not None:
                    across, down = page[to].x - here.x, page[to].y - here.y
                    ahead = across if way in ("left", "right") else down
                    assert (ahead < 0) is (way in ("left", "up")) and ahead
