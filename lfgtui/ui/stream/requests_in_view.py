"""Requests that a person has had in view, whole and for long enough to decide on.

A person approves what they have read. A card that fits has to be in the window
with all of its lines; of a taller one all lines must have been in the window,
and its end, where the question is, must be there now.
"""

from collections.abc import Hashable, Mapping
from itertools import count
from typing import NamedTuple

import msgspec

from lfgtui.ui.items import Context, ItemView
from lfgtui.ui.stream.line_index import LineIndex
from lfgtui.ui.stream.viewport import Viewport

MIN_SECONDS_IN_VIEW = 0.4
"""Seconds that a request must have been in view before keys decide on it."""


class CardInView(NamedTuple):
    """Lines `first` to `last` (exclusive) of a card's `height`, as wrapped to `width`.

    `room` is the number of lines that the window has for it.
    """

    first: int
    last: int
    height: int
    width: int
    room: int

    @property
    def shows_end(self) -> bool:
        """True if its end is in view, and all of it if it fits."""
        return self.last == self.height and (self.first == 0 or self.height > self.room)


def card_in_view(
    lines: LineIndex, viewport: Viewport, context: Context, view: ItemView, rows: range
) -> CardInView | None:
    """Return the part of an item's unfolded card that is in the given rows of the window."""
    if not view.is_unfolded(context):
        return None
    card = lines.lines_of(view)
    begin, height = card.start - viewport.top, len(card)
    first, last = max(0, rows.start - begin), min(height, rows.stop - begin)
    if card.stop < lines.chunks.heights.total:  # the last row is the hint, or below the card
        rows = range(rows.start, min(rows.stop, viewport.height - 1))
    return CardInView(first, last, height, context.width, len(rows)) if first < last else None


def show_card(
    lines: LineIndex, viewport: Viewport, context: Context, view: ItemView, line: int
) -> None:
    """Bring a card into view, unfolded: all of it or, if it is taller, from `line` on."""
    if not view.is_unfolded(context):
        view.override = None  # a request unfolds by itself
        lines.refold(view, context)
    viewport.stay_at(lines.lines_of(view).start)  # this draws it
    card = lines.lines_of(view)
    room = viewport.height - 1  # the last row is the hint at the lines below
    if card.stop >= lines.chunks.heights.total and len(card) <= viewport.height:
        viewport.follow()
    elif len(card) <= room:
        viewport.stay_at(card.stop - room)
    else:
        viewport.stay_at(card.start + min(line, len(card) - room))


class _Seen(msgspec.Struct):
    """The `lines` of one card that have been in view since its `size` (rows, width) last changed.

    `since`: when all of them had been in view and its end was, too; None while it is not.
    """

    size: tuple[int, int] = (0, 0)
    lines: set[int] = msgspec.field(default_factory=set)
    since: float | None = None

    def look(self, card: CardInView | None, now: float) -> None:
        if card is None:
            self.since = None
            return
        if (card.height, card.width) != self.size:
            self.size, self.lines, self.since = (card.height, card.width), set(), None
        self.lines.update(range(card.first, card.last))
        is_read = len(self.lines) == card.height and card.shows_end
        self.since = (now if self.since is None else self.since) if is_read else None


class RequestsSeen:
    """The lines of waiting requests that have been in view; call `note` after each frame.

    A request is any key, e.g. ticket, call id and revision; one that changed needs another key.
    """

    def __init__(self) -> None:
        self._seen: dict[Hashable, _Seen] = {}

    def note(self, shown: Mapping[Hashable, CardInView | None], now: float) -> None:
        """Note which part of each waiting request is in view."""
        before, self._seen = self._seen, {}
        for request, card in shown.items():
            seen = self._seen[request] = before.get(request) or _Seen()
            seen.look(card, now)

    def first_unseen(self, request: Hashable) -> int:
        """Return the first line that has not been in view; past the end if all have."""
        lines = self._seen[request].lines if request in self._seen else ()
        return next(line for line in count() if line not in lines)

    def seconds(self, request: Hashable, now: float) -> float | None:
        """Return how long the request has been fully in view; None if it is not."""
        since = self._seen[request].since if request in self._seen else None
        return None if since is None else now - since
