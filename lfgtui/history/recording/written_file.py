"""The history file that the recorder writes; it is checked, and replaced if need be (decision 23).

If the file at the path is no longer the one that is written, the runs of this
process are copied, from the connection that is still open, into the history that
is at the path now, or into a new one. If that is impossible (another program's
file is there, no file can be made, the file was damaged), they are *rescued*:
copied into a history of their own in a folder beside it or, failing that, in the
folder for temporary files. Files of other programs are never overwritten.
"""

import ctypes
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from lfgtui.errors import HistoryError
from lfgtui.history.recording import own_runs
from lfgtui.history.recording.file_watch import Change, Files, look
from lfgtui.history.recording.own_runs import OwnRun
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file
from lfgtui.history.storage.batch import Batch
from lfgtui.history.storage.entries import stored
from lfgtui.history.storage.runs import TicketState
from lfgtui.model.fold.metrics import HistoryTrouble

CHECKED_BYTES = 64 * 1024 * 1024
"""Bytes of the largest file that is checked as a whole when another program has written to it."""

LOG_BYTES = 8 * 1024 * 1024
"""Bytes at which the write-ahead log is copied into the file; about SQLite's own default."""

BUSY_MS = 25
"""Milliseconds that a commit waits for another process before it counts as refused."""

HOMING = 5.0
"""Seconds between attempts to go back from a rescue folder to the file at the path."""

_LASTING = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
)
"""SQLite's primary result codes of errors that do not pass (sqlite.org/rescode.html)."""


