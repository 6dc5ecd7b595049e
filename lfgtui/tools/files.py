"""The files of the workspace, and no others.

A path is checked twice. By name first: with every symbolic link resolved it
must lie inside the workspace. Then by walking: the resolved path has no link
left in it, so it is opened folder by folder, each relative to the descriptor
of the one before and none through a link. A link that someone makes between
the two checks stops the walk instead of leading it outside. A file is written
under another name and renamed, so nobody ever reads half of one, and a link
under its own name is replaced, never followed.

This confines the file tools only, not commands.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from threading import Lock

from lfgtui.errors import ToolError
from lfgtui.tools.limits import closest
from lfgtui.workspace.kept import Before, TicketFiles

CHANGED = "the file, or the target of its path, has changed since approval was requested"
"""The error of a call whose approved `version` is out of date; the agent compares with it."""

CHANGED_NOW = '"{}" was changed by someone else at the same moment; read it again'

_one_at_a_time = Lock()
"""Held between the last look at a file and its replacement: only one ticket of this process writes
then."""

# Flags for opening; with O_NONBLOCK a named pipe cannot block.
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ChangedError(ToolError):
    """A file that has changed since its new content was made."""


@dataclass(frozen=True, slots=True)
class WorkspacePath:
    """A path in the workspace: `parts` below `root`, without links; `given` by the model."""

    root: Path
    parts: tuple[str, ...]
    given: str

    @property
    def absolute(self) -> Path:
        return self.root.joinpath(*self.parts)

    @property
    def relative(self) -> str:
        """The path relative to the workspace, as text; "." for the workspace itself."""
        return "/".join(self.parts) or "."


def locate(workspace: Path, given: str) -> WorkspacePath:
    """Resolve a path; raises `ToolError` unless it is inside the workspace."""
    if "\0" in given:
        raise ToolError(f"path {given!r}: a path has no NUL character in it")
    if given.startswith("~"):
        raise ToolError(
            f'path "{given}": "~" is not expanded, paths are relative to the workspace;'
            f' a name that begins with it is written "./{given}"'
        )
    try:
        root = workspace.resolve()
        target = (root / given).resolve()
    except (RuntimeError, OSError):  # RuntimeError until Python 3.13
        raise ToolError(f'path "{given}" cannot be followed: symbolic link loop') from None
    except UnicodeEncodeError:
        raise ToolError(f"path {given!r} has characters that no file name can have") from None
    if not target.is_relative_to(root):
        raise ToolError(
            f'path "{given}" leads outside the workspace; only what is inside can be used'
        )
    return WorkspacePath(root, target.relative_to(root).parts, given)


def read_bytes(path: WorkspacePath, limit: int) -> bytes:
    """Return the file's bytes; raises `ToolError` if it is no file, or larger than `limit`."""
    with explained(path):
        return _read(path, limit)


def read_present(path: WorkspacePath, limit: int) -> bytes | None:
    """Return the file's bytes as `read_bytes` does; None if there is no such file yet."""
    with explained(path):
        try:
            return _read(path, limit)
        except FileNotFoundError:
            return None


def _read(path: WorkspacePath, limit: int) -> bytes:
    with _parent(path) as (folder, name):
        descriptor = os.open(name, _READ, dir_fd=folder)
        try:
            status = os.fstat(descriptor)
            _require_file(path, status)
            if status.st_size > limit:
                raise ToolError(
                    f'"{path.given}" has {status.st_size:,} bytes, more than the {limit:,} that'
                    " can be read; search_files finds lines in it, or use head, tail or sed"
                )
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(limit)
        finally:
            os.close(descriptor)


def require_writable(path: WorkspacePath) -> None:
    """Raise `ToolError` for .git: a hook or setting there would run commands unapproved."""
    if any(part.lower() == ".git" for part in path.parts):
        raise ToolError(f'"{path.given}" is in .git, which is changed by git commands only')


def version(path: WorkspacePath, read: bytes | None) -> str:
    """Return a string that stands for the file with the content `read`; None: no file yet."""
    return version_of(path, None if read is None else sha256(read).hexdigest())


def version_of(path: WorkspacePath, digest: str | None) -> str:
    """Return the version of the file whose content has this SHA-256."""
    return f"{path.absolute} {digest}"


