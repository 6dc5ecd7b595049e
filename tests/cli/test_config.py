"""`lfg config` and `lfg completion`."""

import stat
import tomllib
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.settings import paths


def test_init_writes_the_example_and_refuses_to_overwrite(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "init"]) == 0
    assert paths.config_file().read_text() == Path("config.example.toml").read_text()
    assert stat.S_IMODE(paths.config_file().stat().st_mode) == 0o600
    assert main(["config", "init"]) == 2
    assert "already exists" in capsys.readouterr().err


def test_show_prints_toml_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert tomllib.loads(shown)["providers"]["anthropic"]["wire"] == "anthropic"
    assert "sk-secret" not in shown


def test_show_prints_no_key_that_is_written_in_the_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = paths.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(
        '[providers.mine]\nwire = "openai-chat"\nbase_url = "http://me:Sesame-0pen@a.b/v1"\n'
        'headers = { Authorization = "Bearer 0pen-Sesame", X-Team = "platform-team" }\n'
    )
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert tomllib.loads(shown)["providers"]["mine"]["headers"]["X-Team"] == "platform-team"
    assert "esame" not in shown


def test_path_names_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "path"]) == 0
    assert str(paths.history_file()) in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    assert "_LFG_COMPLETE" in capsys.readouterr().out
