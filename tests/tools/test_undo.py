"""What a ticket changed is undone to the byte, and nobody else's work is lost by it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.errors import ToolError
from lfgtui.tools import ToolLimits, ToolOutcome, run_tool
from lfgtui.tools.undo import CUT, Step, carry_out, plan_undo
from lfgtui.workspace.kept import KeptFiles, TicketFiles

from .test_files import snapshot

NAMES = ("a", "b", "new", "deep/er/c")


class Place:
    """A workspace, a store, and tickets that work there."""

    def __init__(self, top: Path) -> None:
        self.workspace = top / "workspace"
        self.workspace.mkdir()
        self.store = KeptFiles.beside(top / "data" / "history.db", 10**6, 10**5)

    def call(self, ticket: str, name: str, **arguments: object) -> ToolOutcome:
        own = TicketFiles(self.store, "run", ticket)
        return asyncio.run(
            run_tool(name, arguments, self.workspace, on_output=lambda *_: None,
                     limits=ToolLimits(), kept=own)
        )  # fmt: skip

    def write(self, ticket: str, path: str, content: str) -> None:
        assert self.call(ticket, "write_file", path=path, content=content).error is None

    def plan(self, ticket: str, *, redo: bool = False) -> dict[str, Step]:
        return {s.path.given: s for s in plan_undo(self.store, "run", ticket, redo=redo)}

    def undo(self, ticket: str, *, redo: bool = False) -> None:
        for step in self.plan(ticket, redo=redo).values():
            assert not step.refusal
            if step.is_due:
                carry_out(self.store, "run", ticket, step, redo=redo)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(autouse=True, scope="module")
def _unhurried() -> Iterator[None]:
    """Nobody cuts the power here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        name: (content, (folder / name).stat().st_mode)
        for name, content in snapshot(folder).items()
        if content is not None
    }


writes = st.tuples(st.just("write_file"), st.sampled_from(NAMES), st.text(max_size=8))
edits = st.tuples(st.just("edit_file"), st.sampled_from(NAMES), st.sampled_from("xyz"))
undos = st.tuples(st.sampled_from(["undo", "redo"]), st.just(""), st.just(""))


@settings(max_examples=60, deadline=None)
@given(st.lists(writes | edits | undos, max_size=8))
def test_whatever_one_ticket_did_is_undone(done: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as top:
        place = Place(Path(top))
        (place.workspace / "a").write_bytes(b"x\r\n\xff old")
        (place.workspace / "a").chmod(0o640)
        (place.workspace / "b").write_bytes(b"")
        before = files_of(place.workspace)
        for name, path, text in done:
            if name == "write_file":
                place.call("t", name, path=path, content=text)
            elif name == "edit_file":
                place.call("t", name, path=path, old="x", new=text)
            else:
                place.undo("t", redo=name == "redo")
        left = files_of(place.workspace)
        place.undo("t")
        assert files_of(place.workspace) == before
        place.undo("t", redo=True)
        if all(name not in ("undo", "redo") for name, *_ in done):
            assert files_of(place.workspace) == left


def test_only_its_own_changes_are_undone(place: Place) -> None:
    place.write("one", "x", "1")
    place.write("two", "y", "2")
    place.undo("one")
    assert snapshot(place.workspace) == {"y": b"2"}


def test_a_file_that_another_changed_since_is_left_and_who_is_named(place: Place) -> None:
    place.write("one", "x", "1")
    place.write("two", "x", "2")
    assert place.plan("one")["x"].refusal == "changed since by run/two"
    place.undo("two")
    place.undo("one")
    assert snapshot(place.workspace) == {}


def test_a_file_that_a_person_changed_since_is_left(place: Place) -> None:
    place.write("one", "x", "1")
    (place.workspace / "x").write_text("mine")
    assert place.plan("one")["x"].refusal == "changed since, by no tool of lfg"
    (place.workspace / "x").unlink()
    assert not place.plan("one")["x"].is_due  # it is as it was before


def test_a_change_between_its_own_is_kept(place: Place) -> None:
    place.write("one", "x", "1")
    (place.workspace / "x").write_text("mine")
    place.write("one", "x", "2")
    assert place.plan("one")["x"].remark == CUT
    place.undo("one")
    assert snapshot(place.workspace) == {"x": b"mine"}


def test_a_change_after_the_question_is_not_lost(place: Place) -> None:
    place.write("one", "x", "1")
    step = place.plan("one")["x"]
    (place.workspace / "x").write_text("mine")
    with pytest.raises(ToolError):
        carry_out(place.store, "run", "one", step)
    assert snapshot(place.workspace) == {"x": b"mine"}
    assert "changed since" in place.plan("one")["x"].refusal


def test_a_link_in_the_place_of_a_folder_leads_nowhere(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("1")
    place.write("one", "deep/x", "1")
    (place.workspace / "deep" / "x").unlink()
    (place.workspace / "deep").rmdir()
    (place.workspace / "deep").symlink_to(outside)
    assert "not a folder" in place.plan("one")["deep/x"].refusal
    (place.workspace / "deep").unlink()
    (place.workspace / "deep").mkdir()
    (place.workspace / "deep" / "x").symlink_to(outside / "x")
    assert place.plan("one")["deep/x"].refusal
    assert (outside / "x").read_text() == "1"


def test_a_change_that_lfg_did_not_live_to_make_is_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("one", "x", "1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _killed)
        assert place.call("one", "write_file", path="x", content="2").error
    place.undo("one")
    assert snapshot(place.workspace) == {}


def _killed(*_: object, **__: object) -> None:
    raise OSError(5, os.strerror(5))


def test_what_cannot_be_kept_is_not_changed(place: Place, tmp_path: Path) -> None:
    (place.workspace / "x").write_text("old")
    (tmp_path / "data").write_text("in the way")
    outcome = place.call("one", "write_file", path="x", content="new")
    assert "it cannot be kept for undo" in str(outcome.error)
    assert snapshot(place.workspace) == {"x": b"old"}


def test_a_file_that_is_larger_than_is_kept_is_said_to_be_so(place: Place) -> None:
    (place.workspace / "x").write_text("old" * 100_000)
    place.write("one", "x", "new")
    assert place.plan("one")["x"].refusal == "not kept: larger than undo.max_file"


def test_what_made_room_for_newer_contents_is_said_to_be_gone(place: Place) -> None:
    for number in range(12):
        (place.workspace / str(number)).write_text(f"{number:x}" * 99_000)
        place.write("one", str(number), "new")
    plan = place.plan("one")
    assert "make room" in plan["0"].refusal
    assert plan["11"].refusal == ""


def test_a_workspace_that_is_gone_is_said_to_be(place: Place) -> None:
    place.write("one", "x", "1")
    shutil.rmtree(place.workspace)
    refusal = f"the workspace {place.workspace} no longer exists"
    assert place.plan("one")["x"].refusal == refusal
