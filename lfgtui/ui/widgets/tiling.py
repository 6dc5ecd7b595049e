"""Tiling of panes: regions from their number and the room there is.

A function of numbers alone, called when the terminal or the view changes and
never because text arrived.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, log
from typing import Literal

from textual.geometry import Region, Size

MIN_WIDTH = 38
MIN_HEIGHT = 9

_PLEASANT_ASPECT = 3.2
"""Cells across for each cell down; a cell is about twice as high as wide."""

Direction = Literal["left", "right", "up", "down"]


def tile(count: int, room: Size, *, across: bool = False, rows_taken: int = 0) -> list[Region]:
    """Return a region for each pane, row by row; the last row's panes share its width.

    Where all of them fit at their least size they fill the room; else rows are
    as high as lets whole rows show, and the plan is longer than the room. `across`: side
    by side, as many as fit. `rows_taken` are left out of the room, and not of the plan: a
    bar below the panes does not make them others.
    """
    if count == 0:
        return []
    # Nowhere at all would be no overflow: the scrollbar would come and go for ever.
    room = Size(max(1, room.width), max(1, room.height))
    whole = Size(room.width, room.height + rows_taken)
    columns, rows = _row(count, whole) if across else _shape(count, whole)
    in_view = min(rows, max(1, room.height // MIN_HEIGHT))
    tops = [row * room.height // in_view for row in range(in_view + 1)]

    def top(row: int) -> int:
        screens, rest = divmod(row, in_view)
        return screens * room.height + tops[rest]

    regions: list[Region] = []
    for row in range(rows):
        abreast = min(columns, count - row * columns)
        edges = [column * room.width // abreast for column in range(abreast + 1)]
        regions.extend(
            Region(left, top(row), right - left, top(row + 1) - top(row))
            for left, right in pairwise(edges)
        )
    return regions


def neighbour(regions: Sequence[Region], index: int, direction: Direction) -> int:
    """Return the index of the pane one step away, or the same where there is none."""
    here = regions[index]
    x, y = here.x + here.width / 2, here.y + here.height / 2
    best, best_distance = index, float("inf")
    for other, region in enumerate(regions):
        across = region.x + region.width / 2 - x
        down = region.y + region.height / 2 - y
        ahead, aside = {
            "left": (-across, region.y != here.y),
            "right": (across, region.y != here.y),
            "up": (-down, False),
            "down": (down, False),
        }[direction]
        if ahead <= 0 or aside:
            continue
        off_axis = abs(across) if direction in ("up", "down") else 0
        distance = ahead * 1000 + off_axis
        if distance < best_distance:
            best, best_distance = other, distance
    return best


def _row(count: int, room: Size) -> tuple[int, int]:
    columns = min(count, max(1, room.width // MIN_WIDTH))
    return columns, ceil(count / columns)


def _shape(count: int, room: Size) -> tuple[int, int]:
    """Return columns and rows."""
    most_columns = max(1, room.width // MIN_WIDTH)
    most_rows = max(1, room.height // MIN_HEIGHT)
    fitting = [
        (columns, ceil(count / columns))
        for columns in range(1, min(count, most_columns) + 1)
        if ceil(count / columns) <= most_rows
    ]
    if not fitting:
        columns = min(count, most_columns)
        return columns, ceil(count / columns)

    def strangeness(shape: tuple[int, int]) -> float:
        columns, rows = shape
        aspect = (room.width / columns) / (room.height / rows)
        missing = (columns * rows - count) / columns
        return abs(log(aspect / _PLEASANT_ASPECT)) + missing / 2

    return min(fitting, key=strangeness)
