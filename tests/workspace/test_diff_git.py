"""What changed in a folder since it was recorded, in real repositories."""

import os
import subprocess
from pathlib import Path

import pytest

from lfgtui.workspace import diff_git
from lfgtui.workspace.diff import ChangedFile
from lfgtui.workspace.diff_git import Base, base_tree, changes, hunks, patch, record
from lfgtui.workspace.git import GitError
from tests.helpers.checkouts import git, make_repository


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    settings = "[user]\nname = A\nemail = a@example.org\n[diff]\nnoprefix = true\nrenames = false\n"
    (tmp_path / "gitconfig").write_text(f"{settings}[color]\nui = always\n")
    files = {"a.txt": "one\ntwo\nthree\n", "gone.txt": "gone\n", ".gitignore": "ignored\n"}
    return make_repository(tmp_path / "repository", files)


async def recorded(folder: Path) -> Base:
    base = await record(folder)
    assert base is not None
    return base


async def test_a_clean_folder_is_recorded_as_its_commit(folder: Path) -> None:
    base = await recorded(folder)
    assert base.commit == git(folder, "rev-parse", "HEAD").strip()
    assert base.tree == git(folder, "rev-parse", "HEAD^{tree}").strip()
    assert (await changes(folder, base.tree)).files == ()


async def test_what_was_changed_before_is_no_change(folder: Path) -> None:
    (folder / "a.txt").write_text("one\nmine\nthree\n")
    (folder / "untracked").write_text("mine\n")
    (folder / "gone.txt").unlink()
    (folder / "staged").write_text("mine\n")
    git(folder, "add", "staged")
    status, index = git(folder, "status", "--porcelain"), (folder / ".git/index").read_bytes()
    base = await recorded(folder)
    assert (await changes(folder, base.tree)).files == ()
    (folder / "a.txt").write_text("one\nmine\nthree\nfour\n")
    (folder / "untracked").write_text("theirs\n")
    found = (await changes(folder, base.tree)).files
    assert [(one.path, one.added, one.removed) for one in found] == [
        ("a.txt", 1, 0),
        ("untracked", 1, 1),
    ]
    assert git(folder, "status", "--porcelain") == status
    assert (folder / ".git/index").read_bytes() == index


async def test_every_kind_of_change_is_found(folder: Path) -> None:
    (folder / "long").write_text("".join(f"line {number}\n" for number in range(50)))
    (folder / "picture").write_bytes(b"\0" * 2000)
    (folder / "script").write_text("#!/bin/sh\n")
    (folder / "link").symlink_to("a.txt")
    base = await recorded(folder)
    (folder / "long").rename(folder / "moved")
    (folder / "picture").write_bytes(b"\0" * 3000)
    (folder / "script").chmod(0o755)
    (folder / "link").unlink()
    (folder / "link").write_text("no link\n")
    (folder / "gone.txt").unlink()
    (folder / "ignored").write_text("x\n")
    odd = os.fsdecode(b"n\xe9w\n-- odd\t\x1b[31m")
    (folder / odd).write_text("+++ b/a.txt\n@@ -1 +1 @@\n")
    found = (await changes(folder, base.tree)).files
    assert [(one.path, one.status, one.added, one.removed, one.note) for one in found] == [
        ("gone.txt", "deleted", 0, 1, ""),
        ("link", "type", 1, 1, "was a link"),
        ("moved", "renamed", 0, 0, ""),
        (odd, "added", 2, 0, ""),
        ("picture", "modified", 0, 0, "binary 2 kB → 3 kB"),
        ("script", "modified", 0, 0, "now executable"),
    ]
    assert found[2].old_path == "long"
    lines = await hunks(folder, base.tree, found)
    assert [one.rows for one in lines[odd]] == [("++++ b/a.txt", "+@@ -1 +1 @@")]
    assert [one.rows[0] for one in lines["link"]] == ["-a.txt", "+no link"]
    assert lines["picture"] == lines["script"] == lines["moved"] == []


async def test_commits_made_meanwhile_are_changes_too(folder: Path) -> None:
    base = await recorded(folder)
    (folder / "a.txt").write_text("other\n")
    git(folder, "commit", "-qam", "second")
    (found,) = (await changes(folder, base.tree)).files
    assert (found.path, found.added, found.removed) == ("a.txt", 1, 3)


async def test_a_folder_of_a_repository_has_changes_of_its_own(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "b").write_text("b\n")
    base = await recorded(inner)
    (inner / "b").write_text("c\n")
    (inner / "new").write_text("c\n")
    (folder / "a.txt").write_text("outside\n")
    assert [one.path for one in (await changes(inner, base.tree)).files] == ["b", "new"]


