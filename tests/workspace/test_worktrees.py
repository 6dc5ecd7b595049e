"""A ticket's worktree: made, found again, taken away; and every way in which it cannot be."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.workspace import worktrees as module
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.repository import locked
from lfgtui.workspace.worktrees import (
    Worktree,
    discard_worktree,
    find_worktree,
    find_worktrees,
    open_worktree,
)
from tests.helpers.checkouts import Checkout
from tests.helpers.waiting import until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "worktrees"


async def test_a_worktree_has_the_last_commit_on_a_branch_of_its_own(
    checkout: Checkout, root: Path
) -> None:
    checkout.write("a.txt", "not committed\n")
    checkout.write("new.txt", "untracked\n")
    before = checkout.everything()
    made = await open_worktree(root, "r1", "api", checkout.folder)
    assert made.path == root / "r1" / "api" and made.inside == ""
    assert (made.path / "a.txt").read_text() == "one\nmore\n"
    assert not (made.path / "new.txt").exists()
    assert checkout.git("branch", "--show-current", cwd=made.path) == "lfg/r1/api\n"
    assert made.base == checkout.git("rev-parse", "HEAD").strip()
    assert checkout.git("status", "--porcelain", cwd=made.path) == ""
    assert checkout.everything() == before
    assert await asyncio.to_thread(find_worktree, root, "r1", "api") == made
    assert await asyncio.to_thread(find_worktrees, root) == [made]


async def test_it_is_found_again_as_it_was_left(checkout: Checkout, root: Path) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder)
    (made.path / "a.txt").write_text("work\n")
    checkout.commit("meanwhile", c_txt="x")
    assert await open_worktree(root, "r1", "api", checkout.folder) == made
    assert (made.path / "a.txt").read_text() == "work\n"


async def test_one_whose_folder_is_gone_is_made_again_of_its_branch(
    checkout: Checkout, root: Path
) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder)
    (made.path / "a.txt").write_text("work\n")
    checkout.git("commit", "-qam", "work", cwd=made.path)
    await asyncio.to_thread(module.remove_tree, made.path)
    assert await open_worktree(root, "r1", "api", checkout.folder) == made
    assert (made.path / "a.txt").read_text() == "work\n"


async def test_one_that_is_gone_with_its_branch_is_made_anew(
    checkout: Checkout, root: Path
) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder)
    checkout.git("worktree", "remove", "--force", str(made.path))
    checkout.git("branch", "-D", made.branch)
    assert await open_worktree(root, "r1", "api", checkout.folder) == made
    assert (made.path / "a.txt").exists()


@pytest.mark.parametrize("phase", ["making", "restoring", "discarding"])
async def test_after_a_kill_whoever_comes_next_goes_on(
    checkout: Checkout, root: Path, phase: str
) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder)
    record = root / "r1" / "=api.json"
    record.write_bytes(record.read_bytes().replace(b'"ready"', f'"{phase}"'.encode()))
    (made.path / "a.txt").unlink()  # as far as it had come
    again = await open_worktree(root, "r1", "api", checkout.folder)
    assert again == made
    assert (made.path / "a.txt").read_text() == "one\nmore\n"


async def test_before_git_began_there_is_only_a_record(checkout: Checkout, root: Path) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder)
    await discard_worktree(made)
    await asyncio.to_thread(module._write, msgspec.structs.replace(made, phase="making"))
    assert (await open_worktree(root, "r1", "api", checkout.folder)) == made


async def test_discarded_it_leaves_nothing(checkout: Checkout, root: Path) -> None:
    before = checkout.everything()
    made = await open_worktree(root, "r1", "api", checkout.folder)
    (made.path / "cache").mkdir()
    (made.path / "cache" / "file").write_text("x")
    (made.path / "cache").chmod(0o500)
    checkout.git("commit", "--allow-empty", "-qm", "work", cwd=made.path)
    await discard_worktree(made)
    assert checkout.everything() == before
    assert not (root / "r1").exists()
    assert checkout.git("worktree", "list").count("\n") == 1
    await discard_worktree(made)


async def test_many_tickets_start_at_once(checkout: Checkout, root: Path) -> None:
    opening = (open_worktree(root, "r1", f"t{n}", checkout.folder) for n in range(12))
    made = await asyncio.gather(*opening)
    assert len({one.path for one in made}) == 12
    assert all((one.path / "sub" / "b.txt").exists() for one in made)


async def test_the_lock_of_a_repository_is_held_by_one(checkout: Checkout) -> None:
    common = str(checkout.folder / ".git")
    order: list[str] = []

    async def hold(name: str) -> None:
        async with locked(common):
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    await asyncio.gather(hold("a"), hold("b"))
    assert order in (["a", "a", "b", "b"], ["b", "b", "a", "a"])


@settings(max_examples=40)
@given(st.from_regex(r"[a.-]{1,4}|[A-Z0-9._-]{0,3}(\.lock)?[.]{0,2}", fullmatch=True).filter(bool))
def test_any_ticket_id_gives_a_branch_and_a_folder_of_its_own(ticket: str) -> None:
    made = Worktree("/root", "run", ticket, "", "", "", "")
    assert made.path.parent == Path("/root/run") and made.path.name not in ("", ".", "..")
    checked = subprocess.run(["git", "check-ref-format", "--branch", made.branch], check=False)
    assert checked.returncode == 0
    assert made.path.name.replace("%2E", ".") == ticket


async def test_a_workspace_in_a_subfolder_has_its_place_in_the_worktree(
    checkout: Checkout, root: Path
) -> None:
    made = await open_worktree(root, "r1", "api", checkout.folder / "sub")
    assert made.inside == "sub" and (made.path / "sub" / "b.txt").exists()
    (checkout.folder / "fresh").mkdir()
    with pytest.raises(GitError, match=r"fresh is not in the last commit, so a worktree would"):
        await open_worktree(root, "r1", "b", checkout.folder / "fresh")
    assert await asyncio.to_thread(find_worktree, root, "r1", "b") is None


async def test_a_worktree_of_a_worktree_belongs_to_the_same_repository(
    checkout: Checkout, root: Path
) -> None:
    outer = await open_worktree(root, "r1", "outer", checkout.folder)
    (outer.path / "a.txt").write_text("work\n")
    checkout.git("commit", "-qam", "work", cwd=outer.path)
    inner = await open_worktree(root, "r2", "inner", outer.path)
    assert inner.checkout == str(outer.path) and inner.common == outer.common
    assert (inner.path / "a.txt").read_text() == "work\n"


async def test_a_checkout_of_a_part_gives_a_worktree_of_that_part(
    checkout: Checkout, root: Path
) -> None:
    checkout.git("sparse-checkout", "set", "--cone", "sub")
    checkout.commit("elsewhere", sub__c_txt="x")
    checkout.git("sparse-checkout", "set", "--no-cone", "/sub/")
    made = await open_worktree(root, "r1", "api", checkout.folder)
    assert (made.path / "sub" / "b.txt").exists() and not (made.path / "a.txt").exists()


# One clear line each


async def test_a_folder_that_is_no_repository(tmp_path: Path, root: Path, person: Path) -> None:
    with pytest.raises(GitError, match=rf"^{tmp_path}: not a git repository$"):
        await open_worktree(root, "r1", "api", tmp_path)


async def test_no_git(checkout: Checkout, root: Path, programs: Path) -> None:
    with pytest.raises(GitError, match=r"^git is not installed$"):
        await open_worktree(root, "r1", "api", checkout.folder)


async def test_a_bare_repository(checkout: Checkout, root: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    checkout.git("clone", "-q", "--bare", str(checkout.folder), str(bare))
    with pytest.raises(GitError, match=r"^\S+bare.git is a bare repository: a worktree needs a"):
        await open_worktree(root, "r1", "api", bare)
    with pytest.raises(GitError, match=r"is inside a \.git folder: a worktree needs a checkout"):
        await open_worktree(root, "r1", "api", checkout.folder / ".git")


async def test_a_repository_without_a_commit(tmp_path: Path, root: Path, person: Path) -> None:
    await git("init", "-q", cwd=tmp_path)
    with pytest.raises(GitError, match=r"has no commit yet, and a worktree needs one to start"):
        await open_worktree(root, "r1", "api", tmp_path)


async def test_a_branch_or_a_folder_that_exists(checkout: Checkout, root: Path) -> None:
    checkout.git("branch", "lfg/r1/api")
    with pytest.raises(GitError, match=r"^branch lfg/r1/api already exists; rename it or delete"):
        await open_worktree(root, "r1", "api", checkout.folder)
    (root / "r1" / "other").mkdir(parents=True)
    with pytest.raises(GitError, match=r"/r1/other already exists; move it away$"):
        await open_worktree(root, "r1", "other", checkout.folder)
    checkout.git("branch", "-m", "lfg/r1/api", "elsewhere")
    checkout.git("branch", "lfg")
    with pytest.raises(GitError, match=r"lfg/r1/api: branch lfg is in the way; rename lfg$"):
        await open_worktree(root, "r1", "api", checkout.folder)
    assert await asyncio.to_thread(find_worktrees, root) == [] and (root / "r1" / "other").is_dir()
    assert checkout.git("branch", "--list", "elsewhere")


async def test_a_submodule_is_a_repository_of_its_own(
    checkout: Checkout, root: Path, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    whole = Checkout(outer)
    whole.git("init", "-q")
    whole.git("submodule", "--quiet", "add", str(checkout.folder), "part")
    whole.git("commit", "-qm", "first")
    of_outer = await open_worktree(root, "r1", "outer", outer)
    assert list((of_outer.path / "part").iterdir()) == []
    of_part = await open_worktree(root, "r1", "part", outer / "part")
    assert (of_part.path / "a.txt").read_text() == "one\nmore\n"
    await discard_worktree(of_part)
    await discard_worktree(of_outer)
    assert whole.git("status", "--porcelain") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_a_repository_of_another_user(checkout: Checkout, root: Path) -> None:
    for path in (checkout.folder, checkout.folder / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(GitError, match="belongs to another user, so git refuses to work in it"):
        await open_worktree(root, "r1", "api", checkout.folder)


IN_A_SMALL_DISK = [
    *("unshare", "--user", "--map-root-user", "--mount"),
    *("sh", "-c", 'mount -t tmpfs -o size=100k lfg "$1" && shift && exec "$@"', "-"),
]
OPEN = """
import asyncio, sys
from pathlib import Path
from lfgtui.workspace.worktrees import open_worktree
try:
    asyncio.run(open_worktree(Path(sys.argv[1]), "r1", "api", Path(sys.argv[2])))
