"""All that a server may answer, from one that nobody here wrote: see `aimock`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lfgtui.errors import ErrorKind
from lfgtui.model.conversation import CallPart, ModelTurn, TextPart, ToolResult, UserTurn
from lfgtui.providers.base import Provider
from lfgtui.settings.config import WireName
from tests.acceptance.aimock import CALLS, NIGHT, TEXT, TOOLS, aimock
from tests.acceptance.command import check_the_command
from tests.acceptance.wires import WIRES, answer, at, opened

pytestmark = pytest.mark.acceptance


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


@pytest.mark.parametrize("wire", WIRES)
def test_a_tool_loop_and_a_cut_in_the_middle_of_one(
    root: str, wire: WireName, tmp_path: Path
) -> None:
    check_the_command(tmp_path, at(wire, root), wire)
