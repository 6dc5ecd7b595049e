"""A provider that does not answer is left alone, and asked again by one ticket at a time."""

import asyncio

import pytest

from lfgtui.engine.circuit import Circuit
from lfgtui.errors import ProviderError
from lfgtui.settings.config import BreakerPolicy

POLICY = BreakerPolicy(failures=3, window=10.0, pause=5.0, max_pause=15.0)
BUSY = ProviderError("overloaded", "busy")


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def fail(circuit: Circuit, error: ProviderError = BUSY) -> None:
    (await circuit.enter()).failed(error)


async def opened(clock: Clock, error: ProviderError = BUSY) -> Circuit:
    circuit = Circuit("p", POLICY, clock)
    for _ in range(POLICY.failures):
        await fail(circuit, error)
    return circuit


async def turn() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (BUSY, 5.0),
        (ProviderError("auth", "no"), 0.0),  # a refusal is an answer
        (ProviderError("rate_limit", "slow down", retry_after=9.0), 9.0),
        (ProviderError("rate_limit", "slow down", retry_after=2.0), 2.0),
        (ProviderError("rate_limit", "slow down", retry_after=900.0), POLICY.max_pause),
    ],
)
async def test_it_opens_after_failures_in_a_row_for_as_long_as_the_server_asks(
    error: ProviderError, retry_after: float
) -> None:
    circuit = await opened(Clock(), error)
    assert (circuit.is_closed, circuit.retry_after()) == (retry_after == 0.0, retry_after)


async def test_failures_far_apart_or_with_an_answer_between_them_do_not_open_it() -> None:
    clock = Clock()
    circuit = Circuit("p", POLICY, clock)
    for _ in range(6):
        await fail(circuit)
        clock.now += 6
    assert circuit.is_closed
    for _ in range(6):
        await fail(circuit)
        (await circuit.enter()).answered()
    assert circuit.is_closed


@pytest.mark.parametrize("is_answered", [True, False])
async def test_one_probe_goes_until_it_is_answered_or_given_up(is_answered: bool) -> None:
    clock = Clock()
    circuit = await opened(clock)
    clock.now += 5
    assert circuit.retry_after() == 0
    probe = await circuit.enter()
    assert circuit.retry_after() > 0  # who may go elsewhere need not wait for it
    others = [asyncio.create_task(circuit.enter()) for _ in range(3)]
    await turn()
    assert not any(other.done() for other in others)
    if is_answered:
        probe.answered()
    else:
        probe.leave()
        (await others[0]).answered()  # another is the probe
    await asyncio.gather(*others)
    assert circuit.is_closed


async def test_a_failed_probe_is_a_failure_of_all_who_waited() -> None:
    clock = Clock()
    circuit = await opened(clock)
    clock.now += 5
    probe = await circuit.enter()
    other = asyncio.create_task(circuit.enter())
    await turn()
    probe.failed(ProviderError("connection", "cannot reach it"))
    with pytest.raises(ProviderError) as caught:
        await other
    assert caught.value.kind == "connection"
    assert str(caught.value) == "p still does not answer: cannot reach it"
    assert circuit.retry_after() == 10.0
    for _ in range(2):
        clock.now += circuit.retry_after()
        await fail(circuit)
    assert circuit.retry_after() == POLICY.max_pause


async def test_the_pause_ends_by_itself() -> None:
    circuit = Circuit("p", BreakerPolicy(failures=1, pause=0.01))
    await fail(circuit)
    (await circuit.enter()).answered()
    assert circuit.is_closed


async def test_an_answer_to_what_was_sent_before_does_not_close_it() -> None:
    clock = Clock()
    circuit = Circuit("p", POLICY, clock)
    early = await circuit.enter()
    for _ in range(POLICY.failures):
        await fail(circuit)
    early.answered()
    assert not circuit.is_closed
