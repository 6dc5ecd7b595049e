"""Opens the history file: checks that it is one, migrates its schema, explains errors.

`orphaned_runs.connected` is what code that writes should use; it calls `connect`.
"""

import fcntl
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from lfgtui.errors import HistoryError, too_many_files
from lfgtui.history.storage import leases, migrations
from lfgtui.history.storage.values import DamagedError, decode
from lfgtui.text.terminal_safe import visible_line

APPLICATION_ID = 0x6C66_6774
"""`lfgt` in ASCII, in the file's header: distinguishes our file from another program's."""

REPAIR = "`lfg history repair NEW_FILE` saves what can be read"
DAMAGED = f"it is damaged; {REPAIR}"

Durability: TypeAlias = Literal["process", "power"]
"""The event that a commit survives: the end of the process, or a power failure as well.

In WAL mode SQLite's `synchronous = NORMAL` hands a commit to the system, `FULL`
waits for the disk (sqlite.org/pragma.html#pragma_synchronous).
"""

# SQLite's messages for damage without an error code of its own, in a file of lfg's.
_UNREADABLE = re.compile(r"no such (?:table|column)|malformed")
_NO_TEXT = f"some of its text is not valid UTF-8: {DAMAGED}"
_ELSEWHERE = "move it away or set LFG_DATA_DIR to another folder"
_IN_USE = "another program is using it; close that program"
_REMEDIES = {
    sqlite3.SQLITE_NOTADB: f"not an lfg history; {_ELSEWHERE}",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_IOERR: "check that its disk has room and works",
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
}

BUSY_SECONDS = 10.0
"""Seconds that a connection waits for another process's transaction."""

PAGE = 8192
"""Bytes of a page; segments, of half a kilobyte to a few, fill it well."""