except Exception as error:
    print(type(error).__name__, error, sorted(Path(sys.argv[1]).iterdir()))
"""


def test_no_space(checkout: Checkout, root: Path) -> None:
    checkout.commit("large", large_txt=os.urandom(200_000).hex())
    before = checkout.everything()
    root.mkdir(parents=True)
    command = [*IN_A_SMALL_DISK, str(root), sys.executable, "-c", OPEN, str(root)]
    done = subprocess.run(
        [*command, str(checkout.folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"GitError {root}/r1/api: no space left on the disk []\n"
    assert checkout.everything() == before


HELD = """\
#!/bin/sh
if test -e {at}/hold; then
    touch {at}/begun
    cat {at}/hold
    test -e "$1" && touch {at}/in_place
fi
cat
"""


async def test_git_that_outlives_a_killed_lfg_is_waited_for(
    checkout: Checkout, root: Path, person: Path, tmp_path: Path
) -> None:
    """It still writes files into the worktree that is half made."""
    checkout.commit("slow", _gitattributes="a.txt filter=slow\n")
    (checkout.folder / "_gitattributes").rename(checkout.folder / ".gitattributes")
    checkout.git("add", "-A")
    checkout.git("commit", "-qm", "attributes")
    os.mkfifo(tmp_path / "hold")
    smudge = tmp_path / "smudge"
    smudge.write_text(HELD.format(at=tmp_path))
    smudge.chmod(0o755)
    with person.open("a") as file:
        file.write(f'[filter "slow"]\nclean = cat\nsmudge = {smudge} {root}/r1/api/.git\n')
    command = [sys.executable, "-c", OPEN, str(root), str(checkout.folder)]
    killed = await asyncio.create_subprocess_exec(*command)
    await asyncio.to_thread(until, (tmp_path / "begun").exists)
    killed.kill()
    await killed.wait()
    again = asyncio.create_task(open_worktree(root, "r1", "api", checkout.folder))
    record = root / "r1" / "=api.json"
    await asyncio.to_thread(until, lambda: b"discarding" in record.read_bytes())
    hold = await asyncio.to_thread(os.open, tmp_path / "hold", os.O_WRONLY)
    (tmp_path / "hold").unlink()  # the next one goes through
    os.close(hold)
    made = await again
    assert (tmp_path / "in_place").exists()
    assert (made.path / "a.txt").read_text() == "one\nmore\n"
    assert checkout.git("status", "--porcelain", cwd=made.path) == ""
    assert [one.name for one in (root / "r1").iterdir() if "leaving" in one.name] == []