class WrittenFile:
    """The connection to the file at `home`, or to the file that `runs` were rescued to.

    `path` is the file that is written now; `rescued` is its folder if it is a rescue file, else
    None. `remarks` are messages for the person at the end. `runs` is the recorder's own mapping,
    which other threads change. Its methods are for the recorder's thread.
    """

    def __init__(self, home: Path, durability: file.Durability, runs: Mapping[str, OwnRun]) -> None:
        self.home = home
        self.path = home
        self.rescued: Path | None = None
        self.remarks: list[str] = []
        self._durability = durability
        self._runs = runs
        self._torn: list[str] = []
        self._why = ""
        self._spoiled: Files | None = None
        self._home_at = 0.0
        self._fold_at = LOG_BYTES
        self._is_shut = False
        self.connection = self._connect(home)
        self._seen = look(home)

    @property
    def trouble(self) -> HistoryTrouble | None:
        """The other place of the runs, and the reason; None while they are at `home`."""
        if self.rescued is None:
            return None
        return HistoryTrouble(f"{self._rescued_to} ({self._why})", is_saved=True)

    @property
    def remedy(self) -> str | None:
        """The same as a sentence, with the command to see the runs; None while at `home`."""
        if self.rescued is None:
            return None
        saved = f"this run is saved in {self._rescued_to}, not in {self.home} ({self._why})"
        return f"{saved}; to see it: LFG_DATA_DIR={self.rescued} lfg history"

    @property
    def _rescued_to(self) -> str:
        lost = f", except parts of {', '.join(self._torn)}" if self._torn else ""
        return f"{self.rescued}{lost}"

    def save(self, some: Sequence[Batch]) -> Exception | None:
        """Commit the batches in one transaction, and check that the file is still there afterwards.

        Return the error if they are not saved; try again with the same batches. Those that were
        committed before their file was removed (`is_stored`) are not written twice.
        """
        try:
            self.follow()
            self._write(some)
            self.follow()
            self._fold_log()
        except Exception as error:
            if self._is_shut or not _is_lasting(error):
                return error
            try:
                self.rescue(some, str(error))
            except Exception as second:
                return second
        return None

    def follow(self) -> None:
        """Check that the file at the path is still the one that is written; otherwise change to it.

        Raises if that is not possible now.
        """
        if self._is_shut:
            self._reopen()
        try:
            now = look(self.path)
        except OSError:  # no permission or a failing disk: a commit reports it if it matters
            now = self._seen
        change = self._seen.change_to(now)
        if change is None:
            self._try_home()
            return
        if not self._runs and change is not Change.CONTENT:
            self._reopen()
            return
        try:
            if change is Change.FILE:
                if self._seen.keeps_index(now):
                    # SQLite would reset it for the new file, and this connection still uses it.
                    _drop_index(self.path)
                if self._seen.keeps_log(now):
                    _set_log_aside(self.path)  # SQLite would take it for the new file's log
                self._settle_in(self.path)
                what = f"{self.path} was deleted, moved or replaced while lfg was running"
                self._remark(what, "the file that is there now")
            elif change is Change.LOG:
                self._renew_log()
                self._remark(f"the write-ahead log of {self.path} was deleted or replaced")
            else:
                self._check()
                self._seen = now
        except (HistoryError, OSError, sqlite3.Error) as error:
            is_overwritten = change is Change.CONTENT
            # A file that another process writes to, and that cannot be checked now, may be sound.
            if self._is_shut or _is_busy(error) or (is_overwritten and not _is_lasting(error)):
                raise
            if change is not Change.FILE and self._seen.change_to(look(self.path)) is Change.FILE:
                self.follow()  # the file has been removed meanwhile
                return
            self._rescue(str(error), is_overwritten=is_overwritten)

    def claim(self) -> None:
        """Take the runs' leases beside the file that is written, if they are not held."""
        self._claim(self.path)

    def rescue(self, some: Sequence[Batch], why: str = "it could not be written") -> None:
        """Move the runs to a rescue file, and save the batches there. Raises if that fails, too."""
        self._rescue(why)
        self._write(some)

    def close(self) -> None:
        """Close the connection."""
        with suppress(sqlite3.Error):
            self.connection.close()

    def _claim(self, path: Path) -> None:
        for own in list(self._runs.values()):
            own.claim(path)

    def _write(self, some: Sequence[Batch]) -> None:
        """Commit the batches that are not stored yet, and note it in them and in the runs."""
        left = [batch for batch in some if not batch.is_stored]
        with file.transaction(self.connection):
            for batch in left:
                batches.write(self.connection, batch)
        for batch in left:
            batch.is_stored = True
            for state, entry, _ in batch.rows:
                state.stored_seq = entry.seq
            for state, spec in batch.requested:
                if (own := self._runs.get(state.run)) is not None:
                    own.tickets[state.ticket] = spec
                    own.states[state.ticket] = state
            for mark in batch.marks.values():
                if (own := self._runs.get(mark.run)) is not None:
                    own.mark = mark
        self._note_change()

    def _note_change(self, *, is_folded: bool = False) -> None:
        """Take this process's own change to the files as seen; a lost file is left to `follow`."""
        now = look(self.path)
        if self._seen.change_to(now) not in (Change.FILE, Change.LOG):
            # Commits write to the log alone, see `_fold_log`.
            self._seen = now if is_folded else now._replace(main=self._seen.main)

    def _fold_log(self) -> None:
        """Copy the log into the file once it is long.

        SQLite would do so within a commit. This way commits leave the file itself
        unchanged, so any change to it is another process's.
        """
        if self._seen.log_size < self._fold_at:
            return
        with suppress(sqlite3.Error):  # nothing is lost: the log still has all
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._note_change(is_folded=True)
        self._fold_at = self._seen.log_size + LOG_BYTES

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = file.connect(path, self._durability)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see `_fold_log`
        return connection

    def _settle_in(self, path: Path, *, is_overwritten: bool = False) -> None:
        """Copy the runs into the file at that path, and write that from now on.

        `is_overwritten`: another program wrote over the present file, which must not be closed.
        """
        connection = self._connect(path)
        try:
            seen = look(path)
            self._claim(path)
            with file.transaction(connection):
                copies = [
                    (own, *own_runs.copy(own, self.connection, connection))
                    for own in list(self._runs.values())
                ]
        except BaseException:
            connection.close()
            raise
        for own, keys, torn in copies:
            self._torn += torn
            for state, key in zip(own.states.values(), keys, strict=True):
                state.rowid = key
        if is_overwritten:
            _abandon(self.connection, self.path)
        else:
            self.connection.close()
        self.connection, self.path, self._is_shut = connection, path, False
        self._seen = seen
        self._note_change()

    def _renew_log(self) -> None:
        """Copy a log that has been deleted, but is open here, into the file, and start a new log.

        Raises if the file is gone, too; the connection then still reads what was in it.
        """
        (busy, _, _) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the log is in use")
        before = self._seen
        spare = file.plain(self.path, "ro&immutable=1")  # without its log: the file has all now
        try:
            if before.change_to(look(self.path)) is Change.FILE:
                raise HistoryError(f"{self.path} is gone")
            self._reopen()
            if before.change_to(self._seen) is Change.FILE:
                self.connection, self._seen, spare = spare, before, self.connection
                raise HistoryError(f"{self.path} is gone")
        finally:
            spare.close()
        self._check()

    def _reopen(self) -> None:
        """Close the connection and open another; `_is_shut` until that succeeds."""
        self._is_shut = True
        self.connection.close()
        self.connection = self._connect(self.path)
        self._is_shut = False
        self._seen = look(self.path)

    def _check(self) -> None:
        """Raise `HistoryError` unless a new connection finds a sound file with all that was
        committed."""
        file.check_unlogged(self.path)
        with closing(file.plain(self.path, "ro")) as db, file.opening(self.path):
            file.version_of(db, self.path)
            if self.path.stat().st_size <= CHECKED_BYTES:
                (result,) = db.execute("PRAGMA quick_check(1)").fetchone()
                if result != "ok":
                    raise HistoryError(f"it was overwritten or damaged ({result})")
            for own in list(self._runs.values()):
                if not all(_is_stored(db, state) for state in own.states.values()):
                    raise HistoryError("it was overwritten: this run is no longer in it")

    def _rescue(self, why: str, *, is_overwritten: bool = False) -> None:
        """Move the runs to a rescue file; raises `HistoryError` if none can be made."""
        error: Exception | None = None
        if self.rescued is None:
            self._spoiled = None
            with suppress(OSError):
                self._spoiled = look(self.home)
        for folder in self._rescue_folders():
            is_new = not folder.exists()
            try:
                self._settle_in(folder / self.home.name, is_overwritten=is_overwritten)
            except (HistoryError, OSError, sqlite3.Error) as refused:
                error = refused
                if is_new:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            self._why = why.removeprefix(f"{self.home}: ").removeprefix(f"{self.home} ")
            self.rescued = folder
            self._home_at = time.monotonic() + HOMING
            return
        raise HistoryError(f"{self.home}: {why}; it cannot be saved elsewhere either: {error}")

    def _rescue_folders(self) -> Sequence[Path]:
        """Return the folders to try, in order."""
        run = next(iter(self._runs), "run")
        beside = self.home.parent / "rescued" / run
        if self.rescued == beside:
            beside = beside.with_name(f"{run}-{time.time_ns()}")
        return [beside, Path(tempfile.gettempdir()) / f"lfg-{run}-{time.time_ns()}"]

    def _try_home(self) -> None:
        """Go back to the file at `home`, if that is possible again."""
        if self.rescued is None or time.monotonic() < self._home_at:
            return
        self._home_at = time.monotonic() + HOMING
        try:
            if self._spoiled and self._spoiled.change_to(look(self.home)) is not Change.FILE:
                return
            self._settle_in(self.home)
        except (HistoryError, OSError, sqlite3.Error):
            return
        self._remark(f"{self.home} could not be written for a while ({self._why})")
        self.rescued = None

    def _remark(self, what: str, where: str = "") -> None:
        """Add a remark: what happened, and in which file the runs are now."""
        done = f"{what}; this run is in {where or self.path}"
        if self._torn:
            done += f", but parts of {', '.join(self._torn)} are lost"
        if done not in self.remarks:
            self.remarks.append(done)


