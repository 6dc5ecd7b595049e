"""The set-up of this machine, part by part."""

import locale
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from lfgtui.doctor import machine
from lfgtui.doctor.machine import check_sandbox
from lfgtui.history.recording.recorder import Recorder
from lfgtui.processes.sandbox.availability import Sandboxing
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS, ProviderConfig
from lfgtui.settings.sandbox import SandboxPolicy

LARGE = os.terminal_size((120, 40))
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def test_a_config_that_is_not_there_is_in_order(tmp_path: Path) -> None:
    (finding,), config = machine.check_config(tmp_path / "none.toml")
    assert finding.level == "ok"
    assert "lfg config init" in finding.fix
    assert "anthropic" in config.providers


def test_a_mistake_in_the_config_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = "dark"\nconcurency = 3\n')
    (finding,), config = machine.check_config(path)
    assert finding.level == "fix"
    assert finding.message.startswith(f"{path}:2: ")
    assert config.providers == PRESETS


def test_keys_are_told_by_name_and_never_by_value() -> None:
    work = ProviderConfig(wire="openai-chat", api_key_command="touch /never")
    config = Config(providers={name: PRESETS[name] for name in ("openai", "xai")} | {"work": work})
    finding = machine.check_keys(config, {"OPENAI_API_KEY": "sk-secret", "XAI_API_KEY": " "})
    assert finding.level == "ok"
    assert finding.message == (
        "set for openai (OPENAI_API_KEY); from a command for work; not set: xai (XAI_API_KEY)"
    )
    assert machine.check_keys(Config(providers=PRESETS), {}).level == "note"


def test_agents_are_installed_or_not_and_ones_own_should_be(programs: Path) -> None:
    finding = machine.check_agents(Config(providers=PRESETS))
    assert finding.level == "ok"
    assert finding.message.startswith("not found: claude, codex, gemini-cli, opencode, goose")
    assert finding.fix == "`lfg doctor claude` says how to install it"
    for name in ("opencode", "claude-agent-acp"):
        (programs / name).touch(0o755)
    finding = machine.check_agents(Config(providers=PRESETS))
    assert finding.message.startswith("installed: claude, opencode; not found: codex, gemini-cli")
    assert (finding.level, finding.fix) == ("ok", "")
    mine = ProviderConfig(wire="acp", command=("my-agent",))
    finding = machine.check_agents(Config(providers={**PRESETS, "mine": mine}))
    assert (finding.level, finding.fix) == ("fix", "`lfg doctor mine` says what is missing")


def test_who_else_shows_a_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(providers=PRESETS)
    everywhere = Path("/proc")
    assert machine.check_key_access(config, everywhere, 0).level == "note"
    assert machine.check_key_access(config, everywhere, 0, is_walled=True).level == "ok"
    assert machine.check_key_access(config, everywhere, 1000).message.startswith("no key is")
    key = "placeholder-shown-to-others"
    monkeypatch.setenv("XAI_API_KEY", key)
    assert machine.check_key_access(config, everywhere, 1000).level == "ok"
    pipe = subprocess.PIPE
    with subprocess.Popen(["cat"], stdin=pipe, stdout=pipe, env={"K": key}) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"here\n")
        process.stdin.flush()
        process.stdout.readline()  # it runs: before that its environment may not be there yet
        found = machine.check_key_access(config, everywhere, 1000)
    assert f"cat ({process.pid})" in found.message
    assert key not in found.message
    assert machine.check_key_access(config, Path("/no/proc"), 1000).level == "note"


@pytest.fixture
def utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda do_setlocale=True: "UTF-8")


@pytest.mark.usefixtures("utf8")
@pytest.mark.parametrize(
    ("environment", "colours", "message"),
    [
        (
            {**TERMINAL, "TMUX": "default,1,0", "SSH_TTY": "/dev/pts/1"},
            *(256, "xterm-256color, 120x40, 16 million colours, utf-8, in tmux, over SSH"),
        ),
        ({"TERM": "screen"}, 8, "screen, 120x40, 8 colours, utf-8"),
        ({"TERM": "strange"}, -1, "strange, 120x40, colours unknown, utf-8"),
        ({"TERM": "direct"}, 1 << 24, "direct, 120x40, 16 million colours, utf-8"),
        ({"TERM": "x", "NO_COLOR": "1"}, 256, "x, 120x40, no colours (NO_COLOR), utf-8"),
    ],
)
def test_a_terminal_is_described(environment: dict[str, str], colours: int, message: str) -> None:
    finding = machine.check_terminal(environment, LARGE, lambda: colours)
    assert (finding.level, finding.message) == ("ok", message)


@pytest.mark.parametrize(
    ("environment", "size", "encoding", "fix"),
    [
        ({"TERM": "dumb"}, LARGE, "UTF-8", "set TERM"),
        ({}, LARGE, "UTF-8", "set TERM"),
        (TERMINAL, os.terminal_size((40, 10)), "UTF-8", "at least 60x16"),
        (TERMINAL, LARGE, "ANSI_X3.4-1968", "set LANG"),
    ],
)
def test_what_a_terminal_lacks_is_to_fix(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    size: os.terminal_size,
    encoding: str,
    fix: str,
) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda do_setlocale=True: encoding)
    finding = machine.check_terminal(environment, size, lambda: 8)
    assert finding.level == "fix" and fix in finding.fix


def test_a_history_that_is_not_there_is_not_made() -> None:
    finding = machine.check_history_file(paths.history_file())
    assert (finding.level, "first run" in finding.message) == ("ok", True)
    assert not paths.history_file().exists()


def test_a_history_is_counted_and_read_through() -> None:
    path = paths.history_file()
    with Recorder(path) as history:
        history.finish_run(history.start_run("t", (), None), "done")
    finding = machine.check_history_file(path)
    assert finding.level == "ok"
    assert "runs: 1" in finding.message
    assert finding.message.endswith("intact")


def test_a_history_that_is_another_programs_is_to_fix() -> None:
    path = paths.history_file()
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    finding = machine.check_history_file(path)
    assert finding.level == "fix"
    assert "another program's" in finding.message


def test_a_damaged_history_is_to_fix() -> None:
    path = paths.history_file()
    with Recorder(path) as history:
        for number in range(40):
            history.finish_run(history.start_run(f"title {number} " * 50, (), None), "done")
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)
    finding = machine.check_history_file(path)
    assert finding.level == "fix"
    assert "damaged" in finding.message or "malformed" in finding.message


def test_a_sandbox_is_named_and_its_absence_explained() -> None:
    here, nowhere = Sandboxing("/usr/bin/bwrap"), Sandboxing("", "bubblewrap is missing", "get it")
    assert check_sandbox(SandboxPolicy(), here).level == "ok"
    missing = check_sandbox(SandboxPolicy(), nowhere)
    assert (missing.level, missing.fix) == ("note", "get it")
    assert (
        "bubblewrap is missing; each command an agent runs needs your approval" in missing.message
    )
    assert check_sandbox(SandboxPolicy(mode="bwrap"), nowhere).level == "fix"
    assert "switched off" in check_sandbox(SandboxPolicy(mode="none"), here).message
