"""An MCP server with an address: streamable HTTP, headers, and what cannot be reached."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.settings.mcp import McpServer
from lfgtui.tools.mcp.programs import Surroundings
from lfgtui.tools.mcp.server import McpError, Server
from lfgtui.tools.mcp.toolbox import McpTools
from tests.mcp.flooding import FLOODS, TOTAL, Flooding

pytest.importorskip("mcp")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.mcp.address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/mcp"
        server.terminate()


def _ignored(channel: str, text: str) -> None:
    """Take no notice of output."""


def tools_of(tmp_path: Path, settings: McpServer) -> McpTools:
    return McpTools([Server("s", settings, lambda: Surroundings(str(tmp_path)), patience=20)])


async def test_a_server_with_an_address_is_called(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIVEN", "sesame")
    tools = tools_of(tmp_path, McpServer(url=url, headers={"X-Token": "${GIVEN}"}))
    try:
        assert [tool.title for tool in await tools.offered()] == ["add", "token"]  # type: ignore[attr-defined]
        add = await tools.run("mcp__s__add", {"a": 2, "b": 3}, "", _ignored)
        assert (add.output, add.error) == ("5", None)
        assert (await tools.run("mcp__s__token", {}, "", _ignored)).output == "sesame"
        wrong = await tools.run("mcp__s__add", {"a": "x", "b": 3}, "", _ignored)
        assert wrong.error is not None and "valid integer" in wrong.error
    finally:
        await tools.aclose()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("http://127.0.0.1:9/mcp", "All connection attempts failed"), ("/nowhere", "Not Found")],
)
async def test_an_address_without_a_server_says_so(
    url: str, tmp_path: Path, path: str, reason: str
) -> None:
    address = path if path.startswith("http") else url.removesuffix("/mcp") + path
    tools = tools_of(tmp_path, McpServer(url=address))
    with pytest.raises(McpError, match=f"the MCP server s cannot be used: {reason}"):
        await tools.offered()
    await tools.aclose()


REASONS = {
    "application/json": "its answer has more than 8,388,608 bytes",
    "text/event-stream": "Server-sent event exceeded the 8388608 byte limit",
    "gzip": "its answer is compressed (gzip), although that was not asked for",
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_is_cut_off_and_the_conversation_goes_on(tmp_path: Path, flood: str) -> None:
    server = Flooding("tools/call", flood)
    media_type, coding, _ = FLOODS[flood]
    async with server.serving() as url:
        tools = tools_of(tmp_path, McpServer(url=url))
        try:
            assert [tool.name for tool in await tools.offered()] == ["mcp__s__pour"]
            poured = await tools.run("mcp__s__pour", {}, "", _ignored)
            assert poured.error is not None and REASONS[coding or media_type] in poured.error
            assert (await tools.run("mcp__s__pour", {}, "", _ignored)).output == "a drop"
        finally:
            await tools.aclose()
    assert server.sent < TOTAL / 4


async def test_a_server_that_floods_from_the_start_cannot_be_used(tmp_path: Path) -> None:
    server = Flooding("initialize", "a body")
    async with server.serving() as url:
        tools = tools_of(tmp_path, McpServer(url=url))
        with pytest.raises(McpError) as raised:
            await tools.offered()
        await tools.aclose()
    reason = REASONS["application/json"]
    assert str(raised.value) == f"the MCP server s cannot be used: {reason}"
    assert server.sent < TOTAL / 4
