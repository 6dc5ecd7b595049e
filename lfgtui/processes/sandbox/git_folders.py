"""The parts of a workspace's repository that programs in the sandbox may change, or only read.

The person's next git command, outside the sandbox, runs commands that hooks and configuration name.
So both are read-only inside; commits can be made all the same. The folder `.git` is a mount of its
own, so that it cannot be moved aside and replaced by another.

In a worktree that lfg made, only the branches of its run can be changed. Packed objects are
read-only, which include all of the person's (`workspace/worktrees.py` packs them), as are the
person's branches and stash.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

Access: TypeAlias = Literal["read", "write", "empty"]
"""`empty`: a file that does not exist, and must not be made: an empty, read-only one is mounted."""

_POINTER = re.compile(r"gitdir: (.+)")
"""The content of a worktree's file `.git`."""

_ELSEWHERE = re.compile(
    r"^\s*(?:hookspath|path)\s*=\s*\"?([^\"\n;#]+)", re.IGNORECASE | re.MULTILINE
)
"""Settings that name a folder of hooks, or a file of more settings: `hooksPath = .githooks`."""

_MOST = 100_000
"""Most characters that are read of a file of settings."""

_KEEPER = ".lfg.lock"
"""A file that git ignores; it keeps git from deleting a folder as empty."""


def git_folders(workspace: Path, run: str = "") -> Iterator[tuple[Path, Access]]:
    """Yield the paths with the access to them, folders before their content.

    `run`: the workspace is in a worktree that lfg made for a ticket of that run. It blocks, and
    makes missing folders that have to be mounted.
    """
    git = workspace / ".git"
    if git.is_dir() and not git.is_symlink():
        if any(_is_odd(git, name) for name in ("hooks", "config", "config.worktree", "commondir")):
            yield git, "read"
        else:
            yield git, "write"
            yield from _guarded(git, workspace)
            yield from _existing(git / "worktrees", git / "modules")
    elif git.is_file():
        yield git, "read"
        yield from _worktree(git, workspace, run)


def restore(workspace: Path) -> str:
    """Undo a change that cannot be prevented; return it in words, "" if there was none.

    A file `commondir` makes git read its settings in another folder. A main repository has none,
    and nothing can be mounted at its path, since git refuses to work then.
    """
    git = workspace / ".git"
    if git.is_symlink() or not git.is_dir() or not os.path.lexists(git / "commondir"):
        return ""
    try:
        aside = tempfile.mkdtemp(prefix="commondir-", dir=workspace)
        (git / "commondir").rename(Path(aside, "commondir"))
    except OSError as error:
        return f".git/commondir was made, which redirects git, and cannot be removed: {error}"
    return ".git/commondir was made, which redirects git, and was moved to the workspace"


def _worktree(pointer: Path, workspace: Path, run: str) -> Iterator[tuple[Path, Access]]:
    """Yield the paths that a linked worktree needs: its own folder, objects and branches."""
    own = _folder(pointer)
    if own is None or own.parent.name != "worktrees" or not (own / "commondir").is_file():
        return
    common = own.parent.parent
    if (own / _text(own / "gitdir").strip()).resolve() != pointer.resolve():
        return  # another repository's worktree: a model has changed the pointer
    yield common, "read"
    if run:
        yield from _of_run(common, run)
    else:
        for name in ("objects", "refs", "logs"):
            if (common / name).is_dir():
                yield common / name, "write"
    yield own, "write"
    yield from _existing(own / "commondir", own / "gitdir")
    yield from _elsewhere(common, workspace)


def forget_run(common: Path, run: str) -> None:
    """Remove the folders for the branches of a run that has no worktree any more."""
    for branches in _branches(common, run):
        with suppress(OSError):  # there is a branch, or no such folder
            (branches / _KEEPER).unlink(missing_ok=True)
            branches.rmdir()
            branches.parent.rmdir()


def _branches(common: Path, run: str) -> tuple[Path, Path]:
    return common / "refs/heads/lfg" / run, common / "logs/refs/heads/lfg" / run


def _of_run(common: Path, run: str) -> Iterator[tuple[Path, Access]]:
    """Yield the run's branches, with their logs, and the folders of new objects, without packs.

    Git's locks lie beside a branch, so the branch's file alone is not enough. A `git gc` of the
    person empties the folder and would delete it; then the run could make no more commits.
    """
    for branches in _branches(common, run):
        branches.mkdir(parents=True, exist_ok=True)
        (branches / _KEEPER).touch()
        yield branches, "write"
    yield common / "objects", "write"
    for name in ("pack", "info"):
        (common / "objects" / name).mkdir(exist_ok=True)
        yield common / "objects" / name, "read"


def _folder(pointer: Path) -> Path | None:
    match = _POINTER.match(_text(pointer))
    return (pointer.parent / match[1].strip()).resolve() if match else None


def _guarded(git: Path, workspace: Path) -> Iterator[tuple[Path, Access]]:
    """Yield the paths that run code; a missing folder of hooks is made, empty and read-only."""
    hooks = git / "hooks"
    if not hooks.exists():
        hooks.mkdir()
    yield hooks, "read"
    config = git / "config"
    yield config, "read" if config.exists() else "empty"
    if "worktreeconfig" in _text(config).lower():
        own = git / "config.worktree"
        yield own, "read" if own.exists() else "empty"
    yield from _elsewhere(git, workspace)


def _elsewhere(git: Path, workspace: Path) -> Iterator[tuple[Path, Access]]:
    """Yield hooks and settings that the configuration puts into the workspace."""
    for name in _ELSEWHERE.findall(_text(git / "config")):
        for folder in (workspace, git):
            path = (folder / name.strip()).resolve()
            if path.is_relative_to(workspace) and path != workspace:
                yield from _existing(path)


def _is_odd(git: Path, name: str) -> bool:
    """Return True for a link, which cannot be mounted read-only, or an existing `commondir`."""
    return (git / name).is_symlink() or (name == "commondir" and (git / name).exists())


def _existing(*paths: Path) -> Iterator[tuple[Path, Access]]:
    for path in paths:
        if path.exists():
            yield path, "read"


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_MOST)
    except OSError:
        return ""
