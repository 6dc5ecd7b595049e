"""list_files, and the list of files that search_files goes through.

Which files there are is decided here, once, for ripgrep and for Python
alike: regular files, hidden ones too, without `.git` and without what the
workspace's own .gitignore files exclude. The person's global ignore file and
those of folders above the workspace have no say, so that a workspace in an
ignored folder is not empty.
"""

import asyncio
import os
import shutil
import stat
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import UnsetType

from lfgtui.errors import ToolError
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools import files
from lfgtui.tools.arguments import ListFiles
from lfgtui.tools.globs import Glob, IgnoreRule, ignore_rules, is_ignored
from lfgtui.tools.limits import ToolLimits, fitting
from lfgtui.tools.programs import printed_by

_RIPGREP = (
    "--files",
    "--hidden",
    "--null",
    "--no-messages",
    "--no-config",
    "--no-require-git",
    "--no-ignore-parent",
    "--no-ignore-global",
    "--no-ignore-exclude",
    "--no-ignore-dot",
    "--glob=!.git",
)
_MOST_FILES = 200_000
_IGNORE_CHARACTERS = 100_000
_MOST_BYTES = 32_000_000


async def list_files(arguments: ListFiles, workspace: Path, limits: ToolLimits) -> str:
    """The files, one a line, relative to the workspace and sorted."""
    names = await files_below(arguments.path, arguments.pattern, workspace, limits)
    if not names:
        return "[no files]"
    shown = fitting([escaped(name) for name in names], limits.output_characters)
    shown = shown[: limits.max_listed_files]
    if len(shown) < len(names):
        shown.append(f"[{len(shown)} of {len(names)} files; narrow it with path or pattern]")
    return "\n".join(shown)


async def files_below(
    said: str, pattern: str | UnsetType, workspace: Path, limits: ToolLimits
) -> list[str]:
    """The files at or below the path that the glob means, sorted; raises `ToolError`."""
    place, is_folder, ripgrep = await asyncio.to_thread(_look, workspace, said)
    deadline = Deadline(limits.search_seconds)
    if not is_folder:
        names = [place.name]
    else:
        names = await _all_below(place, ".", ripgrep, limits, deadline)
        if place.parts:
            names = [name for name in names if name.startswith(f"{place.name}/")]
            # An ignored folder that is asked for by name is listed all the same.
            names = names or await _all_below(place, place.name, ripgrep, limits, deadline)
    return await asyncio.to_thread(_chosen, names, pattern, place.name, deadline)


class Deadline:
    """A time limit that work in a thread checks, since nobody can stop a thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def check(self) -> None:
        """Raise `ToolError` where it is past."""
        if time.monotonic() > self._until:
            raise ToolError(f"stopped after {self._seconds:g} s; narrow it with path or a glob")


def _chosen(names: list[str], pattern: str | UnsetType, base: str, deadline: Deadline) -> list[str]:
    """Return the names that match the glob, sorted."""
    if not isinstance(pattern, str):
        return sorted(names)
    glob = Glob(pattern, base)
    chosen = []
    for name in names:
        deadline.check()
        if glob.matches(name):
            chosen.append(name)
    return sorted(chosen)


def _look(workspace: Path, said: str) -> tuple[files.Place, bool, str | None]:
    place = files.locate(workspace, said)
    with files.explained(place):
        mode = place.path.stat().st_mode
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):  # to read a pipe may take for ever
        raise ToolError(f'"{said}" is neither a file nor a folder')
    return place, stat.S_ISDIR(mode), shutil.which("rg")


async def _all_below(
    place: files.Place, start: str, ripgrep: str | None, limits: ToolLimits, deadline: Deadline
) -> list[str]:
    if ripgrep is None:
        return await asyncio.to_thread(lambda: list(_walk(place.root, start, deadline)))
    printed = await printed_by(
        [ripgrep, *_RIPGREP, "./" if start == "." else f"./{start}"],
        place.root,
        seconds=limits.search_seconds,
        most_bytes=_MOST_BYTES,
    )
    return await asyncio.to_thread(_names_in, printed.stdout)


def _names_in(printed: bytes) -> list[str]:
    whole = printed.split(b"\0", _MOST_FILES)[:-1]
    return [os.fsdecode(name.removeprefix(b"./")) for name in whole]


def _walk(root: Path, start: str, deadline: Deadline) -> Iterator[str]:
    """What `rg --files` gives, for where there is none."""
    first: tuple[str, ...] = () if start == "." else tuple(start.split("/"))
    pending: list[tuple[tuple[str, ...], list[IgnoreRule]]] = [(first, [])]
    left = _MOST_FILES
    while pending:
        folder, rules = pending.pop()
        entries = _entries(root.joinpath(*folder))
        rules = rules + _rules_in(entries, folder)
        for name, entry in entries.items():
            deadline.check()
            parts = (*folder, name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if name == ".git" or is_ignored(rules, parts, is_folder=is_folder):
                continue
            if is_folder:
                pending.append((parts, rules))
            elif entry.is_file(follow_symlinks=False):
                yield "/".join(parts)
                left -= 1
                if not left:
                    return


def _entries(folder: Path) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return {entry.name: entry for entry in islice(found, _MOST_FILES)}
    except OSError:
        return {}


def _rules_in(entries: dict[str, os.DirEntry[str]], folder: tuple[str, ...]) -> list[IgnoreRule]:
    entry = entries.get(".gitignore")
    if entry is None or not entry.is_file(follow_symlinks=False):
        return []
    try:
        with Path(entry.path).open(encoding="utf-8", errors="replace") as file:
            text = file.read(_IGNORE_CHARACTERS)
    except OSError:
        return []
    return ignore_rules(text, folder)
