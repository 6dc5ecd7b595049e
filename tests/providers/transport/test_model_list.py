"""Lists of models, as servers write them."""

import asyncio

import pytest

from lfgtui.errors import ProviderError
from lfgtui.providers.anthropic.provider import AnthropicProvider
from lfgtui.providers.openai_chat.provider import ChatProvider
from lfgtui.providers.transport.model_list import names_in
from tests.providers.loopback import Answer, Loopback


@pytest.mark.parametrize(
    "body",
    [
        '{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}',
        '{"models": [{"name": "models/a"}, {"name": "b"}]}',
        '[{"id": "a"}, {"id": "b"}, {"id": 3}, "x"]',
        '{"data": [{"id": "a"}, {}, {"id": "", "name": "b"}]}',
    ],
)
def test_names_are_found_in_every_known_form(body: str) -> None:
    assert names_in(body) == ["a", "b"]


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"data": null}', "[]", "7"])
def test_anything_else_is_no_list(body: str) -> None:
    assert names_in(body) == []


async def test_each_wire_asks_where_its_list_is(server: Loopback) -> None:
    server.answer = Answer([b'{"data": [{"id": "a"}]}'], content_type="application/json")
    anthropic = await asyncio.to_thread(
        lambda: AnthropicProvider(base_url=server.url, api_key="k", headers={})
    )
    chat = await asyncio.to_thread(
        lambda: ChatProvider(base_url=f"{server.url}/v1", api_key="k", headers={})
    )
    assert [await anthropic.models(), await chat.models()] == [["a"], ["a"]]
    assert [asked.path for asked in server.asked] == ["/v1/models", "/v1/models"]
    server.answer = Answer([b"no"], 404, "text/plain")
    with pytest.raises(ProviderError, match="404"):
        await chat.models()
    await anthropic.aclose()
    await chat.aclose()
