"""MCP servers as a session of an agent is told them."""

import sys
from pathlib import Path
from typing import cast

import pytest

from lfgtui.errors import ProviderError
from lfgtui.processes.agents import AgentProcesses
from lfgtui.providers.acp.confined import session_servers, visible_files
from lfgtui.providers.acp.stream import AcpProvider
from lfgtui.providers.base import Request
from lfgtui.settings.mcp import McpServer
from lfgtui.settings.providers import ProviderConfig
from tests.acp.scripts import scripted

PROGRAM = McpServer(command=(sys.executable, "-m", "x"), env={"TOKEN": "${GIVEN}"})
ADDRESS = McpServer(url="https://x.com/mcp", headers={"Authorization": "Bearer ${GIVEN}"})
HTTP = {"mcpCapabilities": {"http": True}}


def test_programs_and_addresses_have_the_protocols_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "1")
    program = {
        "name": "p",
        "command": sys.executable,
        "args": ["-m", "x"],
        "env": [{"name": "TOKEN", "value": "1"}],
    }
    address = {
        "type": "http",
        "name": "a",
        "url": "https://x.com/mcp",
        "headers": [{"name": "Authorization", "value": "Bearer 1"}],
    }
    assert session_servers("mine", {"p": PROGRAM, "a": ADDRESS}, dict(HTTP)) == [program, address]
    assert next(visible_files({"p": PROGRAM, "a": ADDRESS})) == Path(sys.executable).parent
    elsewhere = McpServer(command=(sys.executable,), cwd="/srv")
    (listed,) = session_servers("mine", {"p": elsewhere}, {})
    assert listed["args"] == ["-c", 'cd "$0" && exec "$@"', "/srv", sys.executable]


def test_what_an_agent_does_not_take_is_refused() -> None:
    with pytest.raises(
        ProviderError, match="mine does not support MCP servers with a url; remove a"
    ):
        session_servers("mine", {"a": ADDRESS}, {})
    with pytest.raises(ProviderError, match="env uses GIVEN, which is not set"):
        session_servers("mine", {"p": PROGRAM}, {})


async def test_an_agent_gets_the_servers_of_its_ticket(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "Hi."}]])
    config = ProviderConfig(wire="acp", command=agent.command)
    servers = {"p": McpServer(command=("x",)), "other": McpServer(command=("y",))}
    provider = AcpProvider("mine", config, AgentProcesses(), servers)
    try:
        request = Request("", (), ticket="a", workspace=str(tmp_path), mcp=("p",))
        async for _ in provider.stream(request):
            pass
    finally:
        await provider.aclose()
    (opened,) = agent.received("session/new")
    (listed,) = cast(list[dict[str, object]], opened["mcpServers"])
    assert listed == {"name": "p", "command": "x", "args": [], "env": []}
