"""The row at the bottom: the keys that matter just now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lfgtui.settings.keys import BY_ACTION
from lfgtui.ui.keymap import displayed
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.text.styled_line import Line, Span, between, line_width, one_line, shorten

APPROVAL = ("approve", "approve_always", "deny")
"""Actions of keys that decide on a call."""

_NEEDED = frozenset({*APPROVAL, "back", "zoom", "cancel", "retry", "attention", "help", "quit"})
"""Actions whose keys are shown before the view's label is."""

_SPARED = ("attention", "help")
"""Needed actions that make room for the view's label, the first to go first."""

_PATTERN = 24
"""Most cells of a pattern that are shown."""

_WIDE = 100
"""Least cells of a footer that shows the view's name before the number."""


class Offer(NamedTuple):
    """An action that a key does now, as `settings/keys.py` names it; `label` replaces the usual."""

    action: str
    label: str = ""


PANES = (*map(Offer, ("view", "find", "history", "tools", "reasoning", "copy", "follow")),)
TABLE = (
    *(Offer("find", "filter"), Offer("aside_right", "sort"), Offer("reverse"), Offer("group")),
    *map(Offer, ("view", "history", "copy")),
)
"""The offers with panes and with the table; those of the ticket's state come before them."""


def compose_footer(
    offers: Iterable[Offer],
    keys: Mapping[str, Sequence[str]],
    width: int,
    *,
    view_label: str = "",
    aside: str = "",
    finding: str = "",
) -> Line:
    """Return the row: the keys of the offers, as many as fit, and `view_label` at the right.

    Keys that decide on a call come first in the offers, and have the colour of an alarm.
    `view_label` is a view and a number; `aside` stands beside it, only its first part in a narrow
    footer. `finding`, at the left, is the pattern and match of an open search, or a remark; it
    leaves room for the first key that decides.
    """
    number, page = view_label.rpartition(" ")[2], aside.partition(" · ")[0]
    labels = [(view_label, aside) if width >= _WIDE else (number, page), (number,)]
    rights = [[Span(" · ".join(filter(None, parts)) + " ", "muted")] for parts in labels]
    shown = [
        (action, _offer(action, displayed(pressed[0]), other or BY_ACTION[action].label))
        for action, other in offers
        if (pressed := keys.get(action))
    ]
    decision = next((line_width(part) for action, part in shown if action in APPROVAL), 0)
    finding = shorten(finding, width - 2 - decision)
    line = [Span(f" {finding} ", "background", True, "secondary")] if finding else []
    for spared in (*_SPARED, ""):
        needed = sum(line_width(part) for action, part in shown if action in _NEEDED)
        left = width - line_width(line) - needed
        if line_width(rights[-1]) < left:
            break
        shown = [(action, part) for action, part in shown if action != spared]
    right = next((right for right in rights if line_width(right) < left), rights[-1])
    for action, part in shown:
        room = width if action in APPROVAL else width - line_width(right) - 1
        if line_width(line) + line_width(part) <= room:
            line += part
    return between(line, right, width)


def _offer(action: str, key: str, label: str) -> Line:
    if action in APPROVAL:
        return [Span(f" {key} {label} ", "background", True, "warning")]
    return key_and_label(key, label)


def search_status(finder: Finder) -> str:
    """Return the pattern of a search, and the number of the match shown."""
    number = f"{finder.number}/{finder.count}" if finder.count else "no matches"
    return pattern_status(finder.pattern, number)


def pattern_status(pattern: str, found: str) -> str:
    """Return a pattern, shortened, and the words `found` on its matches."""
    return f"“{shorten(one_line(pattern), _PATTERN)}” {found}"


def key_and_label(key: str, label: str) -> Line:
    """Return a key and what it does."""
    return [Span(f" {key}", "primary", True), Span(f" {label} ", "muted")]
