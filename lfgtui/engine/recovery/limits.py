"""Limits of providers that end at a known time: until then no ticket of the run sends a request.

A limit counts for all of a provider's tickets, since the others would only be refused as well.
Only a ticket's fallback to a model that has not met it is still asked: that is what it is for.
The first content of an answer to a request that was sent in spite of a limit lifts it. Limits of
an earlier process are known from its tickets' `Parked` events, and count as lifted if an answer
came since.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lfgtui.errors import LIMIT_KINDS, ErrorKind, LfgError, ProviderError
from lfgtui.model.clock import now
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.run_limits import RunLimit
from lfgtui.settings.config import RetryPolicy, Route

_SAME = 60.0
"""Seconds within which two ends are the same one: servers round, and clocks differ."""


class Limit(NamedTuple):
    """A provider's limit: its end in seconds since the epoch, and the refusal that named it."""

    provider: str
    until: float
    reason: str
    kind: ErrorKind


class LimitedError(ProviderError):
    """A request that was not sent, since its provider's limit has not ended."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit.kind, limit.reason)


class RunLimitError(LfgError):
    """A request that was not sent, since the run has reached a limit of its own."""

    def __init__(self, limit: RunLimit) -> None:
        super().__init__(f"the run reached max_{limit}")
        self.limit: RunLimit = limit


class Limits:
    """The limits in force, by provider. `on_change` is called when one is set or lifted."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self.clock = clock
        self.on_change: Callable[[], None] = lambda: None
        self._limits: dict[str, Limit] = {}
        self._met: dict[str, set[str]] = {}  # models, by provider

    def of(self, provider: str) -> Limit | None:
        """Return the provider's limit; None if none is in force."""
        limit = self._limits.get(provider)
        return limit if limit is not None and limit.until > self.clock() else None

    def against(self, route: Route, own: Route) -> Limit | None:
        """Return the limit that keeps a ticket from the route; `own` is its first route."""
        limit = self.of(route.provider)
        is_met = limit is not None and route.model in self._met[route.provider]
        return limit if is_met or route == own else None

    def first_to_end(self, routes: Sequence[Route], own: Route) -> Limit | None:
        """Return the limit that ends first; None if one of the routes is free."""
        limits = [self.against(route, own) for route in routes]
        known = [limit for limit in limits if limit is not None]
        return min(known, key=lambda limit: limit.until) if len(known) == len(limits) else None

    def note(self, limit: Limit, *models: str) -> None:
        """Take a limit that the models met; it replaces the provider's earlier one."""
        known = self.of(limit.provider)
        self._met[limit.provider] = {*models, *(self._met[limit.provider] if known else ())}
        if known is None or abs(known.until - limit.until) > _SAME:
            self._limits[limit.provider] = limit
            self.on_change()

    def note_refusal(self, policy: RetryPolicy, route: Route, error: ProviderError) -> None:
        """Take the limit that the route's refusal names, if tickets are parked for such limits."""
        if can_park(policy, error) and error.retry_after is not None:
            until = self.clock() + error.retry_after
            self.note(Limit(route.provider, until, error.message, error.kind), route.model)

    def recall(self, tickets: Sequence[tuple[Route, Transcript]], longest: float) -> None:
        """Take the `known_limits` of an earlier process that end within `longest` seconds."""
        for limit in known_limits(tickets):
            if limit.until <= self.clock() + longest:
                self.note(limit)

    def lift(self, limit: Limit) -> None:
        """Forget the limit, if it is the one in force."""
        if self._limits.get(limit.provider) == limit:
            del self._limits[limit.provider]
            self.on_change()


def known_limits(tickets: Sequence[tuple[Route, Transcript]]) -> list[Limit]:
    """Return the limits that tickets are parked for, oldest first, without those that were lifted.

    Each ticket comes with its first route. An answer there, to an attempt begun after a ticket was
    parked, lifts the limit.
    """
    answered = [
        (own.provider, attempt.started_at)
        for own, transcript in tickets
        for attempt in transcript.attempts
        if attempt.is_answered and Route(attempt.provider, attempt.model) == own
    ]
    return [
        Limit(event.provider, event.until, event.reason, event.kind)
        for one in sorted((one for _, one in tickets), key=lambda one: one.parked_at)
        if (event := one.parked) is not None
        and not any(name == event.provider and at > one.parked_at for name, at in answered)
    ]


def is_limit(policy: RetryPolicy, error: ProviderError) -> bool:
    """Return True for a limit whose end is too far away for a retry."""
    wait = error.retry_after
    is_refusal = error.kind in LIMIT_KINDS and error.retryable
    return is_refusal and wait is not None and wait > policy.max_retry_after


def can_park(policy: RetryPolicy, error: ProviderError) -> bool:
    """Return True for a limit that a ticket is parked for."""
    if isinstance(error, LimitedError):
        return True
    return is_limit(policy, error) and (error.retry_after or 0.0) <= policy.max_park
