"""The files of a worktree on their way between two machines, as one commit on a remote.

That commit has the files as they are, new ones included and ignored ones not. Its first parent is
the commit that the worktree is at, its second the one that it began at, so the other side needs
only one reference on the remote.

Only this module lets git use the network. For that, git runs in a folder of its own that borrows
the repository's objects but not its settings, which an agent could have written and which can name
commands. The person's global settings apply, so the remote is reached as usual, but without
prompts.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lfgtui.processes.private_folder import PrivateFolder
from lfgtui.processes.waiting import finish
from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace.git import GitError, GitResult, git
from lfgtui.workspace.repository import folder_locked
from lfgtui.workspace.snapshots import AUTHOR, snapshot

_SECONDS = 1800.0
"""Seconds for transferring or checking out a whole history over a slow connection."""

_TRANSPORTS = "file:git:http:https:ssh"
"""The value of GIT_ALLOW_PROTOCOL: without `ext`, which runs commands."""

_SSH = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT")
"""Variables with which the person sets how a remote is reached."""

_PUSHING = ("--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
_FETCHING = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
_PREFIXES = re.compile(r"fatal:|error:|remote:", re.IGNORECASE)
"""Words before git's messages, which are left out in lfg's."""


async def remote_url(checkout: str, name: str) -> str:
    """Return the URL of a remote, or `name` itself if it is a URL; raises `GitError`."""
    found = await git("config", "--get", f"remote.{name}.url", cwd=checkout)
    url = found.text
    if found.code:
        if ":" not in name and "/" not in name:
            shown = visible_line(checkout)
            raise GitError(
                f'{shown} has no remote "{name}", over which its files would travel to a worker;'
                " set [workers] remote to the name or the URL of one that workers can reach"
            )
        url = name
    is_path = "://" not in url and not re.match(r"[^/]+:", url)  # `host:path` is for ssh
    return str(Path(checkout, url)) if is_path else url


def without_password(url: str) -> str:
    """Return the URL without its password: others have their own keys."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def pack(folder: Path, base: str, title: str) -> str:
    """Return a new commit that carries the worktree in `folder`, which began at `base`."""
    files = await snapshot(folder, title)
    head = (await git("rev-parse", "HEAD", cwd=folder)).checked().text
    return await carrier(folder, files, head, base, title)


async def carrier(folder: Path | str, files: str, head: str, base: str, title: str) -> str:
    """Return a new commit that carries the files of the commit `files`.

    It is for a worktree that is at the commit `head` and began at `base`.
    """
    parents = ("-p", head, *(("-p", base) if base != head else ()))
    making = ("commit-tree", f"{files}^{{tree}}", *parents, "-m", title)
    return (await git(*making, cwd=folder, env=AUTHOR)).checked().text


async def parents(folder: Path | str, commit: str) -> tuple[str, str]:
    """Return the commits at which the carried worktree is, and at which it began.

    Raises `GitError` if the commit carries no worktree: anyone who can write to the remote may put
    any commit there.
    """
    asking = ("rev-list", "-n", "1", "--parents", commit)
    _, *found = (await git(*asking, cwd=folder)).checked().text.split()
    if not found:
        raise GitError(f"commit {commit[:12]} carries no worktree")
    return found[0], found[1] if len(found) > 1 else found[0]


async def is_same(folder: Path | str, one: str, other: str) -> bool:
    """Return True if two commits carry the same worktree."""
    asking = [f"{commit}{part}" for commit in (one, other) for part in ("^{tree}", "^1")]
    found = (await git("rev-parse", *asking, cwd=folder)).checked().text.split()
    return found[:2] == found[2:]


async def unpack(folder: Path, commit: str) -> None:
    """Change the worktree in `folder` into the one that the commit carries.

    Files that git ignores stay; all other changes there are lost.
    """
    head, _ = await parents(folder, commit)
    async with folder_locked(folder) as lock:
        for step in (
            ("clean", "-d", "--force", "--quiet"),
            ("reset", "--hard", "--quiet", commit),
            ("reset", "--mixed", "--quiet", head),
        ):
            (await git(*step, cwd=folder, seconds=_SECONDS, keeps=[lock])).checked()


async def push(common: str, url: str, ref: str, commit: str) -> None:
    """Set the remote's `ref` to the commit, whatever it was."""
    await _talk(common, url, "push", *_PUSHING, "--force", "--", url, f"{commit}:{ref}")


async def find(common: str, url: str, ref: str) -> str | None:
    """Return the commit of the remote's `ref`; None if there is none."""
    return (await _talk(common, url, "ls-remote", "--", url, ref)).text.partition("\t")[0] or None


async def fetch(common: str, url: str, ref: str, near: str = "") -> str | None:
    """Fetch the commit of the remote's `ref`, and return it; None if there is none.

    `near` is a commit that both sides are likely to have: its past is not sent.
    """
    if (found := await find(common, url, ref)) is None:
        return None
    tips = (f"--negotiation-tip={near}",) if near else ()
    await _talk(common, url, "fetch", *_FETCHING, *tips, "--", url, f"+{ref}:refs/fetched")
    return found


async def forget(common: str, url: str, ref: str) -> None:
    """Delete the remote's `ref`."""
    await _talk(common, url, "push", *_PUSHING, "--", url, f":{ref}")


async def _talk(common: str, url: str, *command: str) -> GitResult:
    """Run a git command that talks to the remote; raises `GitError` with the remote's name."""
    async with _borrowing(common) as (folder, env):
        said = await git(*command, cwd=folder, env=env, seconds=_SECONDS)
    try:
        return said.checked()
    except GitError as error:
        shown = visible_line(without_password(url))
        message = _PREFIXES.sub("", str(error)).strip().replace(url, shown)
        raise GitError(f"git {command[0]}, {shown}: {message}") from None


@asynccontextmanager
async def _borrowing(common: str) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
    """Make a folder for git that has the repository's objects and none of its settings."""
    form = (await git("rev-parse", "--show-object-format", cwd=common)).checked().text
    kept = await finish(asyncio.to_thread(PrivateFolder))
    folder = str(kept.path)
    try:
        making = ("init", "--quiet", "--bare", f"--object-format={form}", "--template=", folder)
        (await finish(git(*making, cwd=folder))).checked()
        env = {
            "GIT_DIR": folder,
            "GIT_OBJECT_DIRECTORY": str(Path(common, "objects")),
            "GIT_ALLOW_PROTOCOL": _TRANSPORTS,
            **{name: value for name in _SSH if (value := os.environ.get(name))},
        }
        shallow = Path(common, "shallow")
        if await asyncio.to_thread(shallow.exists):
            env["GIT_SHALLOW_FILE"] = str(shallow)
        yield folder, env
    finally:
        await finish(asyncio.to_thread(kept.close))
