"""The files of a ticket's `context`, which go with its prompt: found by globs, read, bounded.

They are read ahead while their ticket waits for its turn. When it begins, files that have changed
in the meantime are read again, since an earlier ticket may have changed them.

Globs find the files that `list_files` lists: no links, and nothing that git ignores. A file named
in full is always taken. If a file cannot go with the prompt, the ticket is refused before anything
is sent: without a part of what the person gave it, it would work on something else.
"""

import asyncio
import stat
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec import UNSET

from lfgtui.errors import LfgError, ToolError
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.text import figures
from lfgtui.tools.files import WorkspacePath, identity_of, locate, read_bytes
from lfgtui.tools.globs import glob_test
from lfgtui.tools.limits import ToolLimits, sendable
from lfgtui.tools.listing import files_below
from lfgtui.tools.programs import Deadline

MOST_FILES = 500
"""Most files that go with a prompt."""

MOST_BYTES = 2_000_000
"""Most bytes of all files together, some 500,000 tokens: more than most models hold."""

_WILD = frozenset("*?[{")
"""Characters that make a part of a path a glob."""

_T = TypeVar("_T")


class ContextError(LfgError):
    """Files that cannot go with a prompt; the message is for the person."""


class _Found(NamedTuple):
    """A file to be read; `given` is the glob or the name that led to it."""

    path: WorkspacePath
    given: str
    size: int
    identity: tuple[int, ...] | None


class _Read(NamedTuple):
    """A file that was read, and its identity just before (`files.identity_of`)."""

    identity: tuple[int, ...] | None
    file: ContextFile


class ContextFiles:
    """The files that globs name in a workspace."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = globs
        self._known: Mapping[str, _Read] = {}
        """Files that were read ahead, by path."""
        self._one_at_a_time = asyncio.Lock()

    async def read_ahead(self, workspace: Path) -> None:
        """Read the files ahead of need; errors are left to `read`."""
        with suppress(ContextError):
            await self._read(workspace)

    async def read(self, workspace: Path) -> tuple[ContextFile, ...]:
        """Return the files as they are now, sorted by path; raise `ContextError` if impossible.

        It also forgets those that were read ahead: from now on the history has them.
        """
        files = await self._read(workspace) if self._globs else ()
        self._known = {}
        return files

    async def _read(self, workspace: Path) -> tuple[ContextFile, ...]:
        async with self._one_at_a_time:
            try:
                found = await _found(workspace, self._globs)
                read = await _all(asyncio.to_thread(_read, one, self._known) for one in found)
            except ToolError as error:
                raise ContextError(f"context: {error}") from None
            self._known = dict(zip((one.path.relative for one in found), read, strict=True))
            return tuple(one.file for one in read)


async def _all(doing: Iterable[Awaitable[_T]]) -> list[_T]:
    """Return the results; when all have ended, raise the first error, if any."""
    done = await asyncio.gather(*doing, return_exceptions=True)
    results: list[_T] = []
    for one in done:
        if isinstance(one, BaseException):
            raise one
        results.append(one)
    return results


async def _found(workspace: Path, globs: Sequence[str]) -> Sequence[_Found]:
    """Return the files of all globs, sorted, each once; raise `ToolError` if that is impossible."""
    deadline = Deadline(ToolLimits().search_seconds)
    some = await _all(_found_by(workspace, pattern, deadline) for pattern in globs)
    by_path = {one.path.relative: one for found in some for one in found}
    found = [by_path[path] for path in sorted(by_path)]
    if len(found) > MOST_FILES:
        raise ToolError(
            f"more than {MOST_FILES} files match; at most {MOST_FILES} can go with a prompt"
        )
    if (total := sum(one.size for one in found)) > MOST_BYTES:
        largest = max(found, key=lambda one: one.size)
        held = f"{figures.size(total)} of files, more than the {figures.size(MOST_BYTES)} that go"
        name = f'"{largest.path.relative}" alone has {figures.size(largest.size)}'
        raise ToolError(f"{held} with a prompt; {name}")
    return found


async def _found_by(workspace: Path, pattern: str, deadline: Deadline) -> Sequence[_Found]:
    """Return the files that one glob or name stands for; raise `ToolError` if there is none."""
    named = await asyncio.to_thread(_stated, workspace, pattern, pattern)
    if named is not None:
        return [named]
    parts = pattern.removeprefix("./").split("/")
    fixed = next((n for n, part in enumerate(parts) if _WILD & {*part}), None)
    if fixed is None:
        raise ToolError(f'there is no "{pattern}" in {workspace}')
    folder = await asyncio.to_thread(locate, workspace, "/".join(parts[:fixed]) or ".")
    if await asyncio.to_thread(folder.absolute.is_dir):
        names = await files_below(folder.given, UNSET, workspace, deadline)
        rest = "/".join(parts[fixed:])
        if found := await asyncio.to_thread(_matching, folder, names, rest, pattern):
            return found
    raise ToolError(f'"{pattern}" matches no file in {workspace} (links and ignored ones aside)')


def _matching(
    folder: WorkspacePath, names: Iterable[str], rest: str, pattern: str
) -> Sequence[_Found]:
    """Return the files in a folder that match the rest of a glob, relative to the folder."""
    matches = glob_test(f"/{rest}")
    above = f"{folder.relative}/" if folder.parts else ""
    found = list[_Found]()
    for name in names:
        if matches(name.removeprefix(above)):
            stated = _stated(folder.root, name, pattern)
            found += [stated] if stated is not None else []
        if len(found) > MOST_FILES:
            break
    return found


def _stated(workspace: Path, name: str, pattern: str) -> _Found | None:
    """Return the file of that name, None if there is none; raise `ToolError` if it is no file."""
    path = locate(workspace, name)
    try:
        status = path.absolute.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ToolError(f'"{name}" cannot be read: {error.strerror}') from None
    if stat.S_ISDIR(status.st_mode):
        raise ToolError(f'"{name}" is a folder; "{name.rstrip("/")}/**" stands for its files')
    if not stat.S_ISREG(status.st_mode):
        raise ToolError(f'"{name}" is not a regular file')
    return _Found(path, pattern, status.st_size, identity_of(status))


def _read(found: _Found, known: Mapping[str, _Read]) -> _Read:
    """Return the file, from `known` if it has not changed; raise `ToolError` if it is not text."""
    name = found.path.relative
    before = known.get(name)
    if before is not None and before.identity == found.identity:
        return before
    data = read_bytes(found.path, MOST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        led = "" if found.given == name else f', to which "{found.given}" leads,'
        raise ToolError(f'"{name}"{led} is not text in UTF-8')
    given = ContextFile(sendable(name), len(data), sha256(data).hexdigest(), text)
    return _Read(found.identity, given)
