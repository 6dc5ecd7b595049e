"""Whatever a ticket and a person change: all of the ticket's work comes, or nothing changes."""

import asyncio
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.workspace.applying import NotAppliedError, apply_worktree
from lfgtui.workspace.worktrees import open_worktree
from tests.helpers.checkouts import Checkout, make_checkout

NAMES = ("a.txt", "sub/b.txt", "sub", "new", "new/c", "a.txt/d")
Kind = Literal["write", "delete", "link", "execute"]


class Act(NamedTuple):
    """A change of one file; what is in its way goes."""

    name: str
    kind: Kind
    text: str


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(NAMES),
        st.sampled_from(("write", "write", "delete", "link", "execute")),
        st.sampled_from(("one\n", "two\n", "one\nmore\n", "one\nmore\nend\n")),
    ),
    max_size=4,
)


def carry_out(act: Act, folder: Path) -> None:
    path = folder / act.name
    above = path.parent
    if above != folder and not above.is_dir():
        above.unlink(missing_ok=True)
        above.mkdir()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    if act.kind == "execute" and path.is_file() and not path.is_symlink():
        path.chmod(0o755)
        return
    path.unlink(missing_ok=True)
    if act.kind == "link":
        path.symlink_to(act.text.strip())
    elif act.kind == "write":
        path.write_text(act.text)


def looks(folder: Path) -> dict[str, tuple[int, str]]:
    """The files, with their modes, and what they hold or lead to."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if name.split("/")[0] == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        text = str(path.readlink()) if path.is_symlink() else path.read_text()
        found[name] = (path.lstat().st_mode, text)
    return found


@settings(max_examples=6)
@given(ACTS, st.booleans(), ACTS, ACTS, st.sampled_from(["none", "staged", "commit"]))
def test_all_of_it_comes_or_nothing_changes(
    theirs: list[Act], commits: bool, mine: list[Act], dirty: list[Act], stage: str
) -> None:
    scratch = Path(mkdtemp())
    try:
        checkout = make_checkout(scratch / "project")
        ticket = asyncio.run(open_worktree(scratch / "w", "r", "t", checkout.folder))
        for act in theirs:
            carry_out(act, ticket.path)
        if commits:
            commit(checkout, ticket.path)
        for act in mine:
            carry_out(act, checkout.folder)
        commit(checkout, checkout.folder)
        for act in dirty:
            carry_out(act, checkout.folder)
        if stage == "staged":
            checkout.git("add", "-A")
        own = checkout.git("status", "--porcelain", "-z", "--no-renames", "-uall").split("\0")
        before, files = checkout.everything(), looks(checkout.folder)
        try:
            changed = set(asyncio.run(apply_worktree(ticket)))
        except NotAppliedError:
            assert looks(checkout.folder) == files and checkout.everything() == before
            return
        after = looks(checkout.folder)
        differing = {name for name in {*files, *after} if files.get(name) != after.get(name)}
        assert differing == changed
        assert not changed & {row[3:] for row in own}
        inner = {name for name in before if name.startswith(".git/")}
        assert all(checkout.everything()[name] == before[name] for name in inner)
        assert asyncio.run(apply_worktree(ticket)) == ()
    finally:
        shutil.rmtree(scratch)


def commit(checkout: Checkout, folder: Path) -> None:
    checkout.git("add", "-A", cwd=folder)
    checkout.git("commit", "-q", "--allow-empty", "-m", "work", cwd=folder)
