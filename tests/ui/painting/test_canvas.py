"""What changed is painted where it is in sight, and nowhere else."""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.model import events as e
from lfgtui.ui.painting.canvas import _rows
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.widgets.pane_header import PaneHead
from tests.ui.stage import BEGIN, numbered, staged


def painted(
    widget: Widget, where: Region, clip: Region, dirty: Region
) -> list[tuple[int, int, Strip]]:
    """The rows of a widget that is in sight there: column, row, strip."""
    return list(_rows({widget: (where, clip)}, [(widget, dirty)]))


async def test_a_widget_that_was_not_told_yet_how_small_it_is_now_stays_in_its_place() -> None:
    async with staged(30, 12) as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta(numbered(1, 30)))
        for widget in (stage.query_one(StreamView), stage.query_one(PaneHead)):
            where, screen = Region(2, 2, 20, 1), Region(0, 0, 60, 40)
            rows = painted(widget, where, screen, widget.size.region)
            assert [(x, y, strip.cell_length) for x, y, strip in rows] == [(2, 2, 20)]


async def test_what_is_clipped_is_not_painted() -> None:
    async with staged(30, 12) as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta(numbered(1, 30)))
        view = stage.query_one(StreamView)
        where = Region(4, 5, view.size.width, view.size.height)
        dirty = Region(0, 1, view.size.width, 3)
        whole = painted(view, where, Region(0, 0, 99, 99), dirty)
        assert [y for _, y, _ in whole] == [6, 7, 8]
        clipped = painted(view, where, Region(6, 7, 10, 99), dirty)
        assert [(x, y) for x, y, _ in clipped] == [(6, 7), (6, 8)]
        assert [strip.text for *_, strip in clipped] == [s.text[2:12] for *_, s in whole[1:]]
        assert not painted(view, where, Region(0, 0, 4, 99), dirty)
        assert not list(_rows({}, [(view, dirty)]))
