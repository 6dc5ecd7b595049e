"""Tiling: the regions of panes in rows that fill the room, and on pages if there are too many.

Only numbers: `PaneGrid` places the panes.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import ceil, log
from typing import Literal, TypeAlias

from textual.geometry import Region, Size

Direction = Literal["left", "right", "up", "down"]

Page: TypeAlias = dict[int, Region]
"""The region of each pane of a page, by the pane's index."""

MIN_WIDTH, MIN_HEIGHT = 38, 9
"""Least cells and rows of a pane."""

LOW = 4
"""Rows of a pane that has ended and makes room: its header and its last two lines."""

_PLEASANT_ASPECT = 3.2
"""Cells across for each cell down; a cell is about twice as high as wide."""


def tile(
    has_ended: Sequence[bool],
    room: Size,
    *,
    pinned: int = 0,
    is_across: bool = False,
    rows_taken: int = 0,
) -> list[Page]:
    """Return the pages of panes, row by row. All pages fill the room.

    If all panes fit at their least size they are one page of equal rows; the panes of the last
    row share its width. Otherwise the first `pinned` panes are on each page, and ended panes are
    low, which gives their room to those above and below. `is_across`: as many as fit, side by
    side. `rows_taken` reduce the room but not the plan, so that a bar below the panes does not
    rearrange them.
    """
    plan = Size(max(1, room.width), max(1, room.height + rows_taken))
    columns, rows = _columns(len(has_ended), plan, is_across), _most_rows(plan)
    if len(has_ended) <= columns * rows:
        return [_place_rows(range(len(has_ended)), columns, room)]
    pages, begin = list[Page](), (kept := min(pinned, columns * rows - 1))
    while begin < len(has_ended):
        order = [*range(kept), *range(begin, len(has_ended))]
        page = order[: _count_fitting([has_ended[index] for index in order], columns, plan.height)]
        if any(has_ended[index] for index in page):
            pages.append(_place_columns(page, has_ended, min(columns, len(page)), room, plan))
        else:
            pages.append(_place_rows(page, columns, room))
        begin += len(page) - kept
    return pages


def _count_fitting(has_ended: Sequence[bool], columns: int, height: int) -> int:
    """Return how many of the panes fit at their least size; one row always fits."""
    free = [height] * columns
    for at, is_low in enumerate(has_ended):
        free[at % columns] -= LOW if is_low else MIN_HEIGHT
        if free[at % columns] < 0 and at >= columns:
            return at
    return len(has_ended)


def _place_rows(panes: Sequence[int], columns: int, room: Size) -> Page:
    rows = [panes[at : at + columns] for at in range(0, len(panes), columns)]
    page: Page = {}
    for row, (top, bottom) in zip(rows, _edges([1] * len(rows), room.height), strict=True):
        for index, (left, right) in zip(row, _edges([1] * len(row), room.width), strict=True):
            page[index] = Region(left, top, right - left, bottom - top)
    return page


def _place_columns(
    panes: Sequence[int], has_ended: Sequence[bool], columns: int, room: Size, plan: Size
) -> Page:
    """Return a page on which ended panes are low, and the others share the rest of their column."""
    page: Page = {}
    for column, (left, right) in enumerate(_edges([1] * columns, room.width)):
        stack = panes[column::columns]
        low = sum(has_ended[index] for index in stack)
        high = len(stack) - low
        share = plan.height - LOW * low if high else 1
        shares = [(LOW * high or 1) if has_ended[index] else share for index in stack]
        for index, (top, bottom) in zip(stack, _edges(shares, room.height), strict=True):
            page[index] = Region(left, top, right - left, bottom - top)
    return {index: page[index] for index in panes}


def _edges(shares: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """Yield where each part of a length begins and ends, in proportion to its share."""
    parts = accumulate(shares, initial=0)
    return pairwise([part * max(1, length) // sum(shares) for part in parts])


def _most_rows(room: Size) -> int:
    return max(1, room.height // MIN_HEIGHT)


def _columns(count: int, room: Size, is_across: bool) -> int:
    """Return the number of columns that gives panes the most pleasant shape."""
    most = min(count, max(1, room.width // MIN_WIDTH))
    fitting = [n for n in range(1, most + 1) if ceil(count / n) <= _most_rows(room)]

    def strangeness(columns: int) -> float:
        rows = ceil(count / columns)
        aspect = (room.width / columns) / (room.height / rows)
        missing = (columns * rows - count) / columns
        return abs(log(aspect / _PLEASANT_ASPECT)) + missing / 2

    return most if is_across or not fitting else min(fitting, key=strangeness)


def neighbour(page: Page, index: int, direction: Direction) -> int | None:
    """Return the index of the pane next to pane `index` in that direction; None at an edge."""
    sign, is_sideways = (-1 if direction in ("left", "up") else 1), direction in ("left", "right")

    def sides(region: Region) -> tuple[range, range]:
        """Return its cells in the direction of the step, and those across it."""
        columns, rows = range(region.x, region.right), range(region.y, region.bottom)
        return (columns, rows) if is_sideways else (rows, columns)

    here, across = sides(page[index])
    ways = list[tuple[int, int, int]]()
    for other, region in page.items():
        there, beside = sides(region)
        ahead = sign * (there.start - here.start)
        if ahead > 0 and beside.start < across.stop and across.start < beside.stop:
            middles = beside.start + beside.stop - across.start - across.stop
            ways.append((ahead, abs(middles), other))
    return min(ways)[2] if ways else None
