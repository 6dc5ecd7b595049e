"""Kept files: the content of files before a ticket changed them, for `lfg undo`.

    FOLDER/objects/SHA256     contents, each once
    FOLDER/runs/RUN.jsonl     the changes of a run, in their order

Both are on the disk before the file is changed, so an undo needs neither git nor the process that
made the change. They are not in the history's database: these are the user's files, with
whatever secrets they hold, for the user alone. If lfg was killed after the note and before the
change, that was never made; so whoever reads the notes has to compare digests.
"""

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path, PurePath
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from lfgtui.model.clock import now

UNKNOWN: Final = ""
"""Stands for the digest of a content that was not read."""

_MOST_COMPARED, _MOST_BYTES = 200, 32_000_000
"""Most files, and most bytes of them, that are compared before a command."""

TOO_LARGE = "larger than undo.max_file"
BY_COMMAND = "changed by a command"
"""Values of `Change.why`. They are stored, and compared, so they cannot change."""

ChangedBy: TypeAlias = Literal["tool", "agent", "command", "undo", "redo"]
"""lfg's tools, an installed agent's, a command, or `lfg undo` with or without `--redo`; stored."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a file by a ticket; `path` is below the workspace `root`, without links.

    `before` and `after` are SHA-256 in hexadecimal, None for no file, or `UNKNOWN`. `mode` is the
    file's before, `at` in seconds since the epoch. `why`: the reason why the content before is not
    kept, "" if it is. As it is a line of a run's file, fields keep their names, and a new one needs
    a default.
    """

    ticket: str
    root: str
    path: str
    before: str | None
    after: str | None
    mode: int = 0o644
    by: ChangedBy = "tool"
    why: str = ""
    at: float = 0.0

    @property
    def file(self) -> str:
        return f"{self.root}/{self.path}"


class Before(NamedTuple):
    """A file as it was found before a change; `content` is None if it is too large to keep."""

    content: bytes | None
    mode: int


