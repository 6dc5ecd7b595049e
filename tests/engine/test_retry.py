"""When a broken request is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.config import RetryPolicy
from lfgtui.engine.retry import retry_delay
from lfgtui.errors import ProviderError

POLICY = RetryPolicy(attempts=4, base_delay=1.0, max_delay=30.0)


def test_a_refusal_that_will_not_change_is_not_tried_again() -> None:
    for kind in ("auth", "not_found", "invalid_request", "context_overflow", "content_filter"):
        assert retry_delay(POLICY, ProviderError(kind, "no"), 1, lambda: 0.5) is None


def test_the_servers_retry_after_is_obeyed() -> None:
    error = ProviderError("rate_limit", "slow down", retry_after=7.5)
    assert retry_delay(POLICY, error, 3, lambda: 0.9) == 7.5


def test_it_gives_up_after_the_policys_attempts() -> None:
    error = ProviderError("overloaded", "busy")
    assert retry_delay(POLICY, error, 3, lambda: 0.5) is not None
    assert retry_delay(POLICY, error, 4, lambda: 0.5) is None


@given(failures=st.integers(1, 3), jitter=st.floats(0, 1))
def test_delays_double_within_their_jitter_and_never_pass_the_cap(
    failures: int, jitter: float
) -> None:
    delay = retry_delay(POLICY, ProviderError("server", "oops"), failures, lambda: jitter)
    full = min(30.0, 2.0 ** (failures - 1))
    assert delay is not None
    assert full / 2 <= delay <= full
