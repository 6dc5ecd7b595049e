"""All git commands go through here: short ones, in a repository that may be hostile.

An agent can write to a repository's own configuration, and a repository may come out of an
archive. So nothing that is configured there is run: no hooks, file system monitors, filters,
merge drivers, external diffs, signers, editors, pagers or helpers, and no transport. What the
person configured for all repositories (e.g. the filters of Git LFS) still works. Paths are taken
literally, without wildcards.

A command that lfg no longer waits for gets SIGTERM, on which git removes its lock files. A command
that runs when lfg is killed continues to its end: killed in the middle it would leave half of its
work in the person's checkout. It has no terminal, no network and, once lfg is gone, no output.
"""

import asyncio
import os
import re
import signal
from asyncio import Future
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lfgtui.errors import LfgError, shortened, too_many_files
from lfgtui.processes.waiting import finish
from lfgtui.text.terminal_safe import visible_line

SECONDS = 60.0
"""Seconds that a command may take by default."""

OUTPUT_BYTES = 16 * 1024 * 1024
"""Most bytes that are read of a command's output."""

_GRACE = 5.0
"""Seconds in which git may clean up after SIGTERM, before SIGKILL."""

_STDERR_BYTES = 16 * 1024
"""Most bytes kept of what git writes to stderr; the rest is read, too, or git would block."""

_MESSAGE_LENGTH = 300
"""Most characters of a message."""

_READ_AT_ONCE = 64 * 1024  # bytes

