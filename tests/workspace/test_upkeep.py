"""The states of worktrees, and that pruning takes nothing that holds anything."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from lfgtui.workspace import worktrees as module
from lfgtui.workspace.applying import apply_worktree
from lfgtui.workspace.upkeep import prune_worktrees, state_of
from lfgtui.workspace.worktrees import Worktree, open_worktree
from tests.helpers.checkouts import Checkout


@pytest.fixture
async def ticket(checkout: Checkout, tmp_path: Path) -> Worktree:
    return await open_worktree(tmp_path / "worktrees", "r1", "api", checkout.folder)


def work(checkout: Checkout, ticket: Worktree, *, commits: bool) -> None:
    (ticket.path / "a.txt").write_text("work\n")
    if commits:
        checkout.git("commit", "-qam", "work", cwd=ticket.path)


async def test_a_worktree_that_nobody_worked_in_is_clean(ticket: Worktree) -> None:
    found = await state_of(ticket)
    assert found.state == "clean" and found.size > 0


async def test_changes_and_new_files_make_it_dirty(checkout: Checkout, ticket: Worktree) -> None:
    (ticket.path / "new.txt").write_text("x")
    assert (await state_of(ticket)).state == "dirty"


async def test_commits_make_it_unmerged_until_head_has_them(
    checkout: Checkout, ticket: Worktree
) -> None:
    work(checkout, ticket, commits=True)
    assert (await state_of(ticket)).state == "unmerged"
    await apply_worktree(ticket)
    assert (await state_of(ticket)).state == "unmerged"  # it could still be thrown away
    checkout.git("commit", "-qam", "taken, in other words")
    checkout.commit("more", c_txt="x")
    assert (await state_of(ticket)).state == "clean"


async def test_files_that_git_ignores_are_kept_if_the_agent_made_them(
    checkout: Checkout, ticket: Worktree
) -> None:
    (Path(ticket.common) / "info" / "exclude").write_text("out/\n__pycache__/\n.cache/\n")
    made = [ticket.path / "out" / "x", ticket.path / "__pycache__" / "x.pyc"]
    made += [ticket.path / ".cache" / "CACHEDIR.TAG", ticket.path / ".cache" / "x"]
    for file in made:
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    found = await state_of(ticket)
    assert (found.state, found.ignored) == ("ignored", 1)
    assert (await prune_worktrees([ticket]))[1] == [found]
    while ticket.record.stat().st_mtime_ns <= made[0].stat().st_ctime_ns:
        ticket.record.touch()  # as after a setup that made them
    assert (await state_of(ticket)).state == "clean"


async def test_merged_by_git_it_is_clean(checkout: Checkout, ticket: Worktree) -> None:
    work(checkout, ticket, commits=True)
    checkout.git("merge", "-q", ticket.branch)
    assert (await state_of(ticket)).state == "clean"


async def test_a_folder_that_is_gone_and_one_half_made(ticket: Worktree) -> None:
    half = msgspec.structs.replace(ticket, phase="making")
    assert (await state_of(half)).state == "unfinished"
    await asyncio.to_thread(module.remove_tree, ticket.path)
    gone = await state_of(ticket)
    assert (gone.state, gone.size) == ("missing", 0)


async def test_without_its_checkout_nobody_knows(checkout: Checkout, ticket: Worktree) -> None:
    work(checkout, ticket, commits=True)
    checkout.folder.rename(checkout.folder.with_name("moved"))
    found = await state_of(ticket)
    assert found.state == "unknown" and found.fault
    assert (await prune_worktrees([ticket]))[1] == [found]


async def test_pruning_takes_what_is_clean_and_keeps_the_rest(
    checkout: Checkout, ticket: Worktree
) -> None:
    root, folder = Path(ticket.root), checkout.folder
    dirty = await open_worktree(root, "r1", "dirty", folder)
    unmerged = await open_worktree(root, "r1", "unmerged", folder)
    running = await open_worktree(root, "r2", "running", folder)
    work(checkout, dirty, commits=False)
    work(checkout, unmerged, commits=True)
    assert (await prune_worktrees([running], may=False))[0] == []
    assert (await prune_worktrees([running], dry_run=True))[1] == []
    taken, kept = await prune_worktrees([ticket, dirty, unmerged])
    assert [one.worktree for one in taken] == [ticket]
    assert [one.state for one in kept] == ["dirty", "unmerged"]
    assert not ticket.path.exists() and dirty.path.exists() and running.path.exists()
    assert "lfg/r1/api" not in checkout.git("branch")
