"""Handshakes with real programs that behave in every way."""

import os
import sys
from pathlib import Path

import pytest

from lfgtui.doctor.agents import Handshake, findings_of
from lfgtui.doctor.findings import Finding
from lfgtui.doctor.handshake import shake_hands
from lfgtui.settings.providers import ProviderConfig

AGENT = """
import json, os, sys

def answer(line, **fields):
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], **fields}), flush=True)

def initialize(**fields):
    about = {"name": "real", "version": "7"}
    answer(sys.stdin.readline(), result={"protocolVersion": 1, "agentInfo": about, **fields})
"""
REFUSAL = 'answer(sys.stdin.readline(), error={{"code": {}, "message": "{}"}})'
VERSION = "speaks version {} of the protocol, lfg version 1"
NO_ANSWER = "start: no answer to initialize within {:g} s"
WELL = """
print("welcome")
initialize(agentCapabilities={"loadSession": True})
line = sys.stdin.readline()
print(json.dumps({"jsonrpc": "2.0", "id": "q", "method": "fs/read_text_file"}), flush=True)
refusal = json.loads(sys.stdin.readline())
print(json.dumps({"jsonrpc": "2.0", "method": "session/update"}), flush=True)
values = [os.environ["TEAM"], json.loads(line)["params"]["cwd"], os.getcwd(), *sys.argv[1:]]
values.append(str(refusal["error"]["code"]))
options = [{"value": value} for value in values]
option = {"id": "told", "currentValue": "none", "options": options}
answer(line, result={"sessionId": "s", "configOptions": [option]})
sys.stdin.read()
"""


async def shaken(folder: Path, code: str, patience: float = 20.0) -> Handshake:
    """A handshake with a program of this code."""
    script = folder / "agent.py"
    script.write_text(AGENT + code)
    settings = ProviderConfig(wire="acp", command=("python", str(script), "--acp"))
    environment = {**os.environ, "TEAM": "red"}
    return await shake_hands(settings, sys.executable, environment, folder, patience)


async def fault(folder: Path, code: str, patience: float = 20.0) -> str:
    """The one thing that is to be mended."""
    findings = findings_of(await shaken(folder, code, patience))
    (found,) = (finding for finding in findings if finding.level == "fix")
    return f"{found.topic}: {found.message}"


async def test_an_agent_that_is_well_is_asked_for_no_more_than_a_conversation(
    tmp_path: Path,
) -> None:
    seen = await shaken(tmp_path, WELL)
    assert seen.answered_at is not None and seen.ready_at is not None
    assert 0 < seen.answered_at < seen.ready_at
    told = f"none; it also has red, {tmp_path}, {tmp_path}, --acp, -32601"
    assert list(findings_of(seen))[-2:] == [
        Finding("resume", "ok", "it can resume a conversation"),
        Finding("told", "ok", told),
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sys.exit(3)", "start: it ended (exit code 3)"),
        ('sys.exit("why?\\ntoo old: 18")', "start: it ended (exit code 1): too old: 18"),
        (
            'sys.exit(print("usage: x"))',
            "start: it ended (exit code 0); it printed invalid JSON: usage: x",
        ),
        (REFUSAL.format(-32603, "no home"), "start: it refused initialize: no home"),
        ("initialize(protocolVersion=2)", f"agent: real 7 {VERSION.format(2)}"),
        ("initialize(); sys.exit(0)", "session: it ended (exit code 0)"),
        ("initialize(); " + REFUSAL.format(1, "full"), "session: it refused session/new: full"),
        (
            "initialize(); " + REFUSAL.format(1, 'no", "data": {"details": "exit 1"}, "x": "'),
            "session: it refused session/new: no: exit 1",
        ),
        ("initialize(); " + REFUSAL.format(-32000, "Who?"), "sign-in: it is not signed in"),
        (
            "initialize(); answer(sys.stdin.readline(), result={})",
            "session: its answer to session/new has no sessionId",
        ),
    ],
)
async def test_a_program_that_is_no_agent_or_cannot_work_says_why(
    tmp_path: Path, code: str, said: str
) -> None:
    assert await fault(tmp_path, code) == said


async def test_a_program_that_stays_silent_is_given_up(tmp_path: Path) -> None:
    assert await fault(tmp_path, "sys.stdin.read()", 0.1) == NO_ANSWER.format(0.1)
    shell = 'print("shell> ", flush=True); sys.stdin.read()'
    said = NO_ANSWER.format(3) + "; it printed invalid JSON: shell>"
    assert await fault(tmp_path, shell, 3) == said


async def test_what_is_no_program_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text("\x00")
    (tmp_path / "agent").chmod(0o755)
    settings = ProviderConfig(wire="acp", command=("agent",))
    seen = await shake_hands(settings, str(tmp_path / "agent"), os.environ, tmp_path)
    assert seen.failure == "it does not start: exec format error"
