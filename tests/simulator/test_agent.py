"""The simulated agent server; `tests/engine/test_tell_agents.py` has its messages."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from lfgtui.simulator.server import Settings, running


async def events(url: str, body: object) -> list[dict[str, str]]:
    async with connect(url.replace("http", "ws", 1) + "/agent") as connection:
        await connection.send(json.dumps(body))
        return [json.loads(event) async for event in connection]


async def test_it_plays_a_scenario_and_refuses_what_is_no_request(url: str) -> None:
    said = await events(url, {"model": "two-turns", "messages": [{"role": "user", "content": "x"}]})
    assert said[0] == {"type": "accepts", "inputs": ["message", "cancel"]}
    assert said[-1] == {"type": "done"}
    text = "".join(event["content"] for event in said if event["type"] == "token")
    assert text == "I will look: **é** and 漢字."
    (error,) = await events(url, {"model": "two-turns"})
    assert (error["type"], "messages" in error["message"]) == ("error", True)


async def test_it_requires_the_key() -> None:
    async with running(Settings(require_key="k")) as url:
        with pytest.raises(InvalidStatus) as refusal:
            await events(url, {})
    assert refusal.value.response.status_code == 403