class KeptFiles:
    """The store. It keeps at most `most` bytes, dropping the oldest contents.

    A content may have `most_per_file` bytes. Methods block, and may be called from several threads
    and processes at once.
    """

    def __init__(self, folder: Path, *, most: int, most_per_file: int) -> None:
        self.most, self.most_per_file = most, min(most, most_per_file)
        self._objects = folder / "objects"
        self._runs = folder / "runs"
        self._lock = folder / "lock"

    @classmethod
    def beside(cls, history: Path, most: int = 0, most_per_file: int = 0) -> "KeptFiles":
        """Return the store for the runs in that history file."""
        return cls(history.parent / "kept", most=most, most_per_file=most_per_file)

    def keep(self, run: str, change: Change, content: bytes | None) -> None:
        """Note a change that is about to be made, after keeping the content before, if given.

        Both are on the disk once this returns; raises `OSError`.
        """
        with self._locked():
            if content is not None:
                self._put(sha256(content).hexdigest(), content)
            self._note(run, change)

    def hold(self, content: bytes) -> None:
        """Keep a content whose change is to be noted later with `note`. Raises `OSError`."""
        with self._locked():
            self._put(sha256(content).hexdigest(), content)

    def note(self, run: str, changes: Iterable[Change]) -> None:
        """Note changes without keeping content; raises `OSError`."""
        with self._locked():
            self._note(run, *changes)

    def changes(self, run: str) -> list[Change]:
        """Return the changes of the run's tickets, in their order."""
        return list(_read(self._journal(run)))

    def content(self, digest: str) -> bytes | None:
        """Return a content; None if it is no longer kept, or damaged."""
        try:
            content = (self._objects / digest).read_bytes()
        except OSError:
            return None
        return content if sha256(content).hexdigest() == digest else None

    def who_left(self, file: str, digest: str | None) -> tuple[str, str] | None:
        """Return the run and the ticket whose change last gave the file this content, if any."""
        left = (
            (change.at, path.name.removesuffix(".jsonl"), change.ticket)
            for path in self._runs.glob("*.jsonl")
            for change in _read(path)
            if change.file == file and change.after == digest
        )
        latest = max(left, default=None)
        return None if latest is None else latest[1:]

    def drop(self, runs: Iterable[str]) -> None:
        """Forget the runs, and contents that no other run needs; raises `OSError`."""
        journals = [path for path in map(self._journal, runs) if path.exists()]
        if not journals:
            return
        with self._locked():
            for path in journals:
                path.unlink(missing_ok=True)
            needed = {
                change.before for path in self._runs.glob("*.jsonl") for change in _read(path)
            }
            for path in self._objects.iterdir():
                if path.name not in needed:
                    path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes of all contents."""
        return sum(status.st_size for _, status in self._stored())

    def _put(self, digest: str, content: bytes) -> None:
        """Store a content under its digest, unless it is there; make room for it."""
        place = self._objects / digest
        with suppress(FileNotFoundError):
            if place.stat().st_size == len(content):
                os.utime(place)  # needed anew, it is no longer among the oldest
                return
        beside = self._objects / f".{secrets.token_hex(8)}.tmp"
        try:
            _write(beside, content, os.O_CREAT | os.O_EXCL)
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(self._objects)
        self._make_room(place)

    def _make_room(self, newest: Path) -> None:
        """If over the limit, drop the oldest contents, down to nine tenths of it."""
        stored = list(self._stored())
        left = sum(status.st_size for _, status in stored)
        if left <= self.most:
            return
        for path, status in sorted(stored, key=lambda one: one[1].st_mtime_ns):
            if left <= self.most * 9 // 10:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                left -= status.st_size

    def _stored(self) -> Iterator[tuple[Path, os.stat_result]]:
        with suppress(FileNotFoundError), os.scandir(self._objects) as found:
            for entry in found:
                yield Path(entry.path), entry.stat(follow_symlinks=False)

    def _note(self, run: str, *changes: Change) -> None:
        journal = self._journal(run)
        is_new = not journal.exists()
        # A line feed comes first: the last line there may be incomplete, if lfg was killed.
        lines = (f"\n{json.dumps(asdict(one))}" for one in changes)
        _write(journal, "".join(lines).encode(), os.O_APPEND | os.O_CREAT)
        if is_new:
            _sync_folder(self._runs)

    def _journal(self, run: str) -> Path:
        return self._runs / f"{quote(run, safe='')}.jsonl"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        for folder in (self._lock.parent, self._objects, self._runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class TicketFiles:
    """The store for one ticket, and for one way (`by`) in which its files are changed.

    A content that the ticket itself made is not kept: an undo restores the content before all
    its consecutive changes.
    """

    def __init__(
        self, store: KeptFiles, run: str, ticket: str, by: Literal["tool", "undo", "redo"] = "tool"
    ) -> None:
        self.store, self._run, self._ticket, self._by = store, run, ticket, by
        self._left: dict[str, str | None] | None = None

    def keep(self, root: Path, path: str, before: Before | None, after: str | None) -> None:
        """Note a change that is about to be made, and keep the content before; raises `OSError`.

        `before` is None if there is no file yet, `after` the digest that the file will have.
        """
        own = self._own()
        content = before and before.content
        digest = before and (UNKNOWN if content is None else sha256(content).hexdigest())
        why = TOO_LARGE if digest == UNKNOWN else ""
        mode = 0o644 if before is None else before.mode
        place = (str(root), path, digest, after)
        change = Change(self._ticket, *place, mode, self._by, why, now())
        is_own = self._by == "tool" and own.get(change.file, UNKNOWN) == digest
        self.store.keep(self._run, change, None if is_own else content)
        own[change.file] = after

    def note_agents(
        self, root: Path, path: str, before: str | None, after: str | None, mode: int, why: str
    ) -> None:
        """Note a change that an installed agent has made itself; raises `OSError`.

        The content before was kept with `KeptFiles.hold`, unless `why` says why not.
        """
        place = (str(root), path, before, after)
        change = Change(self._ticket, *place, mode, "agent", why, now())
        self.store.note(self._run, [change])
        self._own()[change.file] = after

    def unchanged(self) -> list[str]:
        """Return the files that are as the ticket's changes left them; of many, the latest."""
        latest = list(self._own().items())[-_MOST_COMPARED:]
        found, room = [], _MOST_BYTES
        for file, left in reversed(latest):
            with suppress(OSError):
                room -= Path(file).stat().st_size
            if left and room >= 0 and self._digest(Path(file)) == left:
                found.append(file)
        return found

    def note(self, root: Path, files: Iterable[str], unchanged: Collection[str]) -> None:
        """Note the files that a command of the ticket changed; raises `OSError`.

        The content before is known only for those in `unchanged`, which was called before the
        command.
        """
        own, noted, real = self._own(), [], root.resolve()
        for name in files:
            path = str(PurePath(name).relative_to(root))
            file = f"{real}/{path}"
            is_known = file in unchanged
            before = own[file] if is_known else UNKNOWN
            after = self._digest(Path(file)) if is_known else UNKNOWN
            why = "" if is_known else BY_COMMAND
            place = (str(real), path, before, after)
            change = Change(self._ticket, *place, by="command", why=why, at=now())
            noted.append(change)
            own[file] = after
        self.store.note(self._run, noted)

    def _own(self) -> dict[str, str | None]:
        """Return the digests of the contents that the ticket's changes left, by file."""
        if self._left is None:
            known = self.store.changes(self._run)
            self._left = {one.file: one.after for one in known if one.ticket == self._ticket}
        return self._left

    def _digest(self, file: Path) -> str | None:
        """Return the digest of a file's content, None for no file; `UNKNOWN` if it is too large."""
        try:
            handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError:
            return UNKNOWN
        with os.fdopen(handle, "rb") as opened:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > self.store.most_per_file:
                return UNKNOWN
            return file_digest(opened, "sha256").hexdigest()


class Past(NamedTuple):
    """The consecutive changes of a file by one ticket, which are undone together.

    `undone` is the undo of them, if there was no change since. `is_cut`: others changed the file
    between changes of the ticket, and `done` has only those since then.
    """

    done: tuple[Change, ...] = ()
    undone: Change | None = None
    is_cut: bool = False


def pasts(changes: Iterable[Change], ticket: str) -> dict[str, Past]:
    """Return the ticket's changes, of those of its run, by the file's absolute path."""
    found: dict[str, Past] = {}
    for change in changes:
        if change.ticket == ticket:
            past = found.get(change.file, Past())
            if change.by in ("undo", "redo"):
                undone = change if change.by == "undo" else None
                found[change.file] = past._replace(undone=undone)
            else:
                found[change.file] = _with(past, change)
    return found


def _with(past: Past, change: Change) -> Past:
    done = () if past.undone else past.done
    if done and done[-1].after != change.before == done[-1].before:
        done = done[:-1]  # the last one was noted, but never made
    is_cut = past.is_cut or bool(done and done[-1].after != change.before)
    if done and done[-1].after != change.before:
        done = ()
    return Past((*done, change), None, is_cut)


def _read(journal: Path) -> Iterator[Change]:
    with suppress(FileNotFoundError):
        for line in journal.read_bytes().splitlines():
            with suppress(ValueError, TypeError):  # incomplete, or of a later version
                yield Change(**json.loads(line))


def _write(path: Path, data: bytes, flags: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
