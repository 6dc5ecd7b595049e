"""When a broken request is tried again: one plain policy."""

from collections.abc import Callable

from lfgtui.config import RetryPolicy
from lfgtui.errors import ProviderError


def retry_delay(
    policy: RetryPolicy, error: ProviderError, failures: int, random: Callable[[], float]
) -> float | None:
    """Seconds until the next try after `failures` in a row; None to give up.

    What the server asks for (`Retry-After`) is obeyed; else the delay doubles
    up to `max_delay`, with jitter (`random` in 0..1) over its upper half so
    that tickets that failed together do not come back together.
    """
    if not error.retryable or failures >= policy.attempts:
        return None
    if error.retry_after is not None:
        return error.retry_after
    delay = min(policy.max_delay, policy.base_delay * 2.0 ** (failures - 1))
    return delay * (0.5 + 0.5 * random())