async def test_no_repository_has_no_base(tmp_path: Path, folder: Path) -> None:
    assert await record(tmp_path) is None
    assert await record(folder / ".git") is None
    git(folder, "clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert await record(tmp_path / "bare") is None


async def test_before_the_first_commit_a_folder_is_recorded_too(
    tmp_path: Path, folder: Path
) -> None:
    git(tmp_path, "init", "-q", "new")
    (tmp_path / "new/one").write_text("1\n")
    base = await recorded(tmp_path / "new")
    assert base.commit == ""
    (tmp_path / "new/two").write_text("2\n")
    assert [one.path for one in (await changes(tmp_path / "new", base.tree)).files] == ["two"]


async def test_large_and_many_untracked_files_are_left_out_and_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff_git, "LARGEST", 1000)
    monkeypatch.setattr(diff_git, "MOST_UNTRACKED", 3)
    (folder / "large").write_bytes(b"x" * 2000)
    (folder / "small").write_text("x\n")
    base = await recorded(folder)
    later = (folder / "large").stat().st_ctime
    assert (await changes(folder, base.tree, since=later)).files == ()
    (found,) = (await changes(folder, base.tree, since=later - 1)).files
    assert found == ChangedFile("large", "added", is_binary=True, note="2 kB, not compared")
    for number in range(4):
        (folder / f"new{number}").write_text("x\n")
    (folder / "small").write_text("y\n")
    shown = await changes(folder, base.tree, since=later)
    assert [one.path for one in shown.files] == ["small"]
    assert shown.remarks == ("5 untracked files are not compared",)


async def test_a_repository_inside_is_not_read_and_a_submodule_shows_its_commit(
    folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(folder), str(other))
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    git(folder, "commit", "-qm", "with a submodule")
    git(tmp_path, "clone", "-q", str(other), str(folder / "inside"))
    base = await recorded(folder)
    assert (await changes(folder, base.tree)).files == ()
    git(folder / "sub", "commit", "-q", "--allow-empty", "-m", "new")
    (found,) = (await changes(folder, base.tree)).files
    assert (found.path, found.note, found.added) == ("sub", "submodule", 1)
    ((hunk,),) = (await hunks(folder, base.tree, [found])).values()
    assert hunk.rows[1].startswith("+Subproject commit ")


async def test_an_unmerged_file_is_shown_once(folder: Path) -> None:
    base = await recorded(folder)
    git(folder, "checkout", "-qb", "other")
    (folder / "a.txt").write_text("theirs\n")
    git(folder, "commit", "-qam", "theirs")
    git(folder, "checkout", "-q", "main")
    (folder / "a.txt").write_text("ours\n")
    git(folder, "commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(folder, "merge", "-q", "other")
    (folder / "b.txt").write_text("b\n")
    shown = (await changes(folder, base.tree)).files
    assert [one.path for one in shown] == ["a.txt", "b.txt"]
    lines = await hunks(folder, base.tree, shown)
    assert lines["b.txt"][0].rows == ("+b",)
    assert any("<<<<<<<" in row for hunk in lines.get("a.txt", []) for row in hunk.rows)
    during = await recorded(folder)
    assert (await changes(folder, during.tree)).files == ()


async def test_what_git_cleared_away_is_compared_with_the_commit(folder: Path) -> None:
    head = git(folder, "rev-parse", "HEAD").strip()
    assert await base_tree(folder, await recorded(folder)) == (
        git(folder, "rev-parse", "HEAD^{tree}").strip(),
        "",
    )
    tree, remark = await base_tree(folder, Base("1" * 40, head))
    assert tree == head and "uncommitted" in remark
    with pytest.raises(GitError, match="no longer has"):
        await base_tree(folder, Base("1" * 40, "2" * 40))


async def test_a_patch_can_be_applied(folder: Path, tmp_path: Path) -> None:
    base = await recorded(folder)
    (folder / "a.txt").write_text("other\n")
    (folder / "new\nline").write_text("x\n")
    (tmp_path / "patch").write_bytes(await patch(folder, base.tree, []))
    git(tmp_path, "clone", "-q", str(folder), "copy")
    git(tmp_path / "copy", "apply", str(tmp_path / "patch"))
    assert (tmp_path / "copy/a.txt").read_text() == "other\n"
    assert (tmp_path / "copy/new\nline").read_text() == "x\n"
    only = await patch(folder, base.tree, ["a.txt"])
    assert b"a.txt" in only and b"new" not in only
