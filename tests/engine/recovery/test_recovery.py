"""What follows a failed request, and how long what does not answer is left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.engine.recovery.recovery import (
    Circuit,
    Circuits,
    Recovery,
    Step,
    Waiting,
    final_message,
    permit,
    retry_delay,
)
from lfgtui.errors import RETRYABLE_KINDS, ErrorKind, ProviderError
from lfgtui.settings.config import BreakerPolicy, RetryPolicy, Route

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
def test_delays_double_within_jitter_and_never_pass_the_cap(failures: int, jitter: float) -> None:
    delay = retry_delay(POLICY, ProviderError("server", "oops"), failures, lambda: jitter)
    full = min(30.0, 2.0 ** (failures - 1))
    assert delay is not None
    assert full / 2 <= delay <= full


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ProviderError("server", "no", retry_after=3600),
            " 3600 s, more than retry.max_retry_after (300 s)",
        ),
        (
            ProviderError("rate_limit", "no", retry_after=25e3),
            " 25000 s, more than retry.max_park (21600 s)",
        ),
        (ProviderError("rate_limit", "no", retry_after=3600), ""),  # parked too often
        (ProviderError("rate_limit", "no"), ""),
    ],
)
def test_a_wait_that_nobody_would_sit_out_is_told(error: ProviderError, told: str) -> None:
    assert final_message(POLICY, error) == (
        "no; the provider asks to wait" + told if told else "no"
    )


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


FULL = ProviderError("rate_limit", "full", retry_after=3600)
PARKED = Step(FIRST, 0.0, is_parked=True)


def test_a_limit_is_waited_for_when_nobody_else_is_left_that_may_help() -> None:
    mine = recovery(FIRST, SECOND)
    assert mine.after(FULL, progressed=False) == Step(SECOND, 0.0)
    assert mine.after(REFUSED, progressed=False) == PARKED
    assert mine.after(REFUSED, progressed=False) is None  # its own failure, after the limit


def test_of_several_limits_all_are_waited_for() -> None:
    mine = recovery(FIRST, SECOND)
    assert [mine.after(FULL, progressed=False) for _ in range(2)] == [Step(SECOND, 0.0), PARKED]
    assert mine.routes == [FIRST, SECOND]


def test_waiting_is_no_failure_in_a_row_and_ends_with_the_budget() -> None:
    mine = recovery(policy=msgspec.structs.replace(POLICY, attempts=2, budget=7))
    assert [mine.after(FULL, progressed=False) for _ in range(8)] == [PARKED] * 7 + [None]


@pytest.mark.parametrize("kind", ["server", "connection", "auth"])
def test_what_is_no_limit_is_not_waited_for(kind: ErrorKind) -> None:
    error = ProviderError(kind, "no", retry_after=3600)
    assert recovery().after(error, progressed=False) is None


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


# Circuits

BREAKER = BreakerPolicy(failures=3, window=10.0, pause=5.0, max_pause=15.0)


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def fail(circuit: Circuit, error: ProviderError = BUSY) -> None:
    with suppress(ProviderError):
        async with permit([circuit]):
            raise error


async def succeed(circuit: Circuit) -> None:
    async with permit([circuit]) as answered:
        answered()


async def opened(clock: Clock, error: ProviderError = BUSY) -> Circuit:
    circuit = Circuit(FIRST, BREAKER, clock)
    for _ in range(BREAKER.failures):
        await fail(circuit, error)
    return circuit


async def turn() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("error", "retry_after", "cause"),
    [
        (BUSY, 5.0, "overloaded"),
        (REFUSED, 0.0, ""),  # a refusal is an answer
        (ProviderError("rate_limit", "slow down", retry_after=9.0), 9.0, "rate limit"),
        (ProviderError("server", "broken", retry_after=2.0, status=500), 2.0, "HTTP 500"),
        (ProviderError("server", "broken", retry_after=900.0), BREAKER.max_pause, "server"),
    ],
)
async def test_it_opens_after_failures_in_a_row_for_as_long_as_the_server_asks(
    error: ProviderError, retry_after: float, cause: str
) -> None:
    circuit = await opened(Clock(), error)
    assert (circuit.is_closed, circuit.retry_after()) == (retry_after == 0.0, retry_after)
    assert circuit.cause == cause


async def test_failures_far_apart_or_with_an_answer_between_them_do_not_open_it() -> None:
    clock = Clock()
    circuit = Circuit(FIRST, BREAKER, clock)
    for _ in range(6):
        await fail(circuit)
        clock.now += 6
    for _ in range(6):
        await fail(circuit)
        await succeed(circuit)
    assert circuit.is_closed


@pytest.mark.parametrize("is_answered", [True, False])
async def test_one_probe_goes_until_it_is_answered_or_given_up(is_answered: bool) -> None:
    clock = Clock()
    circuit = await opened(clock)
    clock.now += 5
    assert circuit.retry_after() == 0
    async with permit([circuit]) as answered:
        assert circuit.retry_after() > 0  # who may go elsewhere need not wait for it
        others = [asyncio.create_task(succeed(circuit)) for _ in range(3)]
        await turn()
        assert not any(other.done() for other in others)
        if is_answered:
            answered()
    await asyncio.gather(*others)  # else another is the probe
    assert circuit.is_closed


async def test_a_failed_probe_is_a_failure_of_all_who_waited() -> None:
    clock = Clock()
    circuit = await opened(clock)
    clock.now += 5
    with suppress(ProviderError):
        async with permit([circuit]):
            other = asyncio.create_task(succeed(circuit))
            await turn()
            raise ProviderError("connection", "cannot reach it")
    with pytest.raises(
        ProviderError, match="a/one still does not answer: cannot reach it"
    ) as caught:
        await other
    assert caught.value.kind == "connection"
    assert circuit.retry_after() == 10.0
    for _ in range(2):
        clock.now += circuit.retry_after()
        await fail(circuit)
    assert circuit.retry_after() == BREAKER.max_pause


async def test_a_probe_that_failed_before_a_wait_was_over_is_a_failure_of_who_waited() -> None:
    clock = Clock()
    circuit = await opened(clock)
    free = asyncio.Event()

    @asynccontextmanager
    async def waiting() -> AsyncIterator[None]:
        yield
        await free.wait()

    async def go_on() -> None:
        async with permit([circuit], waiting) as answered:
            answered()

    others = [asyncio.create_task(go_on()) for _ in range(2)]
    await turn()
    clock.now += 5
    async with permit([circuit]):
        pass  # a probe that is given up: now one of the others may go
    await turn()
    await fail(circuit)
    free.set()
    assert {type(one) for one in await asyncio.gather(*others, return_exceptions=True)} == {
        ProviderError
    }


async def test_the_pause_ends_by_itself() -> None:
    circuit = Circuit(FIRST, BreakerPolicy(failures=1, pause=0.01))
    await fail(circuit)
    await succeed(circuit)
    assert circuit.is_closed


async def test_an_answer_to_what_was_sent_before_does_not_close_it() -> None:
    circuit = Circuit(FIRST, BREAKER, Clock())
    async with permit([circuit]) as answered:
        for _ in range(BREAKER.failures):
            await fail(circuit)
        answered()
        assert not circuit.is_closed


OTHER = Route(FIRST.provider, "other")
UNREACHABLE = ProviderError("connection", "cannot reach it")


async def ask(
    circuits: Circuits,
    route: Route,
    error: ProviderError | None = None,
    waiting: Waiting = nullcontext,
) -> None:
    with suppress(ProviderError):
        async with circuits.permit(route, waiting) as answered:
            if error is not None:
                raise error
            answered()


@pytest.mark.parametrize(
    ("error", "name", "waits"),
    [(BUSY, "a/one", (5.0, 0.0, 0.0)), (UNREACHABLE, "a", (5.0, 5.0, 0.0))],
)
async def test_only_failures_to_connect_stop_the_other_models_of_a_provider(
    error: ProviderError, name: str, waits: tuple[float, ...]
) -> None:
    circuits = Circuits(BREAKER, Clock())
    for _ in range(BREAKER.failures):
        await ask(circuits, FIRST, error)
        await ask(circuits, SECOND)
    assert list(circuits.open) == [name]
    assert circuits.slowest(FIRST).name == name
    assert waits == tuple(circuits.slowest(one).retry_after() for one in (FIRST, OTHER, SECOND))


async def test_a_provider_that_answers_with_a_models_failure_is_open_to_its_other_models() -> None:
    clock = Clock()
    circuits = Circuits(BREAKER, clock)
    for _ in range(BREAKER.failures):
        await ask(circuits, FIRST, UNREACHABLE)
    clock.now += 5
    await ask(circuits, FIRST, BUSY)
    assert not circuits.open


async def test_who_waits_for_a_dead_model_does_not_keep_its_provider_from_being_tried() -> None:
    clock = Clock()
    circuits = Circuits(BREAKER, clock)
    for _ in range(BREAKER.failures):
        await ask(circuits, FIRST, ProviderError("overloaded", "busy", retry_after=9.0))
    for _ in range(BREAKER.failures):
        await ask(circuits, OTHER, UNREACHABLE)
    assert list(circuits.open) == ["a", "a/one"]
    clock.now += 5
    waiting, trying = (asyncio.create_task(ask(circuits, route)) for route in (FIRST, OTHER))
    await turn()
    assert (waiting.done(), trying.done()) == (False, True)
    assert list(circuits.open) == ["a/one"]
    waiting.cancel()


async def dead_model_of_a_dead_provider(clock: Clock) -> Circuits:
    """The model may be tried now, its provider in three seconds."""
    circuits = Circuits(BREAKER, clock)
    for _ in range(BREAKER.failures):
        await ask(circuits, FIRST, BUSY)
    clock.now += 3
    for _ in range(BREAKER.failures):
        await ask(circuits, OTHER, UNREACHABLE)
    clock.now += 2
    return circuits


async def test_who_is_held_up_after_its_wait_for_the_provider_keeps_nobody_from_the_model() -> None:
    clock = Clock()
    circuits = await dead_model_of_a_dead_provider(clock)
    go_on = asyncio.Event()

    @asynccontextmanager
    async def paused() -> AsyncIterator[None]:
        yield
        await go_on.wait()

    held = asyncio.create_task(ask(circuits, FIRST, waiting=paused))
    other = asyncio.create_task(ask(circuits, FIRST))
    await turn()
    clock.now += 3
    await ask(circuits, OTHER)
    await turn()
    assert (held.done(), other.done()) == (False, True)
    assert not circuits.open
    go_on.set()
    await held


async def test_a_provider_that_answers_again_fails_nobody_for_a_probe_before_that() -> None:
    clock = Clock()
    circuits = await dead_model_of_a_dead_provider(clock)
    free = asyncio.Event()

    @asynccontextmanager
    async def waiting() -> AsyncIterator[None]:
        await free.wait()
        yield

    waits = asyncio.create_task(ask(circuits, FIRST, waiting=waiting))
    await turn()
    for error in (UNREACHABLE, None):
        clock.now += 15
        await ask(circuits, OTHER, error)
    free.set()
    await waits
    assert not circuits.open


async def test_whole_providers_come_first_among_what_keeps_failing_then_the_longest_wait() -> None:
    circuits = Circuits(BREAKER, Clock())
    for _ in range(BREAKER.failures):
        await ask(circuits, FIRST, BUSY)
        await ask(circuits, OTHER, ProviderError("overloaded", "busy", retry_after=9.0))
        await ask(circuits, SECOND, UNREACHABLE)
    assert list(circuits.open) == ["b", "a/other", "a/one"]
