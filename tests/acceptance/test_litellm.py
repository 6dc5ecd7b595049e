"""The litellm proxy in front of aimock: what a gateway makes of the same answers.

    python -m venv litellm && litellm/bin/pip install 'litellm[proxy]'
    LITELLM=litellm/bin/litellm AIMOCK=node_modules/.bin/llmock make acceptance

Written against 1.106. It drops Retry-After, and reports an upstream that
broke off as an error inside a 200.
"""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lfgtui.errors import ErrorKind
from lfgtui.model.conversation import CallPart, ModelTurn, TextPart, ToolResult, UserTurn
from lfgtui.providers.base import Provider
from lfgtui.settings.config import WireName
from tests.acceptance.aimock import CALLS, NIGHT, TEXT, TOOLS, aimock, models
from tests.acceptance.command import check_the_command
from tests.acceptance.programs import find, free_port, serving
from tests.acceptance.wires import WIRES, answer, at, opened

pytestmark = pytest.mark.acceptance

KEY = "LFG_LITELLM_KEY"
# Its Anthropic deployments pass Messages on as they are; the others are translated.
PREFIX: dict[WireName, str] = {"openai-chat": "", "openai-responses": "", "anthropic": "claude/"}


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
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Its root, and the key it wants."""
    program = find("LITELLM", "litellm", "pip install 'litellm[proxy]' in a venv of its own")
    folder = tmp_path_factory.mktemp("litellm")
    key = f"sk-{secrets.token_hex(24)}"
    with aimock(folder) as upstream:
        said = {
            "model_list": deployments(upstream),
            "litellm_settings": {"num_retries": 0, "telemetry": False},
            "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        }
        file = folder / "litellm.yaml"
        file.write_text(json.dumps(said))  # which is YAML too
        root = f"http://127.0.0.1:{(port := free_port())}"
        command = [program, "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
        with serving(command, "Uvicorn running on", {"LITELLM_MASTER_KEY": key}):
            yield root, key


@pytest.fixture
def root(proxy: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(KEY, proxy[1])
    return proxy[0]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> WireName:
    found: WireName = request.param
    return found


@pytest.fixture
def prefix(wire: WireName) -> str:
    return PREFIX[wire]


@pytest.fixture
async def provider(root: str, wire: WireName) -> AsyncIterator[Provider]:
    async with opened(at(wire, root, KEY)) as provider:
        yield provider


@pytest.mark.parametrize("stream", [True, False])
async def test_text_with_usage(provider: Provider, prefix: str, stream: bool) -> None:
    got = await answer(provider, f"{prefix}text", stream=stream)
    assert (got.text, got.stop_reason, got.failure) == (TEXT, "end", None)
    assert got.usage is not None
    assert (got.usage.input, got.usage.output) == (11, 7)


@pytest.mark.parametrize("stream", [True, False])
async def test_parallel_tool_calls(provider: Provider, prefix: str, stream: bool) -> None:
    got = await answer(provider, f"{prefix}tools", tools=TOOLS, stream=stream)
    assert (got.text, got.stop_reason, got.failure) == ("Let me see.", "tool_use", None)
    assert got.calls == CALLS


async def test_the_turn_after_tool_results(provider: Provider, prefix: str) -> None:
    calls = tuple(CallPart(*call) for call in CALLS)
    results = [ToolResult(call.call_id, "some text", failed=False) for call in calls]
    messages = [UserTurn("Go."), ModelTurn((TextPart("Let me see."), *calls)), *results]
    got = await answer(provider, f"{prefix}tools", tools=TOOLS, messages=messages)
    assert (got.text, got.stop_reason, got.failure) == ("Both are read.", "end", None)


async def test_reasoning_and_a_length_stop(provider: Provider, prefix: str) -> None:
    got = await answer(provider, f"{prefix}reasoning")
    assert (got.reasoning, got.text, got.failure) == ("Six times seven.", "42", None)
    got = await answer(provider, f"{prefix}length")
    assert (got.text, got.stop_reason, got.failure) == ("Once upon", "length", None)


@pytest.mark.parametrize(
    ("model", "kind"),
    [("limited", "rate_limit"), ("broken", "server"), ("refused", "auth")],
)
async def test_a_refusal_is_told_apart(
    provider: Provider, prefix: str, model: str, kind: ErrorKind
) -> None:
    got = await answer(provider, f"{prefix}{model}")
    assert got.events == []
    assert got.failure is not None
    assert got.failure.kind == kind


async def test_an_overload_may_be_tried_again(provider: Provider, wire: WireName) -> None:
    got = await answer(provider, f"{PREFIX[wire]}overloaded")
    assert got.failure is not None
    # Of Anthropic's 529 it makes a 500.
    assert got.failure.kind == ("server" if wire == "anthropic" else "overloaded")
    assert got.failure.retryable


@pytest.mark.parametrize("model", ["cut", "cut-call"])
async def test_an_upstream_that_breaks_off_is_a_cut(
    provider: Provider, prefix: str, model: str
) -> None:
    got = await answer(provider, f"{prefix}{model}", tools=TOOLS if "call" in model else ())
    assert got.failure is not None
    assert (got.failure.kind, got.failure.retryable) == ("cut", True)
    assert got.calls == []
    if model == "cut":
        assert NIGHT.startswith(got.text)
        assert 0 < len(got.text) < len(NIGHT)


def test_a_tool_loop_and_a_cut_in_the_middle_of_one(
    root: str, wire: WireName, prefix: str, tmp_path: Path
) -> None:
    check_the_command(tmp_path, at(wire, root, KEY), wire, prefix=prefix)
