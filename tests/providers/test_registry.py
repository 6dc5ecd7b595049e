import subprocess
import sys
from pathlib import Path

import pytest

import lfgtui.providers
from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.conversation import UserTurn
from lfgtui.model.events import TextDelta
from lfgtui.providers.base import Request
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import PRESETS, SIMULATED, Config, ProviderConfig, WireName
from tests.providers.loopback import Answer, Loopback

PUMPS = {"sdk.anthropic", "sdk.openai", "agent_server.websocket", "transport.websocket_client"}
CHAT_ANSWER = [
    b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


def imported_by(statement: str) -> set[str]:
    """The modules that are there once a fresh interpreter has run the statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def modules() -> list[str]:
    folder = Path(lfgtui.providers.__path__[0])
    paths = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py"))
    return sorted(".".join(path.parts) for path in paths if path.name != "__init__")


def test_only_the_pumps_bring_an_sdk_along() -> None:
    others = [name for name in modules() if name not in PUMPS]
    found = imported_by("\n".join(f"import lfgtui.providers.{name}" for name in others))
    assert {"lfgtui.providers.registry", "lfgtui.providers.agent_server.sse"} <= found
    assert not {"openai", "anthropic", "websockets"} & found


def test_the_registry_alone_costs_no_http_library() -> None:
    found = imported_by("import lfgtui.providers.registry")
    assert not {"openai", "anthropic", "httpx", "httpx2", "httpx_sse"} & found


def test_each_pump_brings_only_its_own_sdk() -> None:
    found = imported_by("import lfgtui.providers.sdk.anthropic")
    assert {"openai", "anthropic"} & found == {"anthropic"}
    found = imported_by("import lfgtui.providers.sdk.openai")
    assert {"openai", "anthropic"} & found == {"openai"}


async def test_a_provider_is_opened_once() -> None:
    providers = Providers(Config(providers=PRESETS))
    assert await providers.get("ollama") is await providers.get("ollama")
    await providers.aclose()


@pytest.mark.parametrize("wire", ["agent-sse", "agent-websocket"])
async def test_an_agent_is_opened_with_the_body_it_wants(wire: WireName, server: Loopback) -> None:
    said = ProviderConfig(wire=wire, base_url=server.url, body={"q": "{prompt}"})
    providers = Providers(Config(providers={"mine": said}))
    provider = await providers.get("mine")
    server.answer = Answer([b'data: {"text": "x"}\n\n'])
    stream = provider.stream(Request("m", [UserTurn("Hi")]))
    if wire == "agent-sse":
        assert await anext(stream) == TextDelta("x")
        assert server.asked[0].body == {"q": "Hi"}
    else:  # which the server does not speak
        with pytest.raises(ProviderError, match="WebSocket"):
            await anext(stream)
    await stream.aclose()
    await providers.aclose()


async def test_an_unknown_name_or_a_missing_key_is_the_persons_to_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    providers = Providers(Config(providers=PRESETS))
    with pytest.raises(UsageError, match="openrouter"):
        await providers.get("openruter")
    with pytest.raises(UsageError, match="GROQ_API_KEY"):
        await providers.get("groq")
    with pytest.raises(UsageError, match="simulator"):
        await providers.get("simulator")


async def test_one_simulator_serves_all_its_wires(server: Loopback) -> None:
    async def start() -> str:
        return f"{server.url}/"

    providers = Providers(Config(providers=PRESETS), dict.fromkeys(SIMULATED, start))
    server.answer = Answer(CHAT_ANSWER)
    for name in ("simulator", "simulator-anthropic", "simulator-responses"):
        provider = await providers.get(name)
        stream = provider.stream(Request("m", [UserTurn("Hi")], first_token_timeout=5))
        if name == "simulator":
            assert await anext(stream) == TextDelta("x")
        else:  # which cannot read a chat answer
            with pytest.raises(ProviderError):
                await anext(stream)
        await stream.aclose()
    paths = [asked.path for asked in server.asked]
    assert paths == ["/v1/chat/completions", "/v1/messages", "/v1/responses"]
    await providers.aclose()


async def test_a_server_that_came_back_elsewhere_is_asked_there(server: Loopback) -> None:
    roots = ["http://127.0.0.1:9", "http://127.0.0.1:9", server.url]

    async def start() -> str:
        return roots.pop(0)

    providers = Providers(Config(providers=PRESETS), {"local": start})
    dead = await providers.get("local")
    assert await providers.get("local") is dead
    server.answer = Answer(CHAT_ANSWER)
    stream = (await providers.get("local")).stream(Request("m", [UserTurn("Hi")]))
    assert await anext(stream) == TextDelta("x")
    await stream.aclose()
    await providers.aclose()


async def test_a_server_of_ones_own_is_not_started(server: Loopback) -> None:
    said = ProviderConfig(wire="openai-chat", base_url=f"{server.url}/v1")
    providers = Providers(Config(providers={"local": said}))
    server.answer = Answer(CHAT_ANSWER)
    async for _ in (await providers.get("local")).stream(Request("m", [UserTurn("Hi")])):
        pass
    assert server.asked[0].path == "/v1/chat/completions"
    await providers.aclose()


async def test_keys_and_headers_come_from_the_environment(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    monkeypatch.setenv("MY_TEAM", "blue")
    said = ProviderConfig(
        wire="openai-chat",
        base_url=f"{server.url}/v1",
        api_key_env="MY_KEY",
        headers={"X-Team": "${MY_TEAM}"},
    )
    providers = Providers(Config(providers={"mine": said}))
    server.answer = Answer(CHAT_ANSWER)
    provider = await providers.get("mine")
    async for _ in provider.stream(Request("m", [UserTurn("Hi")])):
        pass
    headers = server.asked[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer secret", "blue")
    await providers.aclose()
