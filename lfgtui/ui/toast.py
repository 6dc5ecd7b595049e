"""Short messages in the corner of the screen."""

from dataclasses import dataclass, field

from textual.notifications import Notification

from lfgtui.model.clock import now

_SHORTEST_TOAST = 0.05
"""Seconds that a late toast stays."""


@dataclass
class Toast(Notification):
    """A notification as Textual shows it, timed by lfg's own clock.

    Textual's goes by the system clock: set back, it keeps a toast for an hour; set forward while
    a toast is mounted, it starts a timer of a negative time, whose loop never ends.
    """

    raised_at: float = field(default_factory=now)

    @property
    def time_left(self) -> float:
        """Seconds until the toast goes; always some."""
        return max(_SHORTEST_TOAST, self.raised_at + self.timeout - now())

    @property
    def has_expired(self) -> bool:
        """True if it is not to be shown again."""
        return now() >= self.raised_at + self.timeout
