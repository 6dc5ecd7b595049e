"""Parking: a ticket waits until its providers' limits end, or tries in spite of them."""

from lfgtui.engine.recovery.limits import Limit, LimitedError, Limits
from lfgtui.engine.recovery.recovery import Recovery
from lfgtui.model import events as e


class Parking:
    """The limits between a ticket and its routes, for one start of it."""

    def __init__(self, limits: Limits, recovery: Recovery) -> None:
        self.limit: Limit | None = None
        """The limit that the ticket is parked for."""
        self._tries_now = False
        self._limits = limits
        self._recovery = recovery

    def begin(self) -> Limit | None:
        """Park for the limit that ends first and return it; None if none is left."""
        limit = self._first_to_end()
        if limit is not None:
            self.limit, self._tries_now = limit, False
        return limit

    def heed(self) -> bool:
        """Look at the limits anew; return True if the one to wait for has changed."""
        before = self.limit
        self.limit = None if self._tries_now else self._first_to_end()
        return self.limit != before

    def try_now(self) -> None:
        """Let the next request be sent in spite of any limit."""
        self._tries_now = self.limit is not None

    def check(self) -> Limit | None:
        """Return the limit that a request ignores, if any; raise if it must not be sent."""
        limit = self._limits.against(self._recovery.route, self._recovery.own)
        if limit is not None and not self._tries_now:
            raise LimitedError(limit)
        self._tries_now = limit is not None
        return limit

    def answered(self, limit: Limit, event: e.Event) -> None:
        """Lift the limit that a request ignored, unless a refusal may still follow."""
        if not isinstance(event, (e.Heartbeat, e.Status, e.Usage)):
            self._tries_now = False
            self._limits.lift(limit)

    def _first_to_end(self) -> Limit | None:
        return self._limits.first_to_end(self._recovery.routes, self._recovery.own)
