"""From a hit of a search to the very place on the screen that it was found at.

The same words may stand in every turn of a ticket, and in what a card shows of
a call's arguments as well as in its output. So a hit leads to the item that its
first entry belongs to, and there to the match around which stands what stood
around it in the history: letters and digits only, since the screen shows Markdown
without its marks and long outputs in part.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.text.wrapping import Row, width_of

_AROUND, _AGREED = 120, 6
"""Letters and digits on each side of a match that are compared, and that must be alike."""


class Spot(NamedTuple):
    """Where in a ticket something stands: which attempt, which of its items, from 0."""

    attempt: int
    item: int


class Lead(msgspec.Struct, frozen=True):
    """A match that is led to: its item, what matched, and what stood around that."""

    spot: Spot
    pattern: str
    before: str = ""
    after: str = ""


def follow(lead: Lead, lines: StreamLines, finder: Finder) -> int | None:
    """Make the match that is meant the current one; the line it begins on.

    None where the item does not show it: what is left out of a long output, say.
    """
    view = lines.item_view(*lead.spot)
    if view is None:
        return None
    # A card shows parts only: what it shows may not be what is meant.
    best, best_score = None, (view.kind == "tool", -1)
    for index in lines.pieces_of(view):
        for number, (left, right) in enumerate(_contexts(index, lines, finder)):
            if (score := _likeness(lead, left, right)) > best_score:
                best, best_score = (index, number), score
    if best is None:
        return None
    finder.choose(*best)
    return finder.current_line()


def _likeness(lead: Lead, left: str, right: str) -> tuple[bool, int]:
    """Whether what stands around a match can be what stood around the hit, and how much is."""
    agrees, shared = True, 0
    for meant, shown in (
        (_plain(lead.before)[::-1], _plain(left)[::-1]),
        (_plain(lead.after), _plain(right)),
    ):
        alike = _shared(meant[:_AROUND], shown[:_AROUND])
        agrees = agrees and alike >= min(len(meant), len(shown), _AGREED)
        shared += alike
    return agrees, shared


def _contexts(index: int, lines: StreamLines, finder: Finder) -> Iterator[tuple[str, str]]:
    """What stands before and behind each match in a piece."""
    found = finder.matches_in(index)
    if not found:
        return
    rows = lines.pieces.passing(index)
    for match in found:
        first, last = match[0], match[-1]
        yield (
            _text(rows, first.row - _AROUND, first.row) + _cells(rows[first.row], 0, first.begin),
            _cells(rows[last.row], last.end, 1 << 30) + _text(rows, last.row + 1, last.row + 40),
        )


def _text(rows: Sequence[Row], first: int, last: int) -> str:
    return "".join(row.text for row in rows[max(0, first) : last])


def _cells(row: Row, begin: int, end: int) -> str:
    """What of a row stands in those cells."""
    at, text = 0, []
    for character in row.text:
        if begin <= at < end:
            text.append(character)
        at += width_of(character)
    return "".join(text)


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _shared(one: str, other: str) -> int:
    """How many characters the two begin with alike."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
