"""The set-up of this machine, part by part."""

import locale
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from lfgtui.doctor import machine
from lfgtui.history.recording.recorder import Recorder
from lfgtui.settings import paths
from lfgtui.settings.config import PRESETS, Config, ProviderConfig

LARGE = os.terminal_size((120, 40))
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def test_a_config_that_is_not_there_is_in_order(tmp_path: Path) -> None:
    finding, config = machine.check_config(tmp_path / "none.toml")
    assert finding.level == "ok"
    assert "lfg config init" in finding.fix
    assert "anthropic" in config.providers


def test_a_mistake_in_the_config_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = "dark"\nconcurency = 3\n')
    finding, config = machine.check_config(path)
    assert finding.level == "fix"
    assert finding.message.startswith(f"{path}:2: ")
    assert config.providers == PRESETS


def test_keys_are_told_by_name_and_never_by_value() -> None:
    config = Config(
        providers={
            "openai": PRESETS["openai"],
            "xai": PRESETS["xai"],
            "work": ProviderConfig(wire="openai-chat", api_key_command="touch /never"),
        }
    )
    finding = machine.check_keys(config, {"OPENAI_API_KEY": "sk-secret", "XAI_API_KEY": " "})
    assert finding.level == "ok"
    assert finding.message == (
        "set for openai (OPENAI_API_KEY); from a command for work; not set: xai (XAI_API_KEY)"
    )


def test_no_key_at_all_is_a_note() -> None:
    assert machine.check_keys(Config(providers=PRESETS), {}).level == "note"


def test_who_else_shows_a_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(providers=PRESETS)
    everywhere = Path("/proc")
    assert machine.check_key_access(config, everywhere, 0).level == "note"
    assert machine.check_key_access(config, everywhere, 1000).message.startswith("no key is")
    key = "placeholder-shown-to-others"
    monkeypatch.setenv("XAI_API_KEY", key)
    assert machine.check_key_access(config, everywhere, 1000).level == "ok"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={"K": key}) as process:
        found = machine.check_key_access(config, everywhere, 1000)
    assert f"cat ({process.pid})" in found.message
    assert key not in found.message
    assert machine.check_key_access(config, Path("/no/proc"), 1000).level == "note"


@pytest.fixture
def utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda do_setlocale=True: "UTF-8")


@pytest.mark.usefixtures("utf8")
def test_a_good_terminal_is_described() -> None:
    environment = {**TERMINAL, "TMUX": "default,1,0", "SSH_TTY": "/dev/pts/1"}
    finding = machine.check_terminal(environment, LARGE, lambda: 256)
    assert finding.level == "ok"
    assert finding.message == (
        "xterm-256color, 120x40, 16 million colours, utf-8, in tmux, over SSH"
    )


@pytest.mark.usefixtures("utf8")
@pytest.mark.parametrize(
    ("environment", "colours", "told"),
    [
        ({"TERM": "screen"}, 8, "8 colours"),
        ({"TERM": "strange"}, -1, "colours unknown"),
        ({"TERM": "xterm-direct"}, 1 << 24, "16 million colours"),
        ({**TERMINAL, "NO_COLOR": "1"}, 256, "no colours (NO_COLOR)"),
    ],
)
def test_colours_are_what_the_terminal_says(
    environment: dict[str, str], colours: int, told: str
) -> None:
    assert told in machine.check_terminal(environment, LARGE, lambda: colours).message


@pytest.mark.usefixtures("utf8")
@pytest.mark.parametrize(
    ("environment", "size", "fix"),
    [
        ({"TERM": "dumb"}, LARGE, "set TERM"),
        ({}, LARGE, "set TERM"),
        (TERMINAL, os.terminal_size((40, 10)), "at least 60x16"),
    ],
)
def test_what_a_terminal_lacks_is_to_fix(
    environment: dict[str, str], size: os.terminal_size, fix: str
) -> None:
    finding = machine.check_terminal(environment, size, lambda: 8)
    assert finding.level == "fix"
    assert fix in finding.fix


def test_a_locale_without_utf8_is_to_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda do_setlocale=True: "ANSI_X3.4-1968")
    finding = machine.check_terminal(TERMINAL, LARGE, lambda: 256)
    assert finding.level == "fix"
    assert "LANG" in finding.fix


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
