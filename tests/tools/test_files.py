"""No path, however it is written, leads out of the workspace."""

import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.errors import ToolError
from lfgtui.tools import ToolOutcome, files

from .conftest import run_call

SECRET = "the secret outside"


def build(top: Path) -> Path:
    """A workspace with links of every kind, and something outside to be kept safe."""
    workspace, outside = top / "workspace", top / "outside"
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "file").write_text("inside\n")
    outside.mkdir()
    (outside / "file").write_text(SECRET)
    (workspace / "link_out").symlink_to(outside)
    (workspace / "link_file").symlink_to(outside / "file")
    (workspace / "dangling_out").symlink_to(outside / "new")
    (workspace / "link_in").symlink_to("a/b")
    (workspace / "dangling_in").symlink_to("a/new")
    (workspace / "link_up").symlink_to("..")
    (workspace / "circle").symlink_to("circle")
    return workspace


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def run(workspace: Path, name: str, **arguments: object) -> ToolOutcome:
    return run_call(workspace, name, arguments)


segments = st.sampled_from(
    [
        *("..", ".", "", "~", "a", "b", "file", "new", "outside", "workspace", ".git", "\0", "é"),
        *("link_out", "link_file", "dangling_out", "link_in", "dangling_in", "link_up", "circle"),
    ]
)
relative = st.lists(segments | st.text(max_size=3), min_size=1, max_size=5).map("/".join)
paths = st.tuples(st.sampled_from(["", "", "/", "TOP/", "TOP/workspace/", "~/"]), relative)


@given(path=paths)
@settings(max_examples=150, deadline=None)
def test_whatever_the_path_nothing_outside_is_read_or_changed(path: tuple[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        workspace = build(top)
        before = snapshot(top / "outside"), set(top.iterdir())
        said = path[0].replace("TOP", str(top)) + path[1]
        read = run(workspace, "read_file", path=said)
        listed = run(workspace, "list_files", path=said)
        found = run(workspace, "search_files", path=said, pattern="secret")
        edited = run(workspace, "edit_file", path=said, old="secret", new="leak")
        run(workspace, "write_file", path=said, content="written")
        assert (snapshot(top / "outside"), set(top.iterdir())) == before
        for outcome in (read, listed, found, edited):
            assert SECRET not in outcome.output


@pytest.mark.parametrize(
    "said",
    [
        *("..", "../outside/file", "a/../../outside/file", "missing/../../outside/file"),
        *("link_out/file", "link_file", "dangling_out", "link_up/outside/file", "/etc/passwd"),
    ],
)
def test_a_path_that_leads_outside_is_refused_as_such(tmp_path: Path, said: str) -> None:
    workspace = build(tmp_path)
    with pytest.raises(ToolError, match="leads outside of the workspace"):
        files.locate(workspace, said)


def test_a_tilde_is_refused_and_says_how_such_a_file_is_named(tmp_path: Path) -> None:
    workspace = build(tmp_path)
    with pytest.raises(ToolError, match=r'written "\./~/notes"'):
        files.locate(workspace, "~/notes")
    assert files.locate(workspace, "./~notes").name == "~notes"


@pytest.mark.parametrize("said", ["file", "./file", "a/../file", "link_in/../../file", "TOP/file"])
def test_paths_that_stay_inside_are_the_file_they_lead_to(tmp_path: Path, said: str) -> None:
    workspace = build(tmp_path)
    assert files.locate(workspace, said.replace("TOP", str(workspace))).name == "file"


def test_a_workspace_may_itself_be_reached_through_a_link(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "alias").symlink_to("workspace")
    assert "inside" in run(tmp_path / "alias", "read_file", path="file").output
    assert files.locate(tmp_path / "alias", str(tmp_path / "alias" / "file")).name == "file"


def test_a_link_inside_is_written_through_and_stays_a_link(tmp_path: Path) -> None:
    workspace = build(tmp_path)
    assert run(workspace, "write_file", path="dangling_in", content="x").error is None
    assert (workspace / "dangling_in").is_symlink()
    assert (workspace / "a" / "new").read_text() == "x"


def test_a_link_put_there_after_the_look_is_not_followed(tmp_path: Path) -> None:
    workspace = build(tmp_path)
    place = files.locate(workspace, "a/b/new")
    (workspace / "a" / "b").rmdir()
    (workspace / "a" / "b").symlink_to(tmp_path / "outside")
    with pytest.raises(ToolError, match="not a folder"):
        files.replace(place, b"x")
    (workspace / "a" / "file").symlink_to(tmp_path / "outside" / "file")
    inside = files.WorkspacePath(place.root, ("a", "file"), "a/file")
    with pytest.raises(ToolError):
        files.read_bytes(inside, 1_000)
    with pytest.raises(ToolError, match="not a regular file"):
        files.replace(inside, b"x")
    assert snapshot(tmp_path / "outside") == {"file": SECRET.encode()}


def test_what_is_in_dot_git_is_not_written(tmp_path: Path) -> None:
    workspace = build(tmp_path)
    outcome = run(workspace, "write_file", path=".git/hooks/pre-commit", content="#!/bin/sh")
    assert outcome.error is not None
    assert ".git" in outcome.error
    assert not (workspace / ".git").exists()


def test_the_mode_of_a_file_survives_and_a_new_one_has_what_the_umask_leaves(
    tmp_path: Path,
) -> None:
    workspace = build(tmp_path)
    (workspace / "file").chmod(0o751)
    (tmp_path / "usual").write_text("")
    usual = (tmp_path / "usual").stat().st_mode
    for name, mode in (("file", 0o751), ("fresh", stat.S_IMODE(usual))):
        files.replace(files.locate(workspace, name), b"new")
        assert stat.S_IMODE((workspace / name).stat().st_mode) == mode
    assert not list(workspace.glob("*.tmp"))


def test_descriptors_are_given_back_after_failures(tmp_path: Path) -> None:
    workspace = build(tmp_path)
    before = len(list(Path("/dev/fd").iterdir()))
    for said in ("a", "missing", "file/x", "a/b/c/d"):
        with pytest.raises(ToolError):
            files.read_bytes(files.locate(workspace, said), 10)
    with pytest.raises(ToolError):
        files.replace(files.locate(workspace, "a"), b"")
    assert len(list(Path("/dev/fd").iterdir())) == before
