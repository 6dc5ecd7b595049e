"""Agents that are programs, in one lfg: the bad ones harm no good one, and nothing outlives it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acp.scripts import MISBEHAVIOUR, leave_behind, scripted, shell, words
from tests.cli.conftest import Lfg, configure
from tests.helpers.leash import Processes
from tests.helpers.processes import start
from tests.helpers.waiting import until

ENDS = {
    "exits at once": "failed",
    "dies in mid-turn": "failed",
    "ignores everything": "limit",
    "never answers initialize": "limit",
    "floods standard output": "done",
    "floods standard error": "done",
    "leaves a process behind": "done",
    "leaves one that holds its output": "done",
}


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """All that a test starts."""
    monkeypatch.setenv("LFG_TEST", str(tmp_path))
    started = Processes(f"LFG_TEST={tmp_path}")
    yield started
    for pid in started.found():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ticket for each agent: those that misbehave, and two that work."""
    scripts = {name: MISBEHAVIOUR[name] for name in ENDS}
    scripts["works"] = {"turns": [[*shell("echo one; sleep 0.5; echo two"), *words("All done.")]]}
    scripts["is busy"] = {"turns": [[*leave_behind("pid"), *shell("sleep 600 & sleep 600")]]}
    config, tickets = ["[retry]\nattempts = 1\n"], []
    for name, script in scripts.items():
        ticket = name.replace(" ", "-")
        folder = tmp_path / ticket
        folder.mkdir()
        command = json.dumps(scripted(folder, **script).command)
        config.append(f'[providers.{ticket}]\nwire = "acp"\ncommand = {command}\n')
        seconds = 2 if ENDS.get(name) == "limit" or name == "is busy" else 60
        tickets.append(
            f'[[ticket]]\nid = "{ticket}"\nprovider = "{ticket}"\nprompt = "Go."\n'
            f'approve = "auto"\nworkspace = "{folder}"\ntimeout = {seconds}\n'
        )
    configure("".join(config))
    path = tmp_path / "tickets.toml"
    path.write_text("".join(tickets))
    return path


def test_agents_that_misbehave_harm_no_other_and_leave_nothing(
    file: Path, processes: Processes, lfg: Lfg
) -> None:
    with start("run", str(file), "--json", "--yes", "--concurrency", "20") as process:
        _, err = process.communicate()
    assert (process.returncode, err, processes.left()) == (1, "", {})
    shown = {one["ticket"]: one for one in lfg("show", "last", "--json").json["tickets"]}
    ends = {name: shown[name.replace(" ", "-")]["state"] for name in ENDS}
    assert ends == ENDS
    (works,) = shown["works"]["attempts"]
    assert (works["state"], works["text"]) == ("done", "Alldone.")
    assert [one["output"] for one in works["tool_calls"]] == ["one\ntwo\n"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_an_agent_outlives_lfg(
    file: Path, processes: Processes, number: signal.Signals
) -> None:
    only = ("--only", "is-busy", "--only", "ignores-everything")
    with start("run", str(file), "--json", "--yes", *only) as process:
        assert process.stdout is not None
        began: set[str] = set()
        while began != {"is-busy", "ignores-everything"}:
            entry = json.loads(process.stdout.readline())
            if entry["type"] in ("tool_call_requested", "text_delta"):
                began.add(entry["ticket"])
        until(lambda: any("sleep 600" in words for words in processes.found().values()))
        process.send_signal(number)
        process.communicate()
    assert processes.left() == {}
