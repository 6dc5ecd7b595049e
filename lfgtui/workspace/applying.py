"""`lfg apply`: brings a ticket's work into the checkout that its worktree was made from.

The person's HEAD and the worktree's state are merged without touching a file. The result is
written to the checkout as uncommitted changes: neither HEAD nor the index nor any branch changes.
It is all or nothing: if the two conflict, if a file to be changed has changes of the person's own,
or if writing fails, everything stays as it was.

Files are written beside the checkout, in the repository's own folder, and then moved into it one by
one, each in one step. If lfg is killed in between, the same command can be given again: a file that
is already as it should be does not count as changed by the person.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lfgtui.processes.waiting import finish
from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace.git import GitError, git
from lfgtui.workspace.placing import NEW, ChangedError, Placing, clear
from lfgtui.workspace.repository import locked
from lfgtui.workspace.snapshots import merge, snapshot
from lfgtui.workspace.worktrees import Worktree, remove_tree

_SECONDS = 600.0
"""Seconds for git commands that read or write a whole checkout."""

_SHOWN = 5
"""Most files that a message names."""

_SUBMODULE, _GONE = "160000", "000000"
"""Git's modes of a submodule, and of a file that does not exist."""

_DIRTY = "uncommitted changes of yours in the same files (commit or stash them)"
_UNTRACKED = "untracked files in the way (move them)"
_MEANWHILE = "files changed while applying", "nothing was applied, try again"
_UNDER_WAY = {  # files of git's folder, and the commands during which they exist
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


class NotAppliedError(GitError):
    """Nothing was applied, because of the named files."""

    def __init__(
        self, why: str, files: Sequence[str], outcome: str = "nothing was changed"
    ) -> None:
        shown = ", ".join(visible_line(name) for name in files[:_SHOWN])
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        super().__init__(f"{why}: {shown}{more}; {outcome}")
        self.why = why
        self.files = tuple(files)


class _Change(msgspec.Struct, frozen=True):
    """A file that differs between HEAD and the merge.

    `mode` and `blob` (hash) are those of the merge, the old ones those of HEAD; `mode` is `_GONE`
    if the file is removed, `old_mode` if it is new.
    """

    name: str
    mode: str
    blob: str
    old_mode: str
    old_blob: str

    @property
    def undone(self) -> "_Change":
        """Return the change that leads back to HEAD."""
        old, new = (self.old_mode, self.old_blob), (self.mode, self.blob)
        return _Change(self.name, *old, *new)


async def apply_worktree(worktree: Worktree) -> tuple[str, ...]:
    """Bring the ticket's work into the checkout; return all files that differed from HEAD.

    Raises `NotAppliedError` or another `GitError`, without having changed anything.
    """
    await _check_worktree(worktree)
    theirs = await snapshot(worktree.path, f"The uncommitted work of {worktree.ticket}")
    async with locked(worktree.common) as lock:
        await _check_state(worktree.checkout)
        changes = await _changes(worktree, theirs)
        due = await _due(worktree.checkout, changes)
        asking = ("rev-parse", "--path-format=absolute", "--git-path", "lfg/apply")
        staging = Path((await git(*asking, cwd=worktree.checkout)).checked().text)
        try:
            await asyncio.to_thread(clear, staging)
            await _export(worktree.checkout, due, staging, lock)
            put = Placing(Path(worktree.checkout), staging, [one.name for one in due])
            await asyncio.to_thread(put.look)
            if await _due(worktree.checkout, changes) != due:
                why, outcome = _MEANWHILE
                raise NotAppliedError(why, [one.name for one in due], outcome)
            gone = {change.name for change in due if change.mode == _GONE}
            await finish(asyncio.to_thread(put.carry_out, gone))
        except ChangedError as error:
            why, outcome = _MEANWHILE
            raise NotAppliedError(why, [str(error)], outcome) from None
        except OSError as error:
            where = visible_line(str(error.filename))
            raise GitError(f"{where}: {error.strerror}; nothing was changed") from None
        finally:
            await asyncio.to_thread(remove_tree, staging)
    return tuple(change.name for change in due)


async def _check_worktree(worktree: Worktree) -> None:
    """Raise `GitError` if the folder is now in another repository, which an agent may have made."""
    asking = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel")
    found = (await git(*asking, cwd=worktree.path)).checked().text.split("\n")
    known = [worktree.common, str(await asyncio.to_thread(worktree.path.resolve))]
    if found != known:
        of = visible_line(worktree.checkout)
        raise GitError(f"{visible_line(str(worktree.path))} is no longer a worktree of {of}")


async def _check_state(checkout: str) -> None:
    """Raise `GitError` if the person is in the middle of a merge, a rebase or the like."""
    for name, what in _UNDER_WAY.items():
        asking = ("rev-parse", "--path-format=absolute", "--git-path", name)
        found = (await git(*asking, cwd=checkout)).checked().text
        if await asyncio.to_thread(os.path.lexists, found):
            raise GitError(
                f"{visible_line(checkout)} is in the middle of a {what}; finish it first"
            )


async def _changes(worktree: Worktree, theirs: str) -> list[_Change]:
    """Return the changes from HEAD to its merge with the commit `theirs`; raises `GitError`."""
    checkout = worktree.checkout
    head = (await git("rev-parse", "--verify", "HEAD^{commit}", cwd=checkout)).checked().text
    merged = await merge(checkout, head, theirs)
    if merged.conflicts:
        raise NotAppliedError("conflicts with your branch", merged.conflicts)
    asking = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", head, merged.tree)
    fields = (await git(*asking, cwd=checkout)).checked().names
    changes, submodules = [], []
    for row, name in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, old_blob, blob, _ = row.removeprefix(":").split(" ")
        changes.append(_Change(name, mode, blob, old_mode, old_blob))
        if _SUBMODULE in (old_mode, mode):
            submodules.append(name)
    if submodules:
        raise NotAppliedError("a repository inside it cannot be applied", submodules)
    return changes


async def _due(checkout: str, changes: Sequence[_Change]) -> list[_Change]:
    """Return the changes that are still to be made.

    Raises `NotAppliedError` if changes of the person's in the same files would be lost.
    """
    done = await _done(checkout, changes)
    due = [change for change in changes if change not in done]
    looking = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
    seen = await git(*looking, cwd=checkout, seconds=_SECONDS)  # git diff would write the index
    dirty = {row[3:] for row in seen.checked().names}
    rows = (await git("ls-files", "-v", "-z", cwd=checkout)).checked().names
    tracked = {row[2:] for row in rows}
    # Files for which `git status` shows no changes: assume-unchanged, skip-worktree.
    unwatched = {row[2:] for row in rows if row[0].islower() or row[0] == "S"}
    unsure = [change.undone for change in due if change.name in unwatched]
    as_in_head = {change.name for change in await _done(checkout, unsure)}
    dirty.update(change.name for change in unsure if change.name not in as_in_head)
    changed, untracked = await asyncio.to_thread(_in_the_way, Path(checkout), due, dirty, tracked)
    whys = [_DIRTY] * bool(changed) + [_UNTRACKED] * bool(untracked)
    if whys:
        raise NotAppliedError(" and ".join(whys), [*changed, *untracked])
    return due


def _in_the_way(
    checkout: Path, due: Sequence[_Change], dirty: set[str], tracked: set[str]
) -> tuple[list[str], list[str]]:
    """Return the person's files that would be lost: changed ones, and untracked ones."""
    going = {change.name for change in due if change.mode == _GONE}
    changed, untracked = list[str](), dict[str, None]()
    for change in due:
        path = checkout / change.name
        if change.name in dirty:
            changed.append(change.name)
        elif above := _file_above(checkout, change.name, going):
            untracked[above] = None
        elif os.path.lexists(path) and change.name not in tracked:
            is_folder = path.is_dir() and not path.is_symlink()
            if not (is_folder and _is_going(checkout, path, going)):
                untracked[change.name] = None
    return changed, list(untracked)


def _file_above(checkout: Path, name: str, going: set[str]) -> str | None:
    """Return the parent of the file that is no real folder, e.g. a link; None if all are folders.

    Parents in `going` do not count, since they are removed first.
    """
    for one in reversed(Path(name).parents[:-1]):
        path = checkout / one
        if str(one) not in going and (path.is_symlink() or (path.exists() and not path.is_dir())):
            return str(one)
    return None


def _is_going(checkout: Path, folder: Path, going: set[str]) -> bool:
    """Return True for a folder that will be empty once the files in `going` are gone."""
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    links = [
        Path(parent, name)
        for parent, names, _ in os.walk(folder)
        for name in names
        if Path(parent, name).is_symlink()
    ]
    return all(str(one.relative_to(checkout)) in going for one in (*files, *links))


async def _done(checkout: str, changes: Sequence[_Change]) -> set[_Change]:
    """Return the changes that are made already in the files of the checkout."""
    there = await asyncio.to_thread(_there, Path(checkout), changes)
    files = [change for change, found in there.items() if found == "file"]
    done = set()
    for group in (
        [f for f in files if "\n" not in f.name],
        *([f] for f in files if "\n" in f.name),
    ):
        asking = b"".join(os.fsencode(change.name) + b"\n" for change in group)
        hashing = ("--stdin-paths",) if len(group) != 1 else ("--", group[0].name)
        hashed = await git("hash-object", *hashing, cwd=checkout, input=asking)
        hashes = hashed.checked().text.split()
        done |= {change for change, blob in zip(group, hashes, strict=True) if blob == change.blob}
    for change, found in there.items():
        if found == "link" and change.mode == "120000":
            target = os.fsencode(await asyncio.to_thread(Path(checkout, change.name).readlink))
            hashed = await git("hash-object", "--stdin", cwd=checkout, input=target)
            if hashed.checked().text == change.blob:
                done.add(change)
    return done | {change for change, found in there.items() if found == "gone"}


def _there(checkout: Path, changes: Sequence[_Change]) -> dict[_Change, str]:
    """Return "file", "link" or "gone" for each change whose path may be as wanted already.

    Of a file or link, only the kind and mode are compared; the caller compares the content.
    """
    found = {}
    for change in changes:
        path = checkout / change.name
        try:
            mode = None if _is_below_link(checkout, change.name) else path.lstat().st_mode
        except OSError:
            mode = None
        if mode is None:
            if change.mode == _GONE:
                found[change] = "gone"
            continue
        if stat.S_ISDIR(mode) and change.mode == _GONE:
            found[change] = "gone"  # a folder is there instead
        is_executable = bool(mode & stat.S_IXUSR)
        if stat.S_ISREG(mode) and change.mode == ("100755" if is_executable else "100644"):
            found[change] = "file"
        elif stat.S_ISLNK(mode):
            found[change] = "link"
    return found


def _is_below_link(checkout: Path, name: str) -> bool:
    return any((checkout / one).is_symlink() for one in Path(name).parents[:-1])


async def _export(checkout: str, due: Sequence[_Change], staging: Path, lock: int) -> None:
    """Write the new files below `staging`/new, as a checkout would."""
    rows = b"".join(
        os.fsencode(f"{change.mode} {change.blob}\t{change.name}") + b"\0"
        for change in due
        if change.mode != _GONE
    )
    env = {"GIT_INDEX_FILE": str(staging / "index")}
    filling = ("update-index", "-z", "--index-info")
    (await git(*filling, cwd=checkout, env=env, input=rows)).checked()
    exporting = ("checkout-index", "--all", "--quiet", f"--prefix={staging / NEW}/")
    (await git(*exporting, cwd=checkout, env=env, seconds=_SECONDS, keeps=[lock])).checked()
