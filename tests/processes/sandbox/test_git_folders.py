"""A repository behind the wall: commits are made, and nothing that git runs later is changed."""

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lfgtui.processes.sandbox.wall import Wall
from lfgtui.tools import ToolLimits, ToolOutcome, run_tool
from tests.helpers.sandbox import FOUND, walled

pytestmark = walled

COMMIT = "echo more >> file && git add file && git commit -qm more && git log --oneline | wc -l"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    workspace = tmp_path / "main"
    workspace.mkdir()
    git(workspace, "init", "-q")
    (workspace / "file").write_text("text\n")
    (workspace / ".git" / "info" / "exclude").write_text("")
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "first")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = a\nemail = a@b\n[commit]\ngpgsign = true\n")
    return Wall(FOUND.program, workspace, home)


def run(wall: Wall, command: str) -> ToolOutcome:
    return asyncio.run(
        run_tool(
            "run_command",
            {"command": command},
            wall.workspace,
            on_output=lambda *_: None,
            limits=ToolLimits(),
            wall=wall,
        )
    )


ATTACKS = {
    "a hook": "echo evil > .git/hooks/pre-commit",
    "a setting": "git config core.fsmonitor evil",
    "a setting by hand": "echo '[core]' >> .git/config",
    "another repository in its place": "mv .git a && cp -r a .git && echo evil > .git/config",
    "settings of one worktree": "git config extensions.worktreeConfig true",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("is_worktree", [False, True], ids=("repository", "worktree"))
def test_what_git_would_run_later_cannot_be_changed(
    wall: Wall, attack: str, is_worktree: bool
) -> None:
    before = (wall.workspace / ".git" / "config").read_text()
    main = wall.workspace
    if is_worktree:
        wall = in_worktree(wall)
        attack = attack.replace(".git/", f"{main}/.git/")
    assert run(wall, attack).exit_code not in (0, None)
    assert (main / ".git" / "config").read_text() == before
    hook = main / ".git" / "hooks" / "pre-commit"
    assert not hook.exists()


def in_worktree(wall: Wall) -> Wall:
    tree = wall.workspace.parent / "tree"
    git(wall.workspace, "worktree", "add", "-q", "-b", "branch", str(tree))
    return replace(wall, workspace=tree)


def test_commits_are_made(wall: Wall) -> None:
    assert run(wall, COMMIT).output == "2\nexit code 0"
    assert git(wall.workspace, "status", "--porcelain") == ""
    assert git(wall.workspace, "log", "--format=%s") == "more\nfirst\n"


def test_commits_are_made_in_a_linked_worktree(wall: Wall) -> None:
    tree = in_worktree(wall)
    assert run(tree, COMMIT).output == "2\nexit code 0"
    assert git(wall.workspace, "log", "--format=%s", "branch") == "more\nfirst\n"
    main = wall.workspace / ".git"
    refused = f"echo evil > {main}/HEAD || echo /elsewhere > {main}/worktrees/tree/commondir"
    assert run(tree, refused).exit_code == 1


def test_a_worktree_does_not_open_another_one(wall: Wall, tmp_path: Path) -> None:
    """Its file `.git` may have been written by a model."""
    in_worktree(wall)
    other = tmp_path / "other"
    other.mkdir()
    (other / ".git").write_text(f"gitdir: {wall.workspace}/.git/worktrees/tree\n")
    wall = replace(wall, workspace=other)
    assert run(wall, f"ls {tmp_path}/main/.git").exit_code == 2


@pytest.mark.parametrize("name", ["hooks", "config"])
def test_where_a_part_is_a_link_the_repository_is_only_read(wall: Wall, name: str) -> None:
    part = wall.workspace / ".git" / name
    if not part.exists():
        part.mkdir()
    part.rename(wall.workspace / name)
    part.symlink_to(f"../{name}")
    assert run(wall, f"rm .git/{name}").exit_code == 1
    assert run(wall, "git log --oneline").exit_code == 0


def test_hooks_that_lie_in_the_workspace_are_read_only(wall: Wall) -> None:
    (wall.workspace / ".husky").mkdir()
    git(wall.workspace, "config", "core.hooksPath", ".husky")
    assert run(wall, "echo evil > .husky/pre-commit").exit_code == 1


def test_settings_that_would_be_read_elsewhere_are_removed(wall: Wall) -> None:
    outcome = run(wall, "mkdir evil; cp .git/config evil; echo ../evil > .git/commondir")
    assert not (wall.workspace / ".git" / "commondir").exists()
    assert ".git/commondir" in outcome.output
