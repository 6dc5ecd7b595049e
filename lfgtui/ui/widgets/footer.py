"""The row at the bottom: the keys that matter just now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from lfgtui.model.states import ENDED, State
from lfgtui.ui.keymap import BY_ACTION, displayed
from lfgtui.ui.painting.self_painted import LineRow
from lfgtui.ui.text.styled_line import Line, Span, between, line_width


class Situation(msgspec.Struct, frozen=True):
    """The state of a screen that its keys act on."""

    state: State | None
    is_live: bool
    is_zoomed: bool
    finding: str | None
    """Pattern and number of the match shown, while a search is open."""

    where: str
    """Text at the right: view and number of the pane."""

    replay: Literal["playing", "held", "ended"] | None = None
    """State of a replay; None of any other run."""
    attempts: int = 1
    can_resume: bool = False
    """True of a past run with something left to do."""


_NEEDED = frozenset({"back", "zoom", "cancel", "retry", "attention", "help", "quit"})
_WIDE = 100
"""Cells from which the place is shown with the view's name."""


class Footer(LineRow):
    """One row of keys and words, the approval's own in the colour of an alarm."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._keys = keys
        self._situation: Situation | None = None

    def tell(self, situation: Situation) -> None:
        """Show the keys for a situation; nothing is painted if nothing changed."""
        self._situation = situation
        self.show(compose_footer(situation, self._keys, self.size.width))

    def on_resize(self) -> None:
        if self._situation is not None:
            self.tell(self._situation)


def compose_footer(situation: Situation, keys: Mapping[str, Sequence[str]], width: int) -> Line:
    """Return the row's spans: the keys one needs, the place at the right, more keys."""
    line: Line = []
    place = situation.where if width >= _WIDE else situation.where.rpartition(" ")[2]
    where = [Span(f"{place} ", "muted")]
    if situation.finding is not None:
        line.append(Span(f" {situation.finding} ", "background", True, "secondary"))
    deciding = situation.state == "needs_approval" and situation.is_live
    if deciding and situation.finding is None:
        for action in ("approve", "approve_always", "deny"):
            if said := keys.get(action):
                text = f" {displayed(said[0])} {BY_ACTION[action].label} "
                line.append(Span(text, "background", True, "warning"))
    for action in _actions(situation):
        if said := keys.get(action):
            piece = [
                Span(f" {displayed(said[0])}", "primary", True),
                Span(f" {_label(action, situation)} ", "muted"),
            ]
            room = width if action in _NEEDED else width - line_width(where) - 1
            if line_width(line) + line_width(piece) <= room:
                line += piece
    return between(line, where, width)


def _actions(situation: Situation) -> Iterable[str]:
    """Yield the actions to show in order of use, without those that cannot be done now."""
    if situation.finding is not None:
        yield from ("attention", "previous_hit", "back", "find")
        return
    yield "back" if situation.is_zoomed else "zoom"
    if situation.replay is not None:
        yield from ("pause", "skip_back", "skip_forward", "slower", "faster", "help", "quit")
        yield from ("go_to_moment", "event_back", "event_forward", "view", "find", "tools")
        return
    ended = situation.state in ENDED
    if situation.is_live:
        yield "retry" if ended else "cancel"
    elif not situation.is_zoomed:
        yield "back"
    if situation.can_resume:
        yield "retry"
    yield from ("attention", "help", "quit")
    if situation.is_live and not ended:
        yield "pause"
    if situation.attempts > 1:
        yield "beside"
    yield from ("view", "find", "history", "tools", "reasoning", "copy", "follow")


def _label(action: str, situation: Situation) -> str:
    if situation.finding is not None and action == "attention":
        return "next match"
    if action == "pause" and situation.replay is not None:
        return {"playing": "pause", "held": "play", "ended": "replay"}[situation.replay]
    if action == "pause" and situation.state == "paused":
        return "continue"
    if action == "retry" and not situation.is_live:
        return "resume"
    return BY_ACTION[action].label
