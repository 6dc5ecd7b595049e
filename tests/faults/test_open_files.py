"""A process that has no file descriptor left, and gets some back."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lfgtui.providers.sdk.anthropic  # noqa: F401 - its import opens files
from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.settings.config import RetryPolicy
from lfgtui.simulator.subprocess_server import SubprocessServer
from tests.engine.harness import calls, room, says, ticket

PATIENT = RetryPolicy(attempts=50, base_delay=0.02, max_delay=0.02)


@contextmanager
def no_more_files() -> Iterator[list[int]]:
    """Take all that are left; closing those in the list gives them back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(name) for name in os.listdir("/proc/self/fd")) + 20  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    taken: list[int] = []
    try:
        while True:
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        yield taken
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)
        taken.clear()


async def test_without_a_socket_a_ticket_tries_again_and_others_stream_on(tmp_path: Path) -> None:
    tickets = [
        ticket("first", tmp_path),
        ticket("starved", tmp_path, provider="anthropic", needs=["first"]),
    ]
    scenarios = {"first": says("Here."), "starved": says("At last.")}
    async with room(tmp_path, tickets, scenarios=scenarios, retry=PATIENT) as r:
        await r.until_event("first", e.TextDelta)
        with no_more_files() as taken:
            retrying = await r.until_event("starved", e.Retrying)
            for number in taken:
                os.close(number)
            taken.clear()
            await r.engine.wait_idle()
    assert retrying.kind == "connection"
    assert retrying.reason.startswith("too many open files in lfg (")
    assert r.state("starved") == "done"
    assert r.engine.transcript("starved").answer == "At last."


async def test_a_command_that_gets_no_pipe_is_an_outcome_that_says_why(tmp_path: Path) -> None:
    runs = calls("run_command", {"command": "true"})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": runs}) as r:
        await r.until_event("a", e.ApprovalRequested)
        with no_more_files():
            await r.approve("a")
            outcome = await r.until_event("a", e.ToolCallFinished)
        await r.engine.wait_idle()
    assert "too many open files in lfg (" in str(outcome.error)
    assert r.state("a") == "done"


async def test_a_server_of_ours_that_cannot_start_says_why() -> None:
    server = SubprocessServer("simulator", "lfgtui", ("simulator",))
    with no_more_files(), pytest.raises(ProviderError) as failure:
        await server.start()
    assert (failure.value.kind, failure.value.retryable) == ("connection", True)
    assert "too many open files in lfg (" in failure.value.message
    await server.aclose()
