"""Short messages in the corner of the screen."""

from dataclasses import dataclass, field
from typing import TypeVar

from textual.app import App
from textual.notifications import Notification

from lfgtui.model.clock import now

ResultT = TypeVar("ResultT")

_SHORTEST_TOAST = 0.05
"""Least seconds that a toast stays."""


@dataclass
class Toast(Notification):
    """A notification as Textual shows it, timed by lfg's own clock.

    Textual goes by the system clock: if that is set back, a toast stays for an hour; if it is set
    forward while a toast is mounted, a timer of negative time starts, whose loop never ends.
    """

    raised_at: float = field(default_factory=now)

    @property
    def time_left(self) -> float:
        """Seconds until the toast goes; always more than 0."""
        return max(_SHORTEST_TOAST, self.raised_at + self.timeout - now())

    @property
    def has_expired(self) -> bool:
        """True if it is not to be shown again."""
        return now() >= self.raised_at + self.timeout


def withdraw(app: App[ResultT], message: str) -> None:
    """Remove toasts with this text."""
    for toast in [one for one in app._notifications if one.message == message]:
        app._unnotify(toast)
