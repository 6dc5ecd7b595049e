"""`last` is the same run in every command: the newest of this folder's repository."""

from pathlib import Path

import pytest

from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, Lfg, store

COMMANDS = [
    "show last/a",
    "diff last/a",
    "export last/a",
    "resume last --headless",
    "cancel last/a",
    "tell last/a hello",
    "add last -p hello",
    "approve last/a",
    "deny last/a",
    "choose last/a",
    "concurrency last 2",
    "apply last/a",
    "discard last/a --yes",
    "undo last/a --yes",
    "history pin last",
    "history note last words",
    "history delete last --yes",
    "search run:last words",
]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another project's folder; we are in one in which no run has worked."""
    mine = tmp_path / "mine"
    (mine / ".git").mkdir(parents=True)
    (mine / "deep").mkdir()
    monkeypatch.chdir(mine / "deep")
    return tmp_path / "elsewhere"


def kept(folder: Path) -> str:
    return store("A run", [Ticket(id="a", prompt="p", workspace=str(folder))], LIFE)


@pytest.mark.parametrize("command", COMMANDS)
def test_another_projects_run_is_not_meant_and_the_error_names_the_folder_and_it(
    lfg: Lfg, elsewhere: Path, command: str
) -> None:
    run = kept(elsewhere)
    why = f"no run has worked in {Path.cwd().parent}; the newest elsewhere is {run}, in {elsewhere}"
    assert lfg(*command.split()) == (2, "", f"lfg: {why}\n")
    assert [one["run"] for one in lfg("history", "--json").json] == [run]


def test_the_newest_of_this_repository_is_meant_from_all_its_folders(
    lfg: Lfg, elsewhere: Path
) -> None:
    run = kept(Path.cwd().parent)
    kept(elsewhere)
    assert lfg("show", "last", "--json").json["run"] == run
    assert {hit["run"] for hit in lfg("search", "run:last gone", "--json").json} == {run}
    assert run in lfg("cancel", "last").err
