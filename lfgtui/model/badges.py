"""A ticket's state in a cell or two: a sign, a colour, a word.

The colour is the name of a theme variable. Every sign is one cell wide, and
no two states that call for different acts share one.
"""

from typing import NamedTuple

from lfgtui.model.states import State


class Badge(NamedTuple):
    """A state's sign, theme variable and word."""

    sign: str
    colour: str
    word: str


BADGES: dict[State | None, Badge] = {
    None: Badge("·", "faint", "new"),
    "queued": Badge("○", "muted", "queued"),
    "starting": Badge("◌", "primary", "starting"),
    "waiting": Badge("◐", "primary", "waiting"),
    "streaming": Badge("●", "primary", "streaming"),
    "running_tool": Badge("▶", "accent", "tool"),
    "needs_approval": Badge("?", "warning", "approve?"),
    "retrying": Badge("↻", "warning", "retrying"),
    "paused": Badge("‖", "secondary", "paused"),
    "done": Badge("✓", "success", "done"),
    "failed": Badge("✗", "error", "failed"),
    "cancelled": Badge("⊘", "muted", "cancelled"),
    "limit": Badge("⊤", "error", "limit"),
    "blocked": Badge("⊟", "error", "blocked"),
    "interrupted": Badge("!", "error", "interrupted"),
}

STALLED = Badge("◍", "warning", "stalled")
