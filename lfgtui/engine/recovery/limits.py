"""Limits of providers that end at a known time, e.g. `Retry-After: 3600`, and whom they stop.

A limit counts for all of a provider's tickets, since the others would only be refused as well. Only
a fallback to another model of the same provider is still tried, as long as no request to that model
was refused. If a request is sent in spite of a limit, the first content of its answer lifts it.
Limits of an earlier process are known from its tickets' `Parked` events, and count as lifted if an
answer came since.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lfgtui.errors import LIMIT_KINDS, ErrorKind, LfgError, ProviderError
from lfgtui.model.clock import now
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.run_limits import RunLimit
from lfgtui.settings.config import RetryPolicy, Route

_SAME = 60.0
"""Seconds within which two ends of a limit count as the same: servers round, and clocks differ."""


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
    """The limits in force, by provider. `on_change` is called when one is set or lifted.

    `clock` gives seconds since the epoch; other parts of the engine use it, too.
    """

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self.clock = clock
        self.on_change: Callable[[], None] = lambda: None
        self._limits: dict[str, Limit] = {}
        self._met: dict[str, set[str]] = {}  # the models that were refused, by provider

    def of(self, provider: str) -> Limit | None:
        """Return the provider's limit; None if none is in force."""
        limit = self._limits.get(provider)
        return limit if limit is not None and limit.until > self.clock() else None

    def against(self, route: Route, own: Route) -> Limit | None:
        """Return the limit for which a ticket must not try the route; None if it may.

        `own` is the ticket's first route, before its fallbacks.
        """
        limit = self.of(route.provider)
        is_met = limit is not None and route.model in self._met[route.provider]
        return limit if is_met or route == own else None

    def first_to_end(self, routes: Sequence[Route], own: Route) -> Limit | None:
        """Return the limit that ends first; None if one of the routes may be tried."""
        limits = [self.against(route, own) for route in routes]
        known = [limit for limit in limits if limit is not None]
        return min(known, key=lambda limit: limit.until) if len(known) == len(limits) else None

    def note(self, limit: Limit, *models: str) -> None:
        """Note a limit for which the models were refused; it replaces the provider's earlier one.

        That one stays if both end at about the same time.
        """
        known = self.of(limit.provider)
        self._met[limit.provider] = {*models, *(self._met[limit.provider] if known else ())}
        if known is None or abs(known.until - limit.until) > _SAME:
            self._limits[limit.provider] = limit
            self.on_change()

    def note_refusal(self, policy: RetryPolicy, route: Route, error: ProviderError) -> None:
        """Note the limit that a refusal of the route names, if tickets are parked for such ones."""
        if can_park(policy, error) and error.retry_after is not None:
            until = self.clock() + error.retry_after
            self.note(Limit(route.provider, until, error.message, error.kind), route.model)

    def recall(self, tickets: Sequence[tuple[Route, Transcript]], longest: float) -> None:
        """Note the `known_limits` of an earlier process that end within `longest` seconds."""
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

    Each ticket is given with its first route. An answer on that route, to an attempt that began
    after a ticket was parked, lifted the provider's limit.
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
    """Return True for a refusal whose `Retry-After` is too long for a retry."""
    wait = error.retry_after
    is_refusal = error.kind in LIMIT_KINDS and error.retryable
    return is_refusal and wait is not None and wait > policy.max_retry_after


def can_park(policy: RetryPolicy, error: ProviderError) -> bool:
    """Return True for a refusal after which a ticket is parked: its limit ends soon enough."""
    if isinstance(error, LimitedError):
        return True
    return is_limit(policy, error) and (error.retry_after or 0.0) <= policy.max_park
