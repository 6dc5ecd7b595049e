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
    links: dict[str, str | Path] = {
        **{"link_out": outside, "link_file": outside / "file", "dangling_out": outside / "new"},
        **{"link_in": "a/b", "dangling_in": "a/new", "link_up": "..", "circle": "circle"},
    }
    for name, target in links.items():
        (workspace / name).symlink_to(target)
    return workspace


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(tmp_path)


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
        outcomes = [
            run(workspace, "read_file", path=said),
            run(workspace, "list_files", path=said),
            run(workspace, "search_files", path=said, pattern="secret"),
            run(workspace, "edit_file", path=said, old="secret", new="leak"),
            run(workspace, "write_file", path=said, content="written"),
        ]
        assert (snapshot(top / "outside"), set(top.iterdir())) == before
        assert not any(SECRET in outcome.output for outcome in outcomes)


@pytest.mark.parametrize(
    "said",
    [
        *("..", "../outside/file", "a/../../outside/file", "missing/../../outside/file"),
        *("link_out/file", "link_file", "dangling_out", "link_up/outside/file", "/etc/passwd"),
    ],
)
def test_a_path_that_leads_outside_is_refused_as_such(built: Path, said: str) -> None:
    with pytest.raises(ToolError, match="leads outside the workspace"):
        files.locate(built, said)


def test_a_tilde_is_refused_and_says_how_such_a_file_is_named(built: Path) -> None:
    with pytest.raises(ToolError, match=r'written "\./~/notes"'):
        files.locate(built, "~/notes")
    assert files.locate(built, "./~notes").relative == "~notes"


@pytest.mark.parametrize("said", ["file", "./file", "a/../file", "link_in/../../file", "TOP/file"])
def test_paths_that_stay_inside_are_the_file_they_lead_to(built: Path, said: str) -> None:
    (built.parent / "alias").symlink_to("workspace")
    for workspace in (built, built.parent / "alias"):
        path = files.locate(workspace, said.replace("TOP", str(workspace)))
        assert (path.relative, files.read_bytes(path, 99)) == ("file", b"inside\n")


def test_a_link_inside_is_written_through_and_stays_a_link(built: Path) -> None:
    assert run(built, "write_file", path="dangling_in", content="x").error is None
    assert (built / "dangling_in").is_symlink()
    assert (built / "a" / "new").read_text() == "x"


def test_a_link_put_there_after_the_look_is_not_followed(built: Path) -> None:
    outside = built.parent / "outside"
    place = files.locate(built, "a/b/new")
    (built / "a" / "b").rmdir()
    (built / "a" / "b").symlink_to(outside)
    with pytest.raises(ToolError, match="not a folder"):
        files.replace(place, b"x")
    (built / "a" / "file").symlink_to(outside / "file")
    inside = files.WorkspacePath(place.root, ("a", "file"), "a/file")
    with pytest.raises(ToolError):
        files.read_bytes(inside, 1_000)
    with pytest.raises(ToolError, match="not a regular file"):
        files.replace(inside, b"x")
    assert snapshot(outside) == {"file": SECRET.encode()}


def test_what_is_in_dot_git_is_not_written(built: Path) -> None:
    outcome = run(built, "write_file", path=".git/hooks/pre-commit", content="#!/bin/sh")
    assert ".git" in str(outcome.error)
    assert not (built / ".git").exists()


def test_the_mode_of_a_file_survives_and_a_new_one_has_what_the_umask_leaves(built: Path) -> None:
    (built / "file").chmod(0o751)
    (built / "usual").touch()
    modes = {"file": 0o751, "fresh": stat.S_IMODE((built / "usual").stat().st_mode)}
    for name, mode in modes.items():
        files.replace(files.locate(built, name), b"new")
        assert stat.S_IMODE((built / name).stat().st_mode) == mode
    assert not list(built.glob("*.tmp"))


def test_another_version_than_the_approved_one_is_not_replaced(built: Path) -> None:
    path, missing = files.locate(built, "file"), files.locate(built, "missing")
    approved = files.version(path, b"inside\n")
    before = snapshot(built)
    for place, other in ((path, approved + "0"), (missing, approved)):
        with pytest.raises(ToolError, match="has changed since approval was requested"):
            files.replace(place, b"new", other)
    assert snapshot(built) == before
    files.replace(path, b"new", approved)
    files.replace(missing, b"new", files.version(missing, None))
    assert (built / "file").read_bytes() == (built / "missing").read_bytes() == b"new"


def test_descriptors_are_given_back_after_failures(built: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for said in ("a", "missing", "file/x", "a/b/c/d"):
        with pytest.raises(ToolError):
            files.read_bytes(files.locate(built, said), 10)
    with pytest.raises(ToolError):
        files.replace(files.locate(built, "a"), b"")
    assert len(list(Path("/dev/fd").iterdir())) == before
