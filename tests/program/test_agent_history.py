"""A run of an agent that was killed with lfg: resumed, found, exported and imported."""

import json
import signal
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.acp.agent import Steps
from tests.acp.scripts import ScriptedAgent, scripted, shell, update, write
from tests.cli.conftest import Lfg, configure
from tests.helpers.processes import start
from tests.helpers.sandbox import walled
from tests.program.test_agents import processes as processes

pytestmark = pytest.mark.usefixtures("at_root")

SECRET = "sk-ant-api03-" + "aB3dE5fG7h" * 9


def killed(folder: Path) -> ScriptedAgent:
    """An agent whose first process was killed with lfg in the middle of its answer."""
    plan = [{"content": "look at the gazebo", "status": "in_progress", "priority": "high"}]
    steps: Steps = [
        {"thought": "Pondering the pergola. "},
        {"text": "One "},
        update("plan", entries=plan),
        *shell(f"echo veranda {SECRET}"),
        *write(folder / "x.txt", f"portico\nkey = {SECRET}\n"),
        {"text": "half "},
        {"wait": {}},
    ]
    agent = scripted(folder, turns=[steps])
    redacts = '[history]\nredact = "write"\n'
    configure(redacts + agent.config())
    tickets = folder / "tickets.toml"
    tickets.write_text(
        '[[ticket]]\nid = "a"\nprovider = "mine"\nprompt = "Go."\napprove = "auto"\n'
        f'workspace = "{folder}"\n'
    )
    with start("run", str(tickets), "--json", "--yes") as process:
        assert process.stdout is not None
        said = ""
        while "half" not in said:
            entry = json.loads(process.stdout.readline())
            said += entry["text"] if entry["type"] == "text_delta" else ""
        process.send_signal(signal.SIGKILL)
        process.communicate()
    scripted(folder, turns=[[{"text": "and rest."}]])
    return agent


@walled
def test_a_run_that_was_killed_goes_on_and_says_nothing_twice(tmp_path: Path, lfg: Lfg) -> None:
    agent = killed(tmp_path)
    with start("resume", "last", "--headless") as process:
        _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    (ticket,) = lfg("show", "last", "--json").json["tickets"]
    before, after = ticket["attempts"]
    assert (before["text"], after["text"], ticket["state"]) == ("One half ", "and rest.", "done")
    calls = [call for attempt in ticket["attempts"] for call in attempt["tool_calls"]]
    assert [call["error"] for call in calls] == [None] * 2
    assert len(agent.received("session/load")) == 1 == len(agent.received("session/new"))


@walled
def test_what_an_agent_did_is_found_and_exported_without_its_secrets(
    tmp_path: Path, lfg: Lfg, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path)
    with start("resume", "last", "--headless") as process:
        process.communicate()
    stored = b"".join(file.read_bytes() for file in paths.data_dir().rglob("*") if file.is_file())
    assert b"portico" in stored and SECRET.encode() not in stored
    for word in ("pergola", "veranda", "portico", "x.txt"):
        assert lfg("search", word, "--json").json, word
    for form in ("md", "html", "json", "jsonl"):
        code, out, _ = lfg("export", "last", "--format", form)
        assert code == 0 and SECRET not in out
        for word in ("gazebo", "veranda", "portico", "half", "and rest."):
            assert word in out, (form, word)
    file = tmp_path / "run.jsonl"
    file.write_text(lfg("export", "last", "--format", "jsonl").out)
    shown = lfg("show", "last", "--json").json["tickets"]
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "other"))
    assert lfg("import", str(file)).code == 0
    assert lfg("show", "last", "--json").json["tickets"] == shown
    assert "veranda" in lfg("show", "last/a", "--markdown").out
