"""What happens after a request broke."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.engine.recovery import Recovery, Step, last_words, retry_delay
from lfgtui.errors import RETRYABLE_KINDS, ErrorKind, ProviderError
from lfgtui.settings.config import RetryPolicy, Route

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


def test_a_wait_that_nobody_would_sit_out_is_a_failure_that_says_so() -> None:
    error = ProviderError("rate_limit", "slow down", retry_after=3600)
    assert retry_delay(POLICY, error, 1, lambda: 0.5) is None
    assert last_words(POLICY, error) == (
        "slow down; it asks to wait 3600 s (retry.max_retry_after)"
    )
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


def test_the_next_provider_is_asked_at_once_where_asking_again_cannot_help() -> None:
    mine = recovery(FIRST, SECOND)
    assert mine.after(REFUSED, progressed=False) == Step(SECOND, 0.0)
    assert mine.after(REFUSED, progressed=False) is None


def test_an_error_of_our_own_goes_to_nobody() -> None:
    bug = ProviderError("internal", "a bug")
    assert recovery(FIRST, SECOND).after(bug, progressed=False) is None


def test_an_open_circuit_is_a_reason_to_go_on_elsewhere_or_to_wait_it_out() -> None:
    assert recovery(FIRST, SECOND).after(BUSY, progressed=False, rest=9.0) == Step(SECOND, 0.0)
    assert recovery(FIRST).after(BUSY, progressed=False, rest=9.0) == Step(FIRST, 9.0)


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
