"""Parking: a ticket waits until its providers' limits end, or tries in spite of them.

`TicketRun` calls it, and emits the events.
"""

from lfgtui.engine.recovery.limits import Limit, LimitedError, Limits
from lfgtui.engine.recovery.recovery import Recovery
from lfgtui.model import events as e


class Parking:
    """The limits that keep one ticket from its routes; made anew each time that it is queued."""

    def __init__(self, limits: Limits, recovery: Recovery) -> None:
        self.limit: Limit | None = None
        """The limit that the ticket is parked for; None while it is not parked."""
        self._tries_now = False
        """True from `try_now` until an answer, or until no limit is left."""
        self._limits = limits
        self._recovery = recovery

    def begin(self) -> Limit | None:
        """Park for the limit that ends first and return it; None if none is left."""
        limit = self._first_to_end()
        if limit is not None:
            self.limit, self._tries_now = limit, False
        return limit

    def update(self) -> bool:
        """Look at the limits anew; return True if the one to wait for has changed."""
        before = self.limit
        self.limit = None if self._tries_now else self._first_to_end()
        return self.limit != before

    def try_now(self) -> None:
        """Let the next request be sent in spite of any limit."""
        self._tries_now = self.limit is not None

    def check(self) -> Limit | None:
        """Return the limit in spite of which a request is sent, None if there is no limit.

        Raises `LimitedError` if it must not be sent. Call it before each request, and `answered`
        with the events of its answer.
        """
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
