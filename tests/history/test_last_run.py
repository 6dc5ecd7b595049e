"""Which run `last` is: the newest of this folder's repository."""

from pathlib import Path

import pytest

from lfgtui.errors import UsageError
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recording


@pytest.fixture
def projects(tmp_path: Path) -> dict[str, Path]:
    """Two repositories, of which one is the other's neighbour by name, and a plain folder."""
    made = {name: tmp_path / name for name in ("shop", "shop-2", "plain")}
    for name, folder in made.items():
        (folder / "deep").mkdir(parents=True)
        if name != "plain":
            (folder / ".git").mkdir()
    return made


def worked_in(recorder: Recording, at: float, *folders: Path) -> str:
    recorder.set_clock(at)
    tickets = [Ticket(id=f"t{n}", prompt="p", workspace=str(f)) for n, f in enumerate(folders)]
    return recorder.start_run("a run", tickets, None)


def last(recorder: Recording) -> str:
    with recorder.reader() as reader:
        return reader.find_run("last")


def test_it_is_the_newest_that_worked_in_the_repository_or_without_one_in_the_folder(
    recorder: Recording, projects: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_in(recorder, 1000, projects["shop"])
    shop = worked_in(recorder, 2000, projects["plain"], projects["shop"] / "deep")
    plain = worked_in(recorder, 3000, projects["plain"] / "deep")
    other = worked_in(recorder, 4000, projects["shop-2"])
    for folder, run in (("shop", shop), ("plain", plain), ("shop-2", other)):
        monkeypatch.chdir(projects[folder])
        assert last(recorder) == run
        monkeypatch.chdir(projects[folder] / "deep")
        assert last(recorder) == run
    monkeypatch.chdir("/")
    assert last(recorder) == other


def test_where_there_is_none_the_folder_and_the_newest_elsewhere_are_named(
    recorder: Recording, projects: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(projects["shop"] / "deep")
    with pytest.raises(UsageError, match=r"^no runs yet; `lfg run` or `lfg demo` makes the first$"):
        last(recorder)
    run = worked_in(recorder, 1000, projects["plain"])
    with pytest.raises(UsageError) as refused:
        last(recorder)
    shop, plain = projects["shop"], projects["plain"]
    why = f"no run has worked in {shop}; the newest elsewhere is {run}, in {plain}"
    assert str(refused.value) == why
    (projects["shop"] / "deep").rmdir()
    with pytest.raises(UsageError, match=r"^the current folder cannot be read: No such file"):
        last(recorder)
