"""Where files are."""

from pathlib import Path

import platformdirs
import pytest

from lfgtui.settings import paths


@pytest.mark.parametrize("folder", ["{tmp}/mine", "~"])  # a tilde is the home folder
def test_the_environment_says_where_config_and_data_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    named = folder.format(tmp=tmp_path)
    meant = tmp_path if folder == "~" else tmp_path / "mine"
    monkeypatch.setenv("LFG_CONFIG", f"{named}/lfg.toml")
    monkeypatch.setenv("LFG_DATA_DIR", f"{named}/data")
    assert paths.config_file() == meant / "lfg.toml"
    assert paths.history_file() == meant / "data" / "history.db"


@pytest.mark.parametrize("said", [None, ""])
def test_else_they_are_the_platforms(monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    for variable in ("LFG_CONFIG", "LFG_DATA_DIR"):
        if said is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, said)
    assert paths.config_file() == platformdirs.user_config_path("lfg") / "config.toml"
    assert paths.data_dir() == platformdirs.user_data_path("lfg")


@pytest.mark.parametrize("name", ["themes", "config.example.toml"])
def test_what_ships_with_lfg_is_found(name: str) -> None:
    assert paths.shipped(name).exists()
