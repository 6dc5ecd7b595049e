"""An agent server on each wire."""

from collections.abc import AsyncIterator

import pytest

from tests.providers.agent_server.agents import Agent, SseAgent, WebSocketAgent, websocket_agent
from tests.providers.loopback import Loopback


@pytest.fixture
async def sse(server: Loopback) -> AsyncIterator[SseAgent]:
    agent = SseAgent(server)
    yield agent
    await agent.aclose()


@pytest.fixture
async def websocket() -> AsyncIterator[WebSocketAgent]:
    async with websocket_agent() as agent:
        yield agent


@pytest.fixture(params=["sse", "websocket"])
def agent(request: pytest.FixtureRequest) -> Agent:
    found: Agent = request.getfixturevalue(request.param)
    return found