def replace(
    path: WorkspacePath,
    data: bytes,
    expected: str = "",
    kept: TicketFiles | None = None,
    mode: int | None = None,
) -> bool:
    """Replace the file's content in one step; create missing folders; set `mode` or leave it as is.

    Returns True if the file existed; its old content is stored in `kept` first. Raises `ToolError`,
    and `ChangedError` if the file is no longer the `expected` version ("": any).
    """
    require_writable(path)
    with explained(path), _parent(path, create=True) as (folder, name):
        before = _status(name, folder)
        if before is not None:
            _require_file(path, before)
            if not os.access(name, os.W_OK, dir_fd=folder):
                raise ToolError(f'"{path.given}" is read-only')
            mode = stat.S_IMODE(before.st_mode) if mode is None else mode
        beside = f".{secrets.token_hex(8)}.tmp"
        descriptor = os.open(beside, _CREATE, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                file.write(data)
            _require_version(path, name, folder, expected)  # here, too, to keep nothing in vain
            found = _keep(path, name, folder, kept, sha256(data).hexdigest())
            with _one_at_a_time:
                _require_version(path, name, folder, expected)
                if kept is not None and identity_of(_status(name, folder)) != found:
                    raise ChangedError(CHANGED_NOW.format(path.given))
                os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            raise
        return before is not None


def remove(path: WorkspacePath, expected: str, kept: TicketFiles) -> None:
    """Remove the file, stored in `kept` first; raises `ToolError` if it is not as `expected`."""
    require_writable(path)
    with explained(path), _parent(path) as (folder, name):
        found = _keep(path, name, folder, kept, None)
        with _one_at_a_time:
            _require_version(path, name, folder, expected)
            if identity_of(_status(name, folder)) != found:
                raise ChangedError(CHANGED_NOW.format(path.given))
            os.unlink(name, dir_fd=folder)


def digest(path: WorkspacePath) -> str | None:
    """Return the SHA-256 of the file's content; None if there is no file. Raises `ToolError`."""
    with explained(path):
        try:
            with _parent(path) as (folder, name):
                return _digest(path, name, folder)
        except FileNotFoundError:
            require_workspace(path.root)
            return None


def mode(path: WorkspacePath) -> int:
    """Return the mode of the file; raises `ToolError` if there is no file."""
    with explained(path), _parent(path) as (folder, name):
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _keep(
    path: WorkspacePath, name: str, folder: int, kept: TicketFiles | None, after: str | None
) -> tuple[int, ...] | None:
    """Store the file `name` of the open `folder` in `kept`; return its identity.

    `after` is the SHA-256 of the content that it will get, None if it is to be removed.
    """
    if kept is None:
        return None
    before, found = None, None
    with suppress(FileNotFoundError):
        descriptor = os.open(name, _READ, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _require_file(path, status)
            most = kept.store.most_per_file
            content = file.read(most + 1) if status.st_size <= most else None
            is_kept = content is not None and len(content) <= most
            before = Before(content if is_kept else None, stat.S_IMODE(status.st_mode))
            found = identity_of(status)
    try:
        kept.keep(path.root, "/".join(path.parts), before, after)
    except OSError as error:
        raise ToolError(
            f'"{path.given}" is left as it is, since it cannot be kept for undo:'
            f" {os.strerror(error.errno or errno.EIO).lower()}"
        ) from None
    return found


def _require_version(path: WorkspacePath, name: str, folder: int, expected: str) -> None:
    if expected and version_of(path, _digest(path, name, folder)) != expected:
        raise ChangedError(CHANGED)


def identity_of(status: os.stat_result | None) -> tuple[int, ...] | None:
    """Return figures that identify the file with its content, without reading it."""
    if status is None:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def require_workspace(root: Path) -> None:
    """Raise `ToolError` if the workspace is gone: then no path in it is at fault."""
    if not root.is_dir():
        raise ToolError(f"the workspace {root} no longer exists")


@contextmanager
def explained(path: WorkspacePath) -> Iterator[None]:
    """Turn the system's errors into a `ToolError` that says what is wrong with the path."""
    try:
        yield
    except FileNotFoundError:
        require_workspace(path.root)
        raise ToolError(f'there is no "{path.given}"{_nearest(path)}') from None
    except IsADirectoryError:
        raise ToolError(f'"{path.given}" is a folder, not a file') from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EEXIST):
            why = "a part of the path is not a folder"
        else:
            why = os.strerror(error.errno or errno.EIO).lower()
        raise ToolError(f'"{path.given}": {why}') from None


@contextmanager
def _parent(path: WorkspacePath, *, create: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder that holds the file; yields its descriptor and the file's name in it.

    It goes there folder by folder, through no link; with `create` it makes missing ones.
    """
    if not path.parts:
        raise IsADirectoryError
    folder = os.open(path.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.parts[:-1]:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            deeper = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = deeper
        yield folder, path.parts[-1]
    finally:
        os.close(folder)


def _digest(path: WorkspacePath, name: str, folder: int) -> str | None:
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        _require_file(path, os.fstat(descriptor))
        return file_digest(file, "sha256").hexdigest()


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _require_file(path: WorkspacePath, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise ToolError(f'"{path.given}" is not a regular file')


def _nearest(path: WorkspacePath) -> str:
    """Return the end of a message about a missing file: a similar name, or what to do."""
    try:
        with os.scandir(path.absolute.parent) as siblings:
            close = closest(path.absolute.name, (entry.name for entry in siblings))
    except OSError:
        close = None
    if close is None:
        return '; list_files with the path "." shows what there is'
    return f'; did you mean "{"/".join((*path.parts[:-1], close))}"?'