def connect(path: Path, durability: Durability = "process") -> sqlite3.Connection:
    """Connect to write; make the file if it is missing, and migrate it if its schema is old.

    Raises `HistoryError` if the file is not an lfg history, is a newer lfg's, or
    cannot be opened.
    """
    with opening(path):
        _refuse_folder(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            make(path)
            connection, version = _checked(path, "rw")  # before anything is written to it
            try:
                _prepare(connection, durability)
                _migrate(connection, path, version)
                connection.execute("PRAGMA foreign_keys = ON")
            except BaseException:
                connection.close()
                raise
    connection.text_factory = decode  # so that one invalid text does not prevent reading others
    return connection


def _prepare(connection: sqlite3.Connection, durability: Durability) -> None:
    """Set what a connection that writes needs."""
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
    connection.execute(f"PRAGMA page_size = {PAGE}")  # has an effect on an empty file only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
    if durability == "power":  # for macOS, whose fsync does not flush the disk's cache
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect read-only, or to an empty history in memory if there is no file yet.

    A file with an old schema is migrated first.
    """
    with opening(path):
        _refuse_folder(path)
        if not path.exists() or path.stat().st_size == 0:
            return empty()
        connection, version = _read_only(path)
        if version != len(migrations.MIGRATIONS):
            connection.close()
            if version == 0:  # another process is making it at this moment
                return empty()
            connect(path).close()
            connection = plain(path, "ro")
        connection.text_factory = decode
        return connection


def _read_only(path: Path) -> tuple[sqlite3.Connection, int]:
    """Connect read-only, also in a folder where nothing can be written."""
    try:
        return _checked(path, "ro")
    except sqlite3.OperationalError:
        # SQLite needs a shared-memory file beside it. If that cannot be made and the log is empty,
        # nobody is writing, so the file can be read as immutable.
        log = log_of(path)
        if os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        return _checked(path, "ro&immutable=1")


def _checked(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    """Connect to a file that must be an lfg history; return also the number of its schema."""
    connection = plain(path, mode)
    try:
        return connection, version_of(connection, path)
    except BaseException:
        connection.close()
        raise


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into a `HistoryError` of one clear line."""
    try:
        yield
    except DamagedError as error:
        raise HistoryError(f"{path}: {error}: {DAMAGED}") from None
    except sqlite3.Error as error:
        raise HistoryError(explain(path, error)) from error
    except UnicodeDecodeError as error:  # SQLite quotes the file in its message
        raise HistoryError(f"{path}: {_NO_TEXT}") from error
    except OSError as error:
        if (reason := too_many_files(error)) is not None:
            raise HistoryError(f"{path}: the history cannot be opened: {reason}") from error
        reason = error.strerror or str(error)
        raise HistoryError(
            f"{path}: the history cannot be opened: {reason}; "
            "set LFG_DATA_DIR to a folder you can write to"
        ) from error


def explain(path: Path, error: sqlite3.Error) -> str:
    """Return a message with the file's path, the error and a remedy."""
    if str(error).startswith("Could not decode"):  # its message goes on with the whole text
        return f"{path}: {_NO_TEXT}"
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    remedy = _REMEDIES.get(primary, "check that the file and its folder can be written")
    if primary == sqlite3.SQLITE_ERROR and _UNREADABLE.search(str(error)):
        remedy = DAMAGED
    return f"{path}: {error}: {remedy}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit the statements of the body, all or none; take the write lock at its beginning."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back itself, as for a full disk
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all queries of the body see the same state of the file; may be nested."""
    is_outermost = not connection.in_transaction
    if is_outermost:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        if is_outermost and connection.in_transaction:  # SQLite may have ended it after an error
            connection.execute("COMMIT")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time open the file: SQLite does not wait for a change to WAL mode."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise HistoryError(f"{path} is a folder; {_ELSEWHERE}")


def make(path: Path) -> None:
    """Make an empty file that only its owner may use, unless there is one.

    An existing file is not even opened: closing any handle of a file drops all
    locks of this process on it, also those of its SQLite connections, and then
    another process may remove the write-ahead log that these use
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def log_of(path: Path) -> Path:
    """Return the path of the file's write-ahead log, which exists until the last writer closes."""
    return path.with_name(f"{path.name}-wal")


def plain(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to the file without checking or migrating it; `mode` as in SQLite's URIs.

    SQLite trusts neither its pages nor its schema, since it may be another program's.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def empty() -> sqlite3.Connection:
    """Return an empty history in memory, with the newest schema."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for script in migrations.MIGRATIONS:
        connection.executescript(script)
    return connection


def check_unlogged(path: Path) -> None:
    """Raise `HistoryError` if the file without its write-ahead log is another program's.

    While another lfg copies the log into the file, SQLite calls the file alone corrupt, since its
    first page counts pages that are still missing. That is no error here.
    """
    with opening(path), closing(plain(path, "ro&immutable=1")) as connection:
        try:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT:
                return
            raise
        if owner != APPLICATION_ID:
            version_of(connection, path)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of migrations applied; raise `HistoryError` if the file is another
    program's, a newer lfg's, or has objects that lfg did not make."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or version or tables):
        raise HistoryError(f"{path} is another program's database; {_ELSEWHERE}")
    if version > len(migrations.MIGRATIONS):
        raise HistoryError(
            f"{path} was written by a newer lfg (schema {version}, this one knows "
            f"{len(migrations.MIGRATIONS)}); update lfg or set LFG_DATA_DIR to another folder"
        )
    if (foreign := migrations.foreign_object(connection)) is not None:
        raise HistoryError(
            f"{path} contains {visible_line(foreign)}, so it is not opened;"
            " `lfg history repair NEW_FILE` saves the runs without it"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Apply the missing migrations, all or none, after a backup; the caller holds `_alone`."""
    newest = len(migrations.MIGRATIONS)
    if version == newest:
        return
    if version:
        _refuse_under_others(path)
        _back_up(connection, path.with_name(f"{path.name}.schema-{version}"))
    with transaction(connection):
        for script in migrations.MIGRATIONS[version:]:
            for statement in migrations.statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")


def _refuse_under_others(path: Path) -> None:
    """Raise `HistoryError` while an older lfg runs: it could not write the new schema."""
    locks = path.parent / "locks"
    for run in leases.left_behind(locks):
        with leases.held(locks, run) as is_dead:
            if not is_dead:
                raise HistoryError(
                    f"{path}: run {run} is in progress in an older lfg; start again when it"
                    " has ended"
                )


def _back_up(connection: sqlite3.Connection, copy: Path) -> None:
    """Keep a copy of the file, since an older lfg cannot read the new schema."""
    if copy.exists():  # from a migration that failed, or that a person undid
        return
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    make(unfinished)
    with closing(sqlite3.connect(unfinished)) as target:
        connection.backup(target)
    unfinished.rename(copy)
