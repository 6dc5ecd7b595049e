"""A ticket's work is brought into the checkout whole, or not at all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.workspace import placing
from lfgtui.workspace.applying import NotAppliedError, apply_worktree
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.worktrees import Worktree, open_worktree
from tests.helpers.checkouts import Checkout


@pytest.fixture
async def ticket(checkout: Checkout, tmp_path: Path) -> Worktree:
    checkout.write(".gitignore", "*.log\n")
    checkout.commit("ignores", run_txt="x\n", go__deep__c_txt="c\n")
    return await open_worktree(tmp_path / "worktrees", "r1", "api", checkout.folder)


def work(checkout: Checkout, ticket: Worktree, *, commits: bool) -> None:
    """Change, add, make executable, link, move and delete."""
    at = ticket.path
    (at / "a.txt").write_text("one\nchanged\n")
    (at / "new" / "deep").mkdir(parents=True)
    (at / "new" / "deep" / "n ä\n.txt").write_text("new\n")
    (at / "run.txt").chmod(0o755)
    (at / "link").symlink_to("a.txt")
    (at / "go" / "deep" / "c.txt").unlink()
    (at / "noise.log").write_text("ignored\n")
    if commits:
        checkout.git("add", "-A", cwd=at)
        checkout.git("commit", "-qm", "work", cwd=at)


CHANGED = ["a.txt", "go/deep/c.txt", "link", "new/deep/n ä\n.txt", "run.txt"]


@pytest.mark.parametrize("commits", [True, False])
async def test_all_of_it_comes_committed_or_not(
    checkout: Checkout, ticket: Worktree, commits: bool
) -> None:
    checkout.write("mine.txt", "untracked\n")
    checkout.write("sub/b.txt", "two\nmine\n")
    checkout.write("noise.log", "mine, ignored\n")
    os.utime(checkout.folder / ".gitignore", (1, 1))  # which git would note in the index
    before = checkout.everything()
    work(checkout, ticket, commits=commits)
    of_ticket = checkout.git("status", "--porcelain", cwd=ticket.path)
    assert sorted(await apply_worktree(ticket)) == CHANGED
    after = checkout.everything()
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == {
        "a.txt", "go/deep/c.txt", "link", "new/deep/n ä\n.txt"
    }  # fmt: skip
    assert os.access(checkout.folder / "run.txt", os.X_OK)
    assert (checkout.folder / "link").readlink() == Path("a.txt")
    assert not (checkout.folder / "go").exists()
    assert checkout.git("status", "--porcelain", cwd=ticket.path) == of_ticket
    assert not (checkout.folder / ".git" / "lfg" / "apply").exists()
    assert await apply_worktree(ticket) == ()


async def test_changes_of_both_sides_in_one_file_are_merged(
    checkout: Checkout, ticket: Worktree
) -> None:
    lines = [f"{n}\n" for n in range(20)]
    checkout.commit("long", a_txt="".join(lines))
    made = await open_worktree(Path(ticket.root), "r1", "b", checkout.folder)
    (made.path / "a.txt").write_text("".join(["agent\n", *lines[1:]]))
    checkout.commit("mine", a_txt="".join([*lines[:-1], "person\n"]))
    assert await apply_worktree(made) == ("a.txt",)
    merged = (checkout.folder / "a.txt").read_text()
    assert merged == "".join(["agent\n", *lines[1:-1], "person\n"])
    checkout.git("commit", "-qam", "taken")
    assert await apply_worktree(made) == ()


def conflict(checkout: Checkout) -> None:
    checkout.commit("mine", a_txt="one\nperson\n")


def dirty(checkout: Checkout) -> None:
    checkout.write("a.txt", "one\nmine, not committed\n")


def staged(checkout: Checkout) -> None:
    dirty(checkout)
    checkout.git("add", "a.txt")
    checkout.write("a.txt", "one\nmore\n")


def untracked(checkout: Checkout) -> None:
    checkout.write("new/deep/n ä\n.txt", "mine\n")


def ignored(checkout: Checkout) -> None:
    checkout.write(".gitignore", "*.log\nlink\n")
    checkout.write("link", "mine\n")


def in_the_way(checkout: Checkout) -> None:
    checkout.write("new", "a file where a folder should be\n")


def link_in_the_way(checkout: Checkout) -> None:
    """It leads to a folder that has the file already."""
    (checkout.folder.parent / "elsewhere" / "deep").mkdir(parents=True)
    (checkout.folder.parent / "elsewhere" / "deep" / "n ä\n.txt").write_text("new\n")
    (checkout.folder / "new").symlink_to("../elsewhere")


def link_in_its_place(checkout: Checkout) -> None:
    (checkout.folder / "link").symlink_to("sub/b.txt")


def both(checkout: Checkout) -> None:
    dirty(checkout)
    in_the_way(checkout)


def folder_in_the_way(checkout: Checkout) -> None:
    checkout.write("link/precious.log", "mine\n")


def unwatched(checkout: Checkout) -> None:
    """Git was told not to look at the file, and does not say that it differs."""
    checkout.git("update-index", "--assume-unchanged", "a.txt")
    dirty(checkout)


def deleted(checkout: Checkout) -> None:
    (checkout.folder / "a.txt").unlink()


DIRTY = "uncommitted changes of yours in the same files (commit or stash them)"
UNTRACKED = "untracked files in the way (move them)"


@pytest.mark.parametrize(
    ("spoil", "why", "files"),
    [
        (conflict, "conflicts with your branch", ("a.txt",)),
        (dirty, DIRTY, ("a.txt",)),
        (staged, DIRTY, ("a.txt",)),
        (untracked, UNTRACKED, ("new/deep/n ä\n.txt",)),
        (ignored, UNTRACKED, ("link",)),
        (in_the_way, UNTRACKED, ("new",)),
        (link_in_the_way, UNTRACKED, ("new",)),
        (link_in_its_place, UNTRACKED, ("link",)),
        (folder_in_the_way, UNTRACKED, ("link",)),
        (both, f"{DIRTY} and {UNTRACKED}", ("a.txt", "new")),
        (deleted, DIRTY, ("a.txt",)),
        (unwatched, DIRTY, ("a.txt",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_stands_in_its_way_is_named_and_all_stays_as_it_was(
    checkout: Checkout,
    ticket: Worktree,
    spoil: Callable[[Checkout], None],
    why: str,
    files: tuple[str, ...],
) -> None:
    work(checkout, ticket, commits=False)
    spoil(checkout)
    before = checkout.everything()
    with pytest.raises(NotAppliedError, match=r"; nothing was changed$") as refused:
        await apply_worktree(ticket)
    assert (refused.value.why, refused.value.files) == (why, files)
    assert "\n" not in str(refused.value)
    assert checkout.everything() == before


async def test_in_the_middle_of_a_merge_it_is_refused(checkout: Checkout, ticket: Worktree) -> None:
    work(checkout, ticket, commits=False)
    checkout.git("checkout", "-qb", "side")
    checkout.commit("side", sub__b_txt="side\n")
    checkout.git("checkout", "-q", "main")
    checkout.commit("main", sub__b_txt="main\n")
    with pytest.raises(Exception, match="exit status 1"):
        checkout.git("merge", "side")
    before = checkout.everything()
    with pytest.raises(GitError, match=r"is in the middle of a merge; finish it first$"):
        await apply_worktree(ticket)
    assert checkout.everything() == before


@pytest.mark.parametrize("at", [0, 2])
async def test_killed_in_between_the_same_command_goes_on(
    checkout: Checkout, ticket: Worktree, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill leaves what was placed so far, and the staging folder."""
    work(checkout, ticket, commits=False)
    place, placed = placing._place, list[Path]()

    def stop(new: Path, path: Path) -> None:
        if len(placed) == at:
            raise SystemError
        placed.append(path)
        place(new, path)

    with monkeypatch.context() as patching:
        patching.setattr(placing, "_place", stop)
        patching.setattr(placing.Placing, "_undo", lambda self: None)
        with pytest.raises(SystemError):
            await apply_worktree(ticket)
    await apply_worktree(ticket)
    assert await apply_worktree(ticket) == ()
    assert (checkout.folder / "a.txt").read_text() == "one\nchanged\n"


