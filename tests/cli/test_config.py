"""`lfg config` and `lfg completion`."""

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure


def test_init_writes_the_example_and_refuses_to_overwrite(lfg: Lfg, programs: Path) -> None:
    assert lfg("config", "init") == (0, f"wrote {paths.config_file()}\n", "")
    assert paths.config_file().read_text() == Path("config.example.toml").read_text()
    assert stat.S_IMODE(paths.config_file().stat().st_mode) == 0o600
    code, _, err = lfg("config", "init")
    assert code == 2 and "already exists" in err
    paths.config_file().unlink()
    for name in ("opencode", "codex-acp"):
        (programs / name).touch(0o755)
    found = 'installed agents: codex, opencode; to make one the default, set model = "codex" in it'
    assert lfg("config", "init").out.splitlines()[1:] == [found]


def test_show_prints_toml_without_keys(lfg: Lfg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-0pen-sesame")
    configure(
        '[providers.mine]\nwire = "openai-chat"\nbase_url = "http://me:Sesame-0pen@a.b/v1"\n'
        'headers = { Authorization = "Bearer 0pen-Sesame", X-Team = "platform-team" }\n'
    )
    shown = lfg("config", "show").out
    providers = tomllib.loads(shown)["providers"]
    assert providers["anthropic"]["wire"] == "anthropic"
    assert providers["mine"]["headers"]["X-Team"] == "platform-team"
    assert "esame" not in shown


def test_path_names_the_files(lfg: Lfg) -> None:
    assert str(paths.history_file()) in lfg("config", "path").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(lfg: Lfg, shell: str) -> None:
    assert "_LFG_COMPLETE" in lfg("completion", shell).out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("lfg his", "plain,history\n"),
        ("lfg history pr", "plain,prune\n"),
        ("lfg demo --ke", "plain,--keep\n"),
        ("lfg histroy p", "\n"),
    ],
)
def test_what_is_typed_is_completed(
    lfg: Lfg, monkeypatch: pytest.MonkeyPatch, words: str, expected: str
) -> None:
    monkeypatch.setenv("_LFG_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert lfg() == (0, expected, "")


def test_completing_a_command_imports_none() -> None:
    code = "import sys; from lfgtui.__main__ import main; main(); print(*sys.modules)"
    variables = {"_LFG_COMPLETE": "bash_complete", "COMP_WORDS": "lfg ", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    *commands, modules = done.stdout.splitlines()
    assert "plain,demo" in commands
    assert "lfgtui.cli.run" not in modules.split()


def test_show_prints_no_password_of_a_redis_server(lfg: Lfg) -> None:
    configure('[workers]\nurl = "rediss://lfg:Sesame@box:6380/1"\n')
    code, out, _ = lfg("config", "show")
    assert code == 0 and 'url = "rediss://box:6380/1"' in out
    assert "Sesame" not in out
