"""MCP servers as configured, and what is wrong with them."""

from pathlib import Path

import pytest

from lfgtui.errors import UsageError
from lfgtui.settings.config import Config, read_config
from lfgtui.settings.credentials import held_keys, secret_variables, server_variables
from lfgtui.settings.mcp import McpServer


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[mcp.x]\ncommand = ["x"]\nurl = "http://x"\n', '1: MCP server "x" has both "command" '),
        ("[mcp.x]\ntimeout = 3\n", '1: MCP server "x" has neither "command" '),
        ('[mcp.x]\ncommand = ["x"]\nheaders = { a = "b" }\n', '3: "headers" belongs to a server '),
        ('[mcp.x]\nurl = "http://x"\ncwd = "."\n', '3: "cwd" belongs to a server with "command", '),
        ('[mcp.x]\nurl = "x.com/mcp"\n', '2: url "x.com/mcp" must begin with http:// or https:// '),
        ('[mcp.x__y]\ncommand = ["x"]\n', '1: MCP server "x__y": a name has up to 24 letters, '),
        ('[mcp.x_]\ncommand = ["x"]\n', '1: MCP server "x_": a name has up to 24 letters, '),
        ('[mcp.x]\ncommand = [""]\n', "2: command: the program name is empty"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    (error,) = read_config(file)[1]
    assert f"{error.line}: {error.message}".startswith(complaint)


def test_paths_start_at_the_configs_folder(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[mcp.x]\ncommand = ["bin/x", "a/b"]\ncwd = "y"\n[mcp.z]\ncommand = ["npx"]\n')
    config, mistakes = read_config(file)
    assert not mistakes
    assert config.mcp["x"].command == (f"{tmp_path}/bin/x", "a/b")
    assert config.mcp["x"].cwd == f"{tmp_path}/y"
    assert config.mcp["z"] == McpServer(command=("npx",))
    with pytest.raises(UsageError, match='unknown MCP server "xy"; did you mean'):
        config.mcp_server("xy")
    with pytest.raises(UsageError, match=r"give it a table \[mcp.NAME\] in the config"):
        Config().mcp_server("x")


def test_secrets_are_named_and_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_PAT", "sesame-1")
    program = McpServer(command=("x",), env={"TOKEN": "${MCP_PAT}", "MODE": "fast"})
    address = McpServer(url="http://x", headers={"Authorization": "Bearer ${MCP_PAT}"})
    config = Config(mcp={"p": program, "a": address})
    assert server_variables("p", program) == {"TOKEN": "sesame-1", "MODE": "fast"}
    assert server_variables("a", address) == {"Authorization": "Bearer sesame-1"}
    assert secret_variables(config) == {"MCP_PAT"} and held_keys(config) == {"sesame-1"}
    monkeypatch.delenv("MCP_PAT")
    with pytest.raises(UsageError, match='MCP server "p": env uses MCP_PAT, which is not set'):
        server_variables("p", program)
