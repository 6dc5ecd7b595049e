"""All that a server may answer, from one that nobody here wrote: see `aimock`."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lfgtui.config import WireName
from lfgtui.errors import ErrorKind
from lfgtui.providers.base import Provider, ToolSpec
from lfgtui.transcript import CallPart, ModelTurn, TextPart, ToolResult, UserTurn

from .aimock import CALLS, NIGHT, TEXT, aimock
from .wires import WIRES, answer, at, opened

pytestmark = pytest.mark.acceptance

PATH: dict[str, object] = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS = (ToolSpec("read_file", "Read a file.", PATH),)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with aimock(tmp_path_factory.mktemp("aimock")) as url:
        yield url


@pytest.fixture(params=WIRES)
async def provider(root: str, request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with opened(at(request.param, root)) as provider:
        yield provider


@pytest.mark.parametrize("stream", [True, False])
async def test_text_with_usage(provider: Provider, stream: bool) -> None:
    got = await answer(provider, "text", stream=stream)
    assert (got.text, got.stop_reason, got.failure) == (TEXT, "end", None)
    assert got.usage is not None
    assert (got.usage.input, got.usage.output) == (11, 7)


@pytest.mark.parametrize("stream", [True, False])
async def test_parallel_tool_calls(provider: Provider, stream: bool) -> None:
    got = await answer(provider, "tools", tools=TOOLS, stream=stream)
    assert (got.text, got.stop_reason, got.failure) == ("Let me see.", "tool_use", None)
    assert got.calls == CALLS


async def test_the_turn_after_tool_results(provider: Provider) -> None:
    calls = tuple(CallPart(*call) for call in CALLS)
    results = [ToolResult(call.call_id, "some text", failed=False) for call in calls]
    messages = [UserTurn("Go."), ModelTurn((TextPart("Let me see."), *calls)), *results]
    got = await answer(provider, "tools", tools=TOOLS, messages=messages)
    assert (got.text, got.stop_reason, got.failure) == ("Both are read.", "end", None)


async def test_reasoning_before_text(provider: Provider) -> None:
    got = await answer(provider, "reasoning", reasoning="low")
    assert (got.reasoning, got.text, got.failure) == ("Six times seven.", "42", None)


async def test_an_answer_that_is_too_long(provider: Provider) -> None:
    got = await answer(provider, "length")
    assert (got.text, got.stop_reason, got.failure) == ("Once upon", "length", None)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("model", "kind", "retry_after"),
    [
        ("limited", "rate_limit", 7.0),
        ("overloaded", "overloaded", None),
        ("broken", "server", None),
        ("refused", "auth", None),
    ],
)
async def test_a_refusal_is_told_apart(
    provider: Provider, model: str, kind: ErrorKind, retry_after: float | None, stream: bool
) -> None:
    got = await answer(provider, model, stream=stream)
    assert got.events == []
    assert got.failure is not None
    assert (got.failure.kind, got.failure.retry_after) == (kind, retry_after)
    assert "no: " in got.failure.message


async def test_a_cut_keeps_what_came(provider: Provider) -> None:
    got = await answer(provider, "cut")
    assert got.failure is not None
    assert (got.failure.kind, got.failure.retryable) == ("cut", True)
    assert NIGHT.startswith(got.text)
    assert 0 < len(got.text) < len(NIGHT)
    got = await answer(provider, "cut-call", tools=TOOLS)
    assert (got.calls, got.failure and got.failure.kind) == ([], "cut")


async def test_a_model_that_is_not_there(provider: Provider) -> None:
    got = await answer(provider, "nobody")
    assert got.failure is not None
    assert got.failure.kind == "not_found"


async def test_two_dozen_streams_at_once(provider: Provider) -> None:
    got = await asyncio.gather(*(answer(provider, "text") for _ in range(24)))
    assert [(one.text, one.stop_reason) for one in got] == [(TEXT, "end")] * 24


# The engine, through the command, as a person would run it.


TICKETS = """
[defaults]
approve = "auto"
tools = ["read_file", "write_file"]
[[ticket]]
id = "works"
provider = "there"
model = "agent"
prompt = "Put the two together."
[[ticket]]
id = "breaks"
provider = "there"
model = "BREAKS"
prompt = "Tell me of the night."
"""


@pytest.mark.parametrize("wire", WIRES)
def test_a_tool_loop_and_a_cut_in_the_middle_of_one(
    root: str, wire: WireName, tmp_path: Path
) -> None:
    said = at(wire, root)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(
        f'[retry]\nbase_delay = 0.01\n[providers.there]\nwire = "{wire}"\n'
        f'base_url = "{said.base_url}"\n'
    )
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "tickets.toml").write_text(TICKETS.replace("BREAKS", f"breaks-{wire}"))
    lfg = [sys.executable, "-m", "lfgtui", "run", "tickets.toml", "--yes", "--json"]
    done = subprocess.run(
        lfg, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.txt").read_text() == "one and two"
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = Counter((entry["ticket"], entry["type"]) for entry in entries)
    assert kinds["works", "tool_call_finished"] == 3
    assert kinds["works", "request_sent"] == 3
    assert kinds["breaks", "retrying"] == 1
    texts = {1: "", 2: ""}
    for entry in entries:
        if entry["ticket"] == "breaks" and entry["type"] == "text_delta":
            texts[entry["attempt"]] += entry["text"]
    assert texts[2] == NIGHT
    assert NIGHT.startswith(texts[1])
    assert 0 < len(texts[1]) < len(NIGHT)
