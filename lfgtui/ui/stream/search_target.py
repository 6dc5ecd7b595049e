"""The match in a stream that belongs to a hit of a search in the history.

The same words may occur in every turn of a ticket, and in a call's arguments as
well as in its output. So the match must be in the item of the hit's first entry, with
the same text around it. Only letters and digits are compared, since the screen shows
Markdown without its marks and long outputs in part.
"""

from collections.abc import Iterator
from itertools import takewhile
from operator import eq
from typing import NamedTuple

import msgspec

from lfgtui.model.fold.items import Item
from lfgtui.model.fold.transcript import Transcript
from lfgtui.ui.items import ItemView
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex

_AROUND, _AGREED = 120, 6
"""Letters and digits on each side of a match that are compared, and how many must agree."""


class ItemRef(NamedTuple):
    """An item of a ticket: the number of its attempt, and its own number there, from 0."""

    attempt: int
    item: int


class Target(msgspec.Struct, frozen=True):
    """A match to show: its item, the text that matched (`pattern`), and the text around it."""

    item: ItemRef
    pattern: str
    before: str = ""
    after: str = ""


def find_item(transcript: Transcript | None, ref: ItemRef) -> Item | None:
    """Return the item in the transcript, if it has it yet."""
    attempts = transcript.attempts if transcript is not None else []
    items = attempts[ref.attempt].items if ref.attempt < len(attempts) else []
    return items[ref.item] if ref.item < len(items) else None


def choose_match(target: Target, view: ItemView, lines: LineIndex, finder: Finder) -> int | None:
    """Make the target the current match and return the line it begins on.

    None if its item does not show it, e.g. because a long output is shown in part.
    """
    # A card shows its text in part, so a match there counts only if the text around it agrees.
    best, best_score = None, (view.kind == "tool", -1)
    for index in lines.chunks_of(view):
        for number, (left, right) in enumerate(_contexts(index, lines, finder)):
            if (score := _likeness(target, left, right)) > best_score:
                best, best_score = (index, number), score
    if best is None:
        return None
    finder.choose(*best)
    return finder.current_line()


def _likeness(target: Target, left: str, right: str) -> tuple[bool, int]:
    """Return whether the text around a match may be the target's, and how much of it agrees."""
    agrees, shared = True, 0
    for meant, shown in (
        (_plain(target.before)[::-1], _plain(left)[::-1]),
        (_plain(target.after), _plain(right)),
    ):
        alike = sum(takewhile(bool, map(eq, meant[:_AROUND], shown[:_AROUND])))
        agrees = agrees and alike >= min(len(meant), len(shown), _AGREED)
        shared += alike
    return agrees, shared


def _contexts(index: int, lines: LineIndex, finder: Finder) -> Iterator[tuple[str, str]]:
    """Yield the text before and after each match in a chunk."""
    if not (matches := finder.matches_in(index)):
        return
    texts = [row.text for row in lines.chunks.rows_once(index)]
    for match in matches:
        first, last = match[0], match[-1]
        before = texts[max(0, first.row - _AROUND) : first.row]
        after = texts[last.row + 1 : last.row + 40]
        yield (
            "".join([*before, texts[first.row][: first.begin]]),
            "".join([texts[last.row][last.end :], *after]),
        )


def _plain(text: str) -> str:
    """Return the text's letters and digits in lower case."""
    return "".join(filter(str.isalnum, text)).lower()
