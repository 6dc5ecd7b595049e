"""An MCP server with an address: streamable HTTP, headers, and what cannot be reached."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.settings.mcp import McpServer
from lfgtui.tools.mcp.programs import Place
from lfgtui.tools.mcp.server import McpError, Server
from lfgtui.tools.mcp.toolbox import McpTools

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
    return McpTools([Server("s", settings, lambda: Place(str(tmp_path)), patience=20)])


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
