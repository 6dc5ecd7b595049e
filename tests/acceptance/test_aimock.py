"""All that a server may answer, from one that nobody here wrote, directly and behind a gateway.

The server is `aimock`; the gateway is the litellm proxy, which passes Messages on as they are to
its Anthropic deployments and translates the others:

    python -m venv litellm && litellm/bin/pip install 'litellm[proxy]'
    LITELLM=litellm/bin/litellm AIMOCK=node_modules/.bin/llmock make acceptance

Written against litellm 1.106. It drops Retry-After, and reports an upstream that
broke off as an error inside a 200.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lfgtui.errors import ErrorKind
from lfgtui.model.fold.conversation import CallPart, ModelTurn, TextPart, ToolResult, UserTurn
from lfgtui.providers.base import Provider
from lfgtui.settings.providers import ProviderConfig, WireName
from tests.acceptance.aimock import CALLS, NIGHT, TEXT, TOOLS, aimock, models
from tests.acceptance.command import check_the_command
from tests.acceptance.programs import find, free_port, serving
from tests.acceptance.wires import WIRES, Answer, answer, at, opened

pytestmark = pytest.mark.acceptance

KEY = "LFG_LITELLM_KEY"
STREAM = pytest.mark.parametrize("stream", [True, False])
DIRECT = pytest.mark.parametrize("via", ["aimock"], indirect=True)


def deployments(root: str) -> list[object]:
    """Each of aimock's models, as one of OpenAI's and as one of Anthropic's."""
    # Of a model that it does not know litellm asks for the whole answer, and plays a stream.
    info = {"supports_native_streaming": True, "mode": "chat"}
    kinds = (("", "openai", f"{root}/v1"), ("claude/", "anthropic", root))
    return [
        {
            "model_name": f"{prefix}{model}",
            "litellm_params": {"model": f"{owner}/{model}", "api_base": base, "api_key": "none"},
            "model_info": info,
        }
        for model in models()
        for prefix, owner, base in kinds
    ]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with aimock(tmp_path_factory.mktemp("aimock")) as root:
        yield root


@pytest.fixture(scope="module")
def litellm(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Its root, and the key it wants."""
    program = find("LITELLM", "litellm", "pip install 'litellm[proxy]' in a venv of its own")
    key = f"sk-{secrets.token_hex(24)}"
    config = {
        "model_list": deployments(upstream),
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
    }
    file = tmp_path_factory.mktemp("litellm") / "litellm.yaml"
    file.write_text(json.dumps(config))  # which is YAML too
    root = f"http://127.0.0.1:{(port := free_port())}"
    command = [program, "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, "Uvicorn running on", {"LITELLM_MASTER_KEY": key}):
        yield root, key


@pytest.fixture(params=["aimock", "litellm"])
def via(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> WireName:
    found: WireName = request.param
    return found


@pytest.fixture
def config(
    via: str, wire: WireName, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> ProviderConfig:
    if via == "aimock":
        return at(wire, request.getfixturevalue("upstream"))
    root, key = request.getfixturevalue("litellm")
    monkeypatch.setenv(KEY, key)
    return at(wire, root, KEY)


@pytest.fixture
def prefix(via: str, wire: WireName) -> str:
    return "claude/" if (via, wire) == ("litellm", "anthropic") else ""


@dataclass(frozen=True)
class Models:
    """The server's models, by the names that its fixtures have."""

    provider: Provider
    prefix: str

    async def answer(self, model: str, **more: object) -> Answer:
        return await answer(self.provider, f"{self.prefix}{model}", "Go.", **more)


@pytest.fixture
async def server(config: ProviderConfig, prefix: str) -> AsyncIterator[Models]:
    async with opened(config) as provider:
        yield Models(provider, prefix)


@STREAM
async def test_text_with_usage(server: Models, stream: bool) -> None:
    got = await server.answer("text", stream=stream)
    assert (got.text, got.stop_reason, got.failure) == (TEXT, "end", None)
    assert got.usage is not None
    assert (got.usage.input, got.usage.output) == (11, 7)


@STREAM
async def test_parallel_tool_calls(server: Models, stream: bool) -> None:
    got = await server.answer("tools", tools=TOOLS, stream=stream)
    assert (got.text, got.stop_reason, got.failure) == ("Let me see.", "tool_use", None)
    assert got.calls == CALLS


async def test_the_turn_after_tool_results(server: Models) -> None:
    calls = tuple(CallPart(*call) for call in CALLS)
    results = [ToolResult(call.call_id, "some text", failed=False) for call in calls]
    messages = [UserTurn("Go."), ModelTurn((TextPart("Let me see."), *calls)), *results]
    got = await server.answer("tools", tools=TOOLS, messages=messages)
    assert (got.text, got.stop_reason, got.failure) == ("Both are read.", "end", None)


async def test_reasoning_and_a_length_stop(server: Models) -> None:
    got = await server.answer("reasoning")
    assert (got.reasoning, got.text, got.failure) == ("Six times seven.", "42", None)
    got = await server.answer("length")
    assert (got.text, got.stop_reason, got.failure) == ("Once upon", "length", None)


@STREAM
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("limited", "rate_limit"),
        ("overloaded", "overloaded"),
        ("broken", "server"),
        ("refused", "auth"),
    ],
)
async def test_a_refusal_is_told_apart(
    server: Models, via: str, model: str, kind: ErrorKind, stream: bool
) -> None:
    if server.prefix and kind == "overloaded":
        kind = "server"  # of Anthropic's 529 litellm makes a 500
    got = await server.answer(model, stream=stream)
    assert got.events == []
    assert got.failure is not None
    assert (got.failure.kind, got.failure.retryable) == (kind, kind != "auth")
    if via == "aimock":
        assert got.failure.retry_after == (7.0 if model == "limited" else None)
        assert "no: " in got.failure.message


@pytest.mark.parametrize("model", ["cut", "cut-call"])
async def test_a_cut_keeps_what_came(server: Models, model: str) -> None:
    got = await server.answer(model, tools=TOOLS if model == "cut-call" else ())
    assert got.failure is not None
    assert (got.failure.kind, got.failure.retryable) == ("cut", True)
    assert got.calls == []
    if model == "cut":
        assert NIGHT.startswith(got.text)
        assert 0 < len(got.text) < len(NIGHT)


@DIRECT
async def test_a_model_that_is_not_there(server: Models) -> None:
    got = await server.answer("nobody")
    assert got.failure is not None
    assert got.failure.kind == "not_found"


@DIRECT
async def test_two_dozen_streams_at_once(server: Models) -> None:
    got = await asyncio.gather(*(server.answer("text") for _ in range(24)))
    assert [(one.text, one.stop_reason) for one in got] == [(TEXT, "end")] * 24


def test_a_tool_loop_and_a_cut_in_the_middle_of_one(
    config: ProviderConfig, wire: WireName, prefix: str, tmp_path: Path
) -> None:
    check_the_command(tmp_path, config, wire, prefix=prefix)
