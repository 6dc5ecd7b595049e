"""What happens after a request broke."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.engine.recovery import Recovery, Step, last_words, retry_delay
from lfgtui.errors import RETRYABLE_KINDS, ErrorKind, ProviderError
from lfgtui.settings.config import RetryPolicy, Route

POLICY = RetryPolicy(attempts=4, base_delay=1.0, max_delay=30.0)


@pytest.mark.parametrize(
    ("error", "failures", "delay"),
    [
        *((ProviderError(kind, "no"), 1, None) for kind in ("auth", "not_found", "content_filter")),
        (ProviderError("rate_limit", "slow down", retry_after=7.5), 3, 7.5),
        (ProviderError("rate_limit", "slow down", retry_after=3600), 1, None),
        (ProviderError("overloaded", "busy"), 3, 3.0),
        (ProviderError("overloaded", "busy"), 4, None),
    ],
)
def test_a_retry_waits_as_the_server_asks_and_ends_with_the_policys_attempts(
    error: ProviderError, failures: int, delay: float | None
) -> None:
    assert retry_delay(POLICY, error, failures, lambda: 0.5) == delay


@given(failures=st.integers(1, 3), jitter=st.floats(0, 1))
def test_delays_double_within_their_jitter_and_never_pass_the_cap(
    failures: int, jitter: float
) -> None:
    delay = retry_delay(POLICY, ProviderError("server", "oops"), failures, lambda: jitter)
    full = min(30.0, 2.0 ** (failures - 1))
    assert delay is not None
    assert full / 2 <= delay <= full


def test_a_wait_that_nobody_would_sit_out_is_told() -> None:
    error = ProviderError("rate_limit", "slow down", retry_after=3600)
    assert "asks to wait 3600 s (retry.max_retry_after)" in last_words(POLICY, error)
    assert last_words(POLICY, ProviderError("rate_limit", "slow down")) == "slow down"


FIRST, SECOND = Route("a", "one"), Route("b", "two")
BUSY = ProviderError("overloaded", "busy")
REFUSED = ProviderError("auth", "no such key")


def recovery(*routes: Route, policy: RetryPolicy = POLICY) -> Recovery:
    return Recovery(policy, routes or (FIRST,), lambda: 1.0)


def test_the_same_provider_is_asked_again_then_the_next_one() -> None:
    mine = recovery(FIRST, SECOND)
    steps = [mine.after(BUSY, progressed=False) for _ in range(4)]
    assert steps == [Step(FIRST, 1.0), Step(FIRST, 2.0), Step(FIRST, 4.0), Step(SECOND, 0.0)]
    assert [mine.after(BUSY, progressed=False) for _ in range(4)][-1] is None


@pytest.mark.parametrize(
    ("error", "rest", "routes", "step"),
    [
        (REFUSED, 0.0, (FIRST, SECOND), Step(SECOND, 0.0)),
        (REFUSED, 0.0, (FIRST,), None),
        (ProviderError("internal", "a bug"), 0.0, (FIRST, SECOND), None),
        (BUSY, 9.0, (FIRST, SECOND), Step(SECOND, 0.0)),  # the circuit is open
        (BUSY, 9.0, (FIRST,), Step(FIRST, 9.0)),
    ],
)
def test_the_next_provider_is_asked_at_once_where_asking_again_cannot_help(
    error: ProviderError, rest: float, routes: tuple[Route, ...], step: Step | None
) -> None:
    assert recovery(*routes).after(error, progressed=False, rest=rest) == step


def test_progress_starts_the_count_anew_and_the_budget_ends_it_all_the_same() -> None:
    mine = recovery(policy=msgspec.structs.replace(POLICY, budget=7))
    steps = [mine.after(BUSY, progressed=True) for _ in range(8)]
    assert steps == [Step(FIRST, 1.0)] * 7 + [None]


@given(
    kinds=st.lists(st.sampled_from([*sorted(RETRYABLE_KINDS), "auth", "protocol"]), max_size=60),
    routes=st.integers(1, 4),
)
def test_every_start_ends_within_its_attempts(kinds: list[ErrorKind], routes: int) -> None:
    mine = recovery(*(Route("p", str(number)) for number in range(routes)))
    steps = [mine.after(ProviderError(kind, "x"), progressed=False) for kind in kinds]
    assert sum(step is not None for step in steps) <= routes * POLICY.attempts
    order = [step.route.model for step in steps if step is not None]
    assert order == sorted(order)
