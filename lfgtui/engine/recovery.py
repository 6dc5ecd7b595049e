"""Recovery from failed requests: the one place that decides what follows.

First the same provider again, as long as that may help (`errors.ProviderError.retryable`)
and the policy allows it; then the ticket's `fallback` providers in their
order, for every kind of failure, since what one refuses another may take;
then the ticket fails. A retry waits as long as the server asks, else
exponentially longer with jitter, and never while the provider's circuit is
open: with another provider left, that is a reason to go there at once.
"""

from collections.abc import Callable
from typing import NamedTuple

from lfgtui.errors import ProviderError
from lfgtui.settings.config import RetryPolicy, Route


class Step(NamedTuple):
    """The next attempt: where, and after how many seconds."""

    route: Route
    delay: float


class Recovery:
    """One start of a ticket: which routes are left and how often it was tried."""

    def __init__(
        self, policy: RetryPolicy, routes: tuple[Route, ...], random: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._routes = routes
        self._random = random
        self._at = 0
        self._in_a_row = 0
        self._retries = 0

    @property
    def route(self) -> Route:
        """Provider and model in use."""
        return self._routes[self._at]

    @property
    def has_fallback(self) -> bool:
        """True if another provider is left."""
        return self._at + 1 < len(self._routes)

    def after(self, error: ProviderError, *, progressed: bool, rest: float = 0.0) -> Step | None:
        """Return the next step after the error; None if the ticket fails with it.

        `progressed`: a response was finished since the attempt began, so this
        is a failure of its own and not one more in a row. `rest` is how long
        the provider's circuit stays open.
        """
        self._in_a_row = 1 if progressed else self._in_a_row + 1
        self._retries += 1
        delay = None
        if self._retries <= self._policy.budget:
            delay = retry_delay(self._policy, error, self._in_a_row, self._random)
        if delay is not None and not (rest and self.has_fallback):
            return Step(self.route, max(delay, rest))
        if error.kind != "internal" and self.has_fallback:
            self._at += 1
            self._in_a_row = 0
            return Step(self.route, 0.0)
        return None


def retry_delay(
    policy: RetryPolicy, error: ProviderError, failures: int, random: Callable[[], float]
) -> float | None:
    """Seconds until the next try after `failures` in a row; None to give up.

    What the server asks for (`Retry-After`) is obeyed, unless it is longer
    than anyone would wait; else the delay doubles up to `max_delay`, with
    jitter (`random` in 0..1) over its upper half so that tickets that failed
    together do not come back together.
    """
    if not error.retryable or failures >= policy.attempts:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= policy.max_retry_after else None
    delay = min(policy.max_delay, policy.base_delay * 2.0 ** (failures - 1))
    return delay * (0.5 + 0.5 * random())


def last_words(policy: RetryPolicy, error: ProviderError) -> str:
    """Return the message of a ticket that fails with the error."""
    if error.retry_after is None or error.retry_after <= policy.max_retry_after:
        return error.message
    return f"{error.message}; it asks to wait {error.retry_after:.0f} s (retry.max_retry_after)"