_INHERITED = re.compile("GIT_(AUTHOR|COMMITTER|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|CEILING|EXEC)")
"""The beginnings of git's variables that are kept; the others name a repository, or commands."""

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # otherwise `git status` may rewrite the index
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_EDITOR": ":",
    "GIT_SEQUENCE_EDITOR": ":",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "LC_ALL": "C.UTF-8",  # some messages are recognized by their words; also for names
}
_SETTINGS = {  # settings that outrank the repository's, for every command
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "commit.gpgSign": "false",
    "merge.verifySignatures": "false",
    "log.showSignature": "false",
    "rerere.enabled": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_SHOWING = frozenset({"diff", "diff-files", "diff-index", "diff-tree", "log", "show"})
"""Commands that would run a configured diff program; they get options against that."""

_HARMLESS = frozenset(
    (
        *("branch", "cat-file", "config", "for-each-ref", "ls-tree", "merge-base", "rev-list"),
        *("pack-objects", "prune-packed", "rev-parse", "symbolic-ref", "update-ref"),
        *("version", "write-tree"),
    )
)
"""Commands that neither read nor write a file of a work tree, so they run no filters: `_disarming`
is left out. A command that is not in this list is only slower."""

_PROGRAMS = r"^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver)$"
"""Settings that name a filter or a merge driver, as a pattern for `git config --get-regexp`."""

_BUILT_IN_MERGE = "git merge-file -q --marker-size=%L %A %O %B"
"""A merge driver that does what git does without one."""

_IN_WORDS = (  # patterns of git's messages, and lfg's words for them
    (r"detected dubious ownership in repository at '(.*?)'",
     "{} belongs to another user, so git refuses to work in it; if you trust it:"
     " git config --global --add safe.directory {}"),
    (r"not a git repository", "not a git repository"),
    (r"No space left on device|Disk quota exceeded", "no space left on the disk"),
    (r"Unable to create '(.*?\.lock)': File exists",
     "another git command is running ({} exists); remove that file if none is"),
)  # fmt: skip


class GitError(LfgError):
    """Git could not be run, refused, or took too long; the message is one line."""


@dataclass(frozen=True, slots=True)
class GitResult:
    """A command that ended. `message`: its complaint, on one line that is safe to show.

    `is_cut`: it printed more than `OUTPUT_BYTES`, and was ended.
    """

    command: str
    code: int
    output: bytes
    message: str
    is_cut: bool = False

    @property
    def text(self) -> str:
        """Its output without line feeds at the end; bytes that are not UTF-8 are as in a `Path`."""
        return os.fsdecode(self.output).rstrip("\n")

    @property
    def names(self) -> list[str]:
        """The parts of an output that was asked for with `-z`."""
        return os.fsdecode(self.output).rstrip("\0").split("\0") if self.output else []

    def checked(self) -> "GitResult":
        """Return this; raises `GitError` if the command failed, or printed too much."""
        if self.is_cut:
            raise GitError(f"git {self.command} printed more than {OUTPUT_BYTES:,} bytes")
        if self.code:
            raise GitError(self.message or f"git {self.command} failed (exit code {self.code})")
        return self


async def git(
    *arguments: str,
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002
    seconds: float = SECONDS,
    keeps: Sequence[int] = (),
) -> GitResult:
    """Run a git command and return its result, whatever its exit code.

    Raises `GitError` if it cannot start or takes more than `seconds`. `env` is added to its
    environment. It inherits the descriptors `keeps`, which are locks, and so holds them to its own
    end. A cancellation ends it, and is passed on once it is gone.
    """
    settings = dict(_SETTINGS)
    command = arguments[0]
    if command not in _HARMLESS:
        settings |= await _disarming(cwd)
    if command in _SHOWING:
        arguments = (command, "--no-ext-diff", "--no-textconv", *arguments[1:])
    return await _run(arguments, cwd, _environment(settings, env or {}), input, seconds, keeps)


async def _disarming(cwd: Path | str) -> dict[str, str]:
    """Return settings that replace the filters and merge drivers that the repository configures."""
    asking = ("config", "--show-scope", "-z", "--get-regexp", _PROGRAMS)
    found = await _run(asking, cwd, _environment(_SETTINGS, {}), None, SECONDS, ())
    fields = found.names
    settings = {}
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        name = setting.partition("\n")[0]
        if scope in ("local", "worktree"):
            is_required = name.endswith(".required")
            is_merge = name.startswith("merge.")
            settings[name] = "false" if is_required else _BUILT_IN_MERGE if is_merge else ""
    return settings


def _environment(settings: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return the person's environment with these git settings, which outrank all others."""
    theirs = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or _INHERITED.match(name)
    }
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {**theirs, **_ENVIRONMENT, **numbered, **added}


async def _run(
    arguments: Sequence[str], cwd: Path | str, env: Mapping[str, str], data: bytes | None,
    seconds: float, keeps: Sequence[int],
) -> GitResult:  # fmt: skip
    starting = asyncio.ensure_future(_start(arguments, cwd, env, data is not None, keeps))
    try:
        process = await asyncio.shield(starting)
        async with asyncio.timeout(seconds):
            (output, is_cut), complaint, _ = await asyncio.gather(
                _output(process), _complaint(process), _write(process.stdin, data)
            )
            if not is_cut:
                await process.wait()
    except TimeoutError:
        raise GitError(f"git {arguments[0]} took more than {seconds:g} s") from None
    finally:
        await finish(_end(starting))
    return GitResult(arguments[0], process.returncode or 0, output, _in_words(complaint), is_cut)


async def _start(
    arguments: Sequence[str], cwd: Path | str, env: Mapping[str, str], has_input: bool,
    keeps: Sequence[int],
) -> Process:  # fmt: skip
    try:
        return await asyncio.create_subprocess_exec(
            *("git", *arguments), cwd=cwd, env=env, stdin=PIPE if has_input else DEVNULL,
            stdout=PIPE, stderr=PIPE, pass_fds=keeps, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        if error.filename == "git":
            raise GitError("git is not installed") from None
        raise GitError(f"{visible_line(str(cwd))} is not a folder") from None
    except (OSError, ValueError) as error:
        reason = too_many_files(error) or getattr(error, "strerror", None) or error
        raise GitError(f"git cannot be started: {reason}") from None


async def _output(process: Process) -> tuple[bytes, bool]:
    """Return the command's output, and True if it was too much and the command was ended."""
    assert process.stdout is not None
    kept = bytearray()
    while data := await process.stdout.read(_READ_AT_ONCE):
        kept += data
        if len(kept) > OUTPUT_BYTES:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            return bytes(kept[:OUTPUT_BYTES]), True
    return bytes(kept), False


async def _complaint(process: Process) -> str:
    """Return the beginning of the command's stderr."""
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(_READ_AT_ONCE):
        kept += data[: _STDERR_BYTES - len(kept)]
    return kept.decode("utf-8", "replace")


async def _write(pipe: asyncio.StreamWriter | None, data: bytes | None) -> None:
    if pipe is not None:
        with suppress(BrokenPipeError, ConnectionResetError):  # then its complaint says why
            pipe.write(data or b"")
            await pipe.drain()
        pipe.close()


async def _end(starting: Future[Process]) -> None:
    """End the command if it still runs; it may clean up, and is killed if that takes long."""
    with suppress(GitError):
        await starting
    if starting.exception() is not None:
        return
    process = starting.result()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
    for pipe in (process.stdout, process.stderr):  # asyncio closes them at their ends
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while pipe is not None and await pipe.read(_READ_AT_ONCE):
                    pass


def _in_words(complaint: str) -> str:
    """Return git's complaint on one line; common ones in lfg's words."""
    for pattern, words in _IN_WORDS:
        if found := re.search(pattern, complaint):
            return visible_line(words.replace("{}", found[1] if found.groups() else ""))
    lines = [line for line in complaint.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    line = (telling or lines or [""])[0]
    line = visible_line(line.removeprefix("fatal:").removeprefix("error:").strip())
    return shortened(line, _MESSAGE_LENGTH)
