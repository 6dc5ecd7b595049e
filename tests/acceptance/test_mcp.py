"""MCP servers that nobody here wrote, each used by a ticket; the simulator plays the model.

pip and npm install them into `build`, 110 MB together. They are those of the protocol's own
repository: of the time, in Python, and of files, in JavaScript.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.acceptance import npm, pypi
from tests.cli.conftest import Lfg, configure, lfg
from tests.helpers.processes import simulator, three_wires

__all__ = ["lfg"]
pytestmark = pytest.mark.acceptance

CALLS = {
    "time": (
        "mcp__time__convert_time",
        {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"},
    ),
    "files": ("mcp__files__read_text_file", {"path": "WORKSPACE/story.txt"}),
}
STORY = "Once upon a time there was a protocol."


@pytest.fixture
def root(tmp_path: Path) -> Iterator[str]:
    """Serve a scenario for each server: one call of it, then a word."""
    options = []
    for name, (tool, arguments) in CALLS.items():
        given = json.dumps(arguments).replace("WORKSPACE", str(tmp_path)).replace('": ', '" = ')
        scenario = tmp_path / f"{name}.toml"
        scenario.write_text(
            f'[[turn]]\n[[turn.call]]\nname = "{tool}"\narguments = {given}\n'
            '[[turn]]\ntext = "Done."\n'
        )
        options.append(f"--scenario={scenario}")
    with simulator("--speed=0", *options) as url:
        yield url


@pytest.mark.parametrize("wire", ["chat", "responses", "messages"])
def test_tickets_use_a_server_from_pypi_and_one_from_npm(
    lfg: Lfg, root: str, tmp_path: Path, wire: str
) -> None:
    files = npm.install(
        "@modelcontextprotocol/server-filesystem", "2026.8.31", "mcp-server-filesystem"
    )
    commands: Mapping[str, list[str]] = {
        "time": [str(pypi.install("mcp-server-time", "2026.10.19", "mcp-server-time"))],
        "files": [str(files), str(tmp_path)],
    }
    servers = "".join(
        f"[mcp.{name}]\ncommand = {json.dumps(command)}\n" for name, command in commands.items()
    )
    configure(servers + three_wires(root, ("chat", "responses", "messages")))
    (tmp_path / "story.txt").write_text(STORY)
    tickets = "".join(
        f'[[ticket]]\nid = "{name}"\nprompt = "Ask."\nmodel = "{wire}/{name}"\nmcp = ["{name}"]\n'
        f'tools = []\napprove = {{ mcp__{name} = "auto" }}\n'
        for name in CALLS
    )
    (tmp_path / "tickets.toml").write_text(tickets)
    done = lfg("run", str(tmp_path / "tickets.toml"), "--yes", "--json")
    assert done.code == 0, done
    entries = [json.loads(line) for line in done.out.splitlines()]
    outputs = {
        entry["ticket"]: entry["output"]
        for entry in entries
        if entry["type"] == "tool_call_finished" and entry["error"] is None
    }
    assert json.loads(outputs["time"])["target"]["datetime"].endswith("T21:00:00+09:00")
    assert outputs["files"] == STORY
