"""The position of a request's card in the window of a stream."""

from lfgtui.ui.items import Context
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.requests_seen import CardInView
from lfgtui.ui.stream.search_target import Spot
from lfgtui.ui.stream.viewport import Window


def card_in_view(
    lines: StreamLines, window: Window, look: Context, spot: Spot, rows: range
) -> CardInView | None:
    """Return the part of an item's unfolded card that is in those rows of the window."""
    view = lines.item_view(*spot)
    if view is None or not view.is_unfolded(look):
        return None
    begin = lines.first_line(view) - window.top
    height = sum(map(lines.pieces.height, lines.pieces_of(view)))
    first, last = max(0, rows.start - begin), min(height, rows.stop - begin)
    return CardInView(first, last, height, look.width, len(rows)) if first < last else None


def show_card(lines: StreamLines, window: Window, look: Context, spot: Spot) -> None:
    """Bring a card into the window, unfolded: all of it, or the beginning of a taller one."""
    view = lines.item_view(*spot)
    if view is None:
        return
    if not view.is_unfolded(look):
        view.override = None  # a request is unfolded by itself
        lines.refold(view, look)
    window.leave(lines.first_line(view))  # which draws it
    begin = lines.first_line(view)
    height = sum(map(lines.pieces.height, lines.pieces_of(view)))
    room = window.height - 1  # the last row tells what is below
    if begin + height >= lines.pieces.total and height <= window.height:
        window.follow()
    elif height <= room:
        window.leave(begin + height - room)