@pytest.mark.parametrize("at", [0, 3])
async def test_a_file_that_cannot_be_written_takes_the_others_back(
    checkout: Checkout, ticket: Worktree, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(checkout, ticket, commits=False)
    before, place, placed = checkout.everything(), placing._place, list[Path]()

    def fail(new: Path, path: Path) -> None:
        placed.append(path)
        if len(placed) == at + 1:
            raise PermissionError(13, "Permission denied", str(path))
        place(new, path)

    monkeypatch.setattr(placing, "_place", fail)
    with pytest.raises(GitError, match=r"Permission denied; nothing was changed$"):
        await apply_worktree(ticket)
    assert checkout.everything() == before
    assert not (checkout.folder / "new").exists()


async def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file(
    checkout: Checkout, ticket: Worktree
) -> None:
    (ticket.path / "go" / "deep" / "c.txt").unlink()
    (ticket.path / "go" / "deep").rmdir()
    (ticket.path / "go").rmdir()
    (ticket.path / "go").write_text("a file now\n")
    (ticket.path / "run.txt").unlink()
    (ticket.path / "run.txt").mkdir()
    (ticket.path / "run.txt" / "x").write_text("a folder now\n")
    assert sorted(await apply_worktree(ticket)) == ["go", "go/deep/c.txt", "run.txt", "run.txt/x"]
    assert (checkout.folder / "go").read_text() == "a file now\n"
    assert (checkout.folder / "run.txt" / "x").read_text() == "a folder now\n"


async def test_line_ends_are_those_of_the_checkout(checkout: Checkout, ticket: Worktree) -> None:
    checkout.commit("ends", _gitattributes="*.txt text eol=crlf\n")
    (checkout.folder / "_gitattributes").rename(checkout.folder / ".gitattributes")
    checkout.git("add", "-A")
    checkout.git("commit", "-qm", "attributes")
    (ticket.path / "n.txt").write_text("x\n")
    assert await apply_worktree(ticket) == ("n.txt",)
    assert (checkout.folder / "n.txt").read_bytes() == b"x\r\n"
    assert await apply_worktree(ticket) == ()


async def test_a_repository_inside_of_the_worktree_is_not_applied(
    checkout: Checkout, ticket: Worktree
) -> None:
    checkout.git("clone", "-q", str(checkout.folder), str(ticket.path / "cloned"))
    with pytest.raises(NotAppliedError, match=r"^a repository inside it cannot be applied: cl"):
        await apply_worktree(ticket)


async def test_two_at_once_come_one_after_the_other(checkout: Checkout, ticket: Worktree) -> None:
    other = await open_worktree(Path(ticket.root), "r1", "other", checkout.folder)
    (ticket.path / "a.txt").write_text("first\n")
    (other.path / "sub" / "b.txt").write_text("second\n")
    applied = await asyncio.gather(apply_worktree(ticket), apply_worktree(other))
    assert list(applied) == [("a.txt",), ("sub/b.txt",)]


@pytest.mark.parametrize("folder", [".git", "..", ".GIT"])
async def test_a_tree_that_leads_out_of_the_checkout_leads_nowhere(
    checkout: Checkout, ticket: Worktree, folder: str
) -> None:
    """Git makes such trees for whoever asks, and merges them; an index does not take them."""
    blob = checkout.git("rev-parse", "HEAD:a.txt").strip()
    rows = f"100755 blob {blob}\tpost-checkout\n"
    for name in ("hooks", folder):
        tree = await git("mktree", cwd=ticket.path, input=rows.encode())
        rows = f"040000 tree {tree.checked().text}\t{name}\n"
    rows += checkout.git("ls-tree", "HEAD")
    tree = (await git("mktree", cwd=ticket.path, input=rows.encode())).checked()
    made = checkout.git("commit-tree", tree.text, "-p", "HEAD", "-m", "evil").strip()
    checkout.git("update-ref", f"refs/heads/{ticket.branch}", made)
    before = checkout.everything()
    assert await apply_worktree(ticket) == ()
    assert checkout.everything() == before
    assert not (checkout.folder / ".git" / "hooks" / "post-checkout").exists()
    assert not (checkout.folder.parent / "hooks").exists()


async def test_another_repository_in_the_worktrees_place_is_not_applied(
    checkout: Checkout, ticket: Worktree
) -> None:
    (ticket.path / ".git").unlink()
    checkout.git("init", "-q", cwd=ticket.path)
    with pytest.raises(GitError, match=r"is no longer a worktree of \S+project$"):
        await apply_worktree(ticket)