def _is_stored(db: sqlite3.Connection, state: TicketState) -> bool:
    """Return whether the file has all that was committed of the ticket."""
    own = "SELECT 1 FROM tickets WHERE id = ? AND run = ?"
    if db.execute(own, (state.rowid, state.run)).fetchone() is None:
        return False
    return state.stored_seq == 0 or any(stored(db, state.rowid, state.stored_seq))


def _is_lasting(error: Exception) -> bool:
    """Return whether waiting cannot help against the error."""
    code = _code(error)
    return isinstance(error, HistoryError) if code is None else code in _LASTING


def _is_busy(error: Exception) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: Exception) -> int | None:
    """Return the primary result code of SQLite in the error, if it has one."""
    cause = error.__cause__ if isinstance(error, HistoryError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _abandon(connection: sqlite3.Connection, path: Path) -> None:
    """Abandon a file that another program overwrote, without writing to it.

    SQLite copies the log into the file when the last connection is closed or the file is opened
    again. So the log is renamed, and the connection never closed: an extra reference keeps it
    (`SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE` comes with Python 3.12).
    """
    with suppress(OSError):
        _set_log_aside(path)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _set_log_aside(path: Path) -> None:
    """Rename the log, so that SQLite does not apply it to a file that it does not belong to."""
    log = file.log_of(path)
    log.rename(log.with_name(f"{log.name}.aside-{time.time_ns()}"))
    _drop_index(path)


def _drop_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
