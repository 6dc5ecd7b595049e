"""list_files, and the list of files that search_files goes through.

Ripgrep and Python list the same files: regular files, hidden ones too, without
`.git` and without what the workspace's own .gitignore files exclude. The
person's global ignore file and those of folders above the workspace do not
count, so that a workspace in an ignored folder is not empty.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from msgspec import UnsetType

from lfgtui.errors import ToolError
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools.arguments import ListFiles
from lfgtui.tools.files import WorkspacePath, explained, locate
from lfgtui.tools.globs import IgnoreRule, glob_test, ignore_rules, is_ignored
from lfgtui.tools.limits import ToolLimits, fitting
from lfgtui.tools.programs import Deadline, run_program

_RIPGREP = (
    "--files --hidden --null --no-messages --no-config --no-require-git --no-ignore-parent"
    " --no-ignore-global --no-ignore-exclude --no-ignore-dot --glob=!.git"
)
_MOST_FILES = 200_000
_IGNORE_CHARACTERS = 100_000
"""Most characters that are read of a .gitignore."""

_MOST_BYTES = 32_000_000
"""Most bytes that are read of ripgrep's output."""


async def list_files(arguments: ListFiles, workspace: Path, limits: ToolLimits) -> str:
    """Return the files, one a line, relative to the workspace and sorted."""
    deadline = Deadline(limits.search_seconds)
    names = await files_below(arguments.path, arguments.pattern, workspace, deadline)
    if not names:
        return "[no files]"
    shown = fitting([escaped(name) for name in names], limits.output_characters)
    shown = shown[: limits.max_listed_files]
    if len(shown) < len(names):
        shown.append(f"[{len(shown)} of {len(names)} files; narrow it with path or pattern]")
    return "\n".join(shown)


async def files_below(
    given: str, pattern: str | UnsetType, workspace: Path, deadline: Deadline
) -> list[str]:
    """Return the files at or below a path that match a glob, sorted; raises `ToolError`."""
    path, is_folder, ripgrep = await asyncio.to_thread(_look, workspace, given)
    if not is_folder:
        names = [path.relative]
    else:
        names = await _all_below(path, ".", ripgrep, deadline)
        if path.parts:
            names = [name for name in names if name.startswith(f"{path.relative}/")]
            # An ignored folder is listed if it is named.
            names = names or await _all_below(path, path.relative, ripgrep, deadline)
    return await asyncio.to_thread(_matching, names, pattern, path.relative, deadline)


def _matching(
    names: list[str], pattern: str | UnsetType, base: str, deadline: Deadline
) -> list[str]:
    """Return the paths that match the glob, sorted; all of them without a glob.

    All paths are relative to the workspace; the glob may be relative to `base` instead.
    """
    if not isinstance(pattern, str):
        return sorted(names)
    matches = glob_test(pattern, base)
    matching = []
    for name in names:
        deadline.check()
        if matches(name):
            matching.append(name)
    return sorted(matching)


def _look(workspace: Path, given: str) -> tuple[WorkspacePath, bool, str | None]:
    """Return the path, True if it is a folder, and ripgrep's path; raises `ToolError`. Blocks."""
    path = locate(workspace, given)
    with explained(path):
        mode = path.absolute.stat().st_mode
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):  # reading a pipe may block forever
        raise ToolError(f'"{given}" is neither a file nor a folder')
    return path, stat.S_ISDIR(mode), shutil.which("rg")


async def _all_below(
    path: WorkspacePath, start: str, ripgrep: str | None, deadline: Deadline
) -> list[str]:
    """Return the files below the folder `start`, both relative to the workspace.

    Beyond `_MOST_FILES`, or `_MOST_BYTES` of ripgrep's output, the rest is silently left out.
    """
    if ripgrep is None:
        return await asyncio.to_thread(
            lambda: list(islice(_walk(path.root, start, deadline), _MOST_FILES))
        )
    command = [ripgrep, *_RIPGREP.split(), "./" if start == "." else f"./{start}"]
    output = await run_program(command, path.root, deadline, most_bytes=_MOST_BYTES)
    # What follows the last NUL is empty, a name that was cut, or the files beyond the limit.
    names = output.stdout.split(b"\0", _MOST_FILES)[:-1]
    return [os.fsdecode(name.removeprefix(b"./")) for name in names]


def _walk(root: Path, start: str, deadline: Deadline) -> Iterator[str]:
    """Yield the names that ripgrep, where it is installed, would print."""
    first: tuple[str, ...] = () if start == "." else tuple(start.split("/"))
    pending: list[tuple[tuple[str, ...], list[IgnoreRule]]] = [(first, [])]
    while pending:
        folder, rules = pending.pop()
        entries: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(root.joinpath(*folder)) as scanned:
            entries += islice(scanned, _MOST_FILES)
        for entry in entries:
            if entry.name == ".gitignore" and entry.is_file(follow_symlinks=False):
                rules = rules + _rules_in(entry.path, folder)
        for entry in entries:
            deadline.check()
            parts = (*folder, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name == ".git" or is_ignored(rules, parts, is_folder=is_folder):
                continue
            if is_folder:
                pending.append((parts, rules))
            elif entry.is_file(follow_symlinks=False):
                yield "/".join(parts)


def _rules_in(gitignore: str, folder: tuple[str, ...]) -> list[IgnoreRule]:
    try:
        with Path(gitignore).open(encoding="utf-8", errors="replace") as file:
            return ignore_rules(file.read(_IGNORE_CHARACTERS), folder)
    except OSError:
        return []
