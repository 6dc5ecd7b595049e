from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.events import TextDelta, WireEvent
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Provider, Request
from lfgtui.providers.registry import Providers, Starter
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS, SIMULATED, ProviderConfig, WireName
from tests.providers.loopback import Answer, Loopback

CHAT_ANSWER = [
    b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


@asynccontextmanager
async def opened(
    config: Config | None = None, starters: dict[str, Starter] | None = None
) -> AsyncIterator[Providers]:
    providers = Providers(config or Config(providers=PRESETS), starters)
    yield providers
    await providers.aclose()


def mine(wire: WireName, url: str, **more: object) -> Config:
    """A config with one provider, `mine`."""
    return Config(providers={"mine": ProviderConfig(wire=wire, base_url=url, **more)})  # type: ignore[arg-type]  # test shorthand


async def first_event(provider: Provider) -> WireEvent:
    async with aclosing(provider.stream(Request("m", [UserTurn("Hi")]))) as stream:
        return await anext(aiter(stream))


async def test_a_provider_is_opened_once() -> None:
    async with opened() as providers:
        assert await providers.get("ollama") is await providers.get("ollama")


@pytest.mark.parametrize("wire", ["agent-sse", "agent-websocket"])
async def test_an_agent_is_opened_with_the_body_it_wants(wire: WireName, server: Loopback) -> None:
    server.answer = Answer([b'data: {"text": "x"}\n\n'])
    async with opened(mine(wire, server.url, body={"q": "{prompt}"})) as providers:
        provider = await providers.get("mine")
        if wire == "agent-sse":
            assert await first_event(provider) == TextDelta("x")
            assert server.asked[0].body == {"q": "Hi"}
        else:  # which the server does not speak
            with pytest.raises(ProviderError, match="WebSocket"):
                await first_event(provider)


@pytest.mark.parametrize(
    ("name", "named"),
    [("openruter", "openrouter"), ("groq", "GROQ_API_KEY"), ("simulator", "simulator")],
)
async def test_an_unknown_name_or_a_missing_key_is_a_usage_error(
    name: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    async with opened() as providers:
        with pytest.raises(UsageError, match=named):
            await providers.get(name)


async def test_one_simulator_serves_all_its_wires(server: Loopback) -> None:
    async def start() -> str:
        return f"{server.url}/"

    server.answer = Answer(CHAT_ANSWER)
    async with opened(starters=dict.fromkeys(SIMULATED, start)) as providers:
        assert await first_event(await providers.get("simulator")) == TextDelta("x")
        for name in ("simulator-anthropic", "simulator-responses"):
            with pytest.raises(ProviderError):  # they cannot read a chat answer
                await first_event(await providers.get(name))
    paths = [asked.path for asked in server.asked]
    assert paths == ["/v1/chat/completions", "/v1/messages", "/v1/responses"]


async def test_a_server_that_came_back_elsewhere_is_asked_there(server: Loopback) -> None:
    roots = ["http://127.0.0.1:9", "http://127.0.0.1:9", server.url]

    async def start() -> str:
        return roots.pop(0)

    server.answer = Answer(CHAT_ANSWER)
    async with opened(starters={"local": start}) as providers:
        dead = await providers.get("local")
        assert await providers.get("local") is dead
        assert await first_event(await providers.get("local")) == TextDelta("x")


async def test_a_base_url_replaces_the_server_that_lfg_would_start(server: Loopback) -> None:
    server.answer = Answer(CHAT_ANSWER)
    local = ProviderConfig(wire="openai-chat", base_url=f"{server.url}/v1")
    async with opened(Config(providers={"local": local})) as providers:
        assert await first_event(await providers.get("local")) == TextDelta("x")


async def test_keys_and_headers_come_from_the_environment(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    monkeypatch.setenv("MY_TEAM", "blue")
    headers = {"X-Team": "${MY_TEAM}"}
    config = mine("openai-chat", f"{server.url}/v1", api_key_env="MY_KEY", headers=headers)
    server.answer = Answer(CHAT_ANSWER)
    async with opened(config) as providers:
        await first_event(await providers.get("mine"))
    sent = server.asked[0].headers
    assert (sent["authorization"], sent["x-team"]) == ("Bearer secret", "blue")
