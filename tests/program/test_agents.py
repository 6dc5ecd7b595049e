"""Agents that are programs, in one lfg: the bad ones harm no good one, and nothing outlives it."""

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.acp.agent import Steps
from tests.acp.scripts import (
    MISBEHAVIOUR,
    call,
    diff,
    ended,
    leave_behind,
    scripted,
    shell,
    update,
    words,
)
from tests.cli.conftest import Lfg, configure
from tests.helpers.leash import Processes
from tests.helpers.processes import start
from tests.helpers.sandbox import walled
from tests.helpers.terminal import BEGINS, Program, lfg_in_terminal
from tests.helpers.terminal_attacks import ALL
from tests.helpers.terminal_sequences import SCREEN, foreign_sequences
from tests.helpers.waiting import until

pytestmark = pytest.mark.usefixtures("at_root")

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
        config.append(scripted(folder, **script).config(ticket))
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


@walled
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


def lists_answers(screen: Program) -> bool:
    """Ask for the agent's answers to a question that may not have been there for long enough."""
    screen.type(b"A")
    return b"x's own options" in screen.written


def test_no_word_of_an_agent_acts_on_the_terminal(tmp_path: Path) -> None:
    block = {"type": "content", "content": {"type": "text", "text": ALL}}
    kinds = ("allow_once", "allow_always", "reject_once", "reject_always")
    options = [{"optionId": ALL + kind, "name": ALL, "kind": kind} for kind in kinds]
    turn: Steps = [
        {"text": ALL},
        {"thought": ALL},
        {"stderr": ALL},
        {"raw": f"{ALL.splitlines()[0]}\n"},
        {"request": {"method": ALL, "params": {ALL: ALL}}},
        update("plan", entries=[{"content": ALL, "status": "pending"}]),
        update("current_mode_update", currentModeId=ALL),
        update("session_info_update", title=ALL),
        update(ALL, **{ALL: ALL}),
        *call(ALL, ALL, ALL, {ALL: ALL, "command": ALL}, content=[diff(f"/{ALL}", ALL, "")]),
        update("tool_call_update", toolCallId=ALL, status="in_progress", content=[block]),
        ended(ALL, ALL),
        *call("asked", ALL, "execute", {"command": "ls"}),
        {"ask": {"toolCall": {"toolCallId": "asked", "title": ALL}, "options": options}},
    ]
    agent = scripted(tmp_path, turns=[turn], initialize={"agentInfo": {"name": ALL}})
    configure(agent.config("x"))
    with lfg_in_terminal("run", "-p", "Go.", "--provider", "x") as screen:
        screen.read_until("approve?")
        until(partial(lists_answers, screen))
        screen.process.send_signal(signal.SIGTERM)
        assert screen.wait() == 143
        screen.close()
    written = bytes(screen.written).removeprefix(f"{BEGINS}\r\n".encode())
    assert foreign_sequences(written, SCREEN) == []
