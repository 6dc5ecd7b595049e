"""Toasts whose time runs by a clock that nobody sets."""

from textual.notifications import Notification, SeverityLevel

from lfgtui.clock import now

_LEAST = 0.05
"""Seconds that a toast stays that comes too late."""


class Toast(Notification):
    """A notification as Textual shows it, timed by lfg's own clock.

    Textual's goes by the system clock: set back, it keeps a toast for an hour; set forward while
    one is mounted, it starts a timer of less than no seconds, which leaves its loop never.
    """

    @property
    def time_left(self) -> float:
        """Seconds, always some, until the toast goes."""
        return max(_LEAST, self._ends - now())

    @property
    def has_expired(self) -> bool:
        """True if it is not to be shown again."""
        return now() >= self._ends

    @property
    def _ends(self) -> float:
        return self.raised_at + self.timeout


def toast(message: str, title: str, severity: SeverityLevel, timeout: float) -> Toast:
    """Return a toast that appears now. Its text is never parsed as markup."""
    return Toast(message, title, severity, timeout, markup=False, raised_at=now())
