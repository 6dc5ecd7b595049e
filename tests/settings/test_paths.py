"""Where files are."""

from pathlib import Path

import platformdirs
import pytest

from lfgtui.settings import paths


def test_the_environment_says_where_config_and_data_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LFG_CONFIG", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "data"))
    assert paths.config_file() == tmp_path / "mine.toml"
    assert paths.data_dir() == tmp_path / "data"
    assert paths.history_file() == tmp_path / "data" / "history.db"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LFG_CONFIG", "~/lfg.toml")
    monkeypatch.setenv("LFG_DATA_DIR", "~/lfg")
    assert paths.config_file() == tmp_path / "lfg.toml"
    assert paths.data_dir() == tmp_path / "lfg"


@pytest.mark.parametrize("said", [None, ""])
def test_else_the_platforms_folders_are_used(
    monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    for variable in ("LFG_CONFIG", "LFG_DATA_DIR"):
        if said is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, said)
    assert paths.config_file() == platformdirs.user_config_path("lfg") / "config.toml"
    assert paths.data_dir() == platformdirs.user_data_path("lfg")


def test_asking_for_a_folder_does_not_make_it() -> None:
    assert not paths.data_dir().exists()


@pytest.mark.parametrize("name", ["themes", "config.example.toml"])
def test_what_ships_with_lfg_is_found(name: str) -> None:
    assert paths.shipped(name).exists()
