"""Contents and changes are kept on the disk, once each, for their owner, and within bounds."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from lfgtui.workspace.kept import Before, KeptFiles, TicketFiles, pasts


@pytest.fixture
def store(tmp_path: Path) -> KeptFiles:
    return KeptFiles.beside(tmp_path / "data" / "history.db", 1000, 400)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def change(store: KeptFiles, before: bytes | None, after: bytes | None, ticket: str = "a",
           run: str = "run", path: str = "x") -> None:  # fmt: skip
    found = None if before is None else Before(before, 0o600)
    left = None if after is None else digest(after)
    TicketFiles(store, run, ticket).keep(Path("/w"), path, found, left)


def test_a_content_is_kept_once_for_its_owner_alone(store: KeptFiles, tmp_path: Path) -> None:
    change(store, b"old", b"new", path="x")
    change(store, b"old", b"new", path="y", run="other")
    assert store.content(digest(b"old")) == b"old"
    assert store.size == 3
    made = list((tmp_path / "data" / "kept").rglob("*"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}


def test_what_a_ticket_left_itself_is_not_kept(store: KeptFiles) -> None:
    change(store, b"old", b"between")
    change(store, b"between", b"new")
    assert store.content(digest(b"between")) is None
    change(store, b"of another", b"newer")
    assert store.content(digest(b"of another")) == b"of another"
    past = pasts(store.changes("run"), "a")["/w/x"]
    assert past.is_cut
    assert [one.before for one in past.done] == [digest(b"of another")]


def test_the_oldest_go_first(store: KeptFiles) -> None:
    contents = [bytes([number]) * 300 for number in range(4)]
    for number, content in enumerate(contents):
        change(store, content, b"", path=str(number))
        kept = Path(store._objects, digest(content))
        os.utime(kept, (number, number))
    assert store.size <= 1000
    assert [store.content(digest(content)) is not None for content in contents] == [
        False, True, True, True,
    ]  # fmt: skip


def test_a_larger_file_is_noted_and_not_kept(store: KeptFiles) -> None:
    TicketFiles(store, "run", "a").keep(Path("/w"), "x", Before(None, 0o644), digest(b"new"))
    (noted,) = store.changes("run")
    assert noted.why == "larger than undo.max_file"
    assert store.size == 0


def test_a_torn_line_costs_itself_alone(store: KeptFiles) -> None:
    change(store, b"old", b"new")
    with store._journal("run").open("ab") as file:
        file.write(b'\n{"ticket": "a", "ro')
    change(store, None, b"new", path="y")
    assert [one.path for one in store.changes("run")] == ["x", "y"]


def test_a_damaged_content_is_none(store: KeptFiles) -> None:
    change(store, b"old", b"new")
    Path(store._objects, digest(b"old")).write_bytes(b"odd")
    assert store.content(digest(b"old")) is None


def test_dropping_a_run_leaves_what_another_needs(store: KeptFiles) -> None:
    change(store, b"shared", b"new", run="one")
    change(store, b"own", b"new", run="one", path="y")
    change(store, b"shared", b"new", run="../two")  # however it is called
    store.drop(["one", "unknown"])
    assert store.changes("one") == []
    assert len(store.changes("../two")) == 1
    assert store.content(digest(b"shared")) == b"shared"
    assert store.content(digest(b"own")) is None


def test_a_redo_makes_the_changes_count_again(store: KeptFiles) -> None:
    change(store, b"old", b"new")
    files = TicketFiles(store, "run", "a", "undo")
    files.keep(Path("/w"), "x", Before(b"new", 0o600), digest(b"old"))
    assert store.content(digest(b"new")) == b"new"
    assert pasts(store.changes("run"), "a")["/w/x"].undone is not None
    files = TicketFiles(store, "run", "a", "redo")
    files.keep(Path("/w"), "x", Before(b"old", 0o600), digest(b"new"))
    past = pasts(store.changes("run"), "a")["/w/x"]
    assert past.undone is None
    assert len(past.done) == 1
