r"""The history file: its tables, how they came to be, and how it is opened.

An event is stored in `entries`, as the JSON it is everywhere else, from the
moment it happens until the turn it belongs to is over. A `segment` is a
finished run of text (an answer between two tool calls, say): its text is
joined out of the entries when it ends, and FTS5 indexes it there, as external
content. At the end of a turn its entries go into a `pack`, which counts their
text off from the segments. So in the end no text is stored twice, and what is
found is what was shown.

Two spots look odd and are not. SQLite's JSON ends a string at `\u0000`, so the
views read it as `\u2400`, the picture of a NUL (as text of equal length it
keeps every other escape valid). And a tool call's arguments are indexed leaf
by leaf: as JSON text, the `\n` before `main` would make the word `nmain`.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from lfgtui.errors import HistoryError

APPLICATION_ID = 0x6C66_6774
"""`lfgt` in ASCII, in the file's header: tells our file from another program's."""

DAMAGED = "it is damaged; `lfg history repair NEW_FILE` saves what can be read"

Durability: TypeAlias = Literal["process", "power"]
"""What a commit survives: the end of the process, or of the power as well.

In WAL mode SQLite's NORMAL hands a commit to the system, FULL waits for the
disk (sqlite.org/pragma.html#pragma_synchronous).
"""

BUSY_SECONDS = 10.0
"""How long a connection waits for another process's transaction."""

_FIRST = r"""
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT,
    started_at REAL NOT NULL,
    ended_at REAL
);
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_state ON runs (state);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    provider TEXT,
    model TEXT,
    cost REAL,
    started_at REAL,
    ended_at REAL,
    UNIQUE (run, name)
);

CREATE TABLE entries (
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    type TEXT GENERATED ALWAYS AS (json_extract(body, '$.type')) VIRTUAL,
    PRIMARY KEY (ticket, seq)
) WITHOUT ROWID;

CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    attempt INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    call TEXT,
    at REAL NOT NULL
);

CREATE VIEW pieces AS
SELECT ticket, seq, type, json_extract(body, '$.call_id') AS call,
    CASE type
        WHEN 'text_delta' THEN 'text'
        WHEN 'reasoning_delta' THEN 'reasoning'
        WHEN 'user_message' THEN 'prompt'
        WHEN 'tool_call_started' THEN 'tool_call'
        WHEN 'tool_arguments_delta' THEN 'tool_call'
        WHEN 'tool_call_requested' THEN 'tool_call'
        WHEN 'tool_output_delta' THEN 'tool_output'
        WHEN 'tool_call_finished' THEN 'tool_output'
        WHEN 'hosted_tool' THEN iif(json_extract(body, '$.output') = '', 'tool_call', 'tool_output')
        ELSE 'error'
    END AS kind,
    CASE type
        WHEN 'tool_call_started' THEN json_extract(body, '$.name') || char(10)
        WHEN 'tool_arguments_delta' THEN replace(replace(replace(
            json_extract(body, '$.json'), '\n', char(10)), '\t', char(9)), '\"', '"')
        WHEN 'tool_call_requested' THEN json_extract(body, '$.name') || coalesce((
            SELECT group_concat(leaf, '') FROM (
                SELECT char(10) || iif(typeof(key) = 'text' AND fullkey <> '$.arguments',
                    key || ': ', '') || atom AS leaf
                FROM json_tree(body, '$.arguments') WHERE atom IS NOT NULL ORDER BY id)), '')
        WHEN 'tool_call_finished' THEN json_extract(body, '$.output') || iif(
            instr(json_extract(body, '$.output'), coalesce(json_extract(body, '$.error'), '')), '',
            char(10) || json_extract(body, '$.error'))
        WHEN 'hosted_tool' THEN json_extract(body, '$.name') || char(10)
            || json_extract(body, '$.input') || char(10) || json_extract(body, '$.output')
        WHEN 'retrying' THEN json_extract(body, '$.reason')
        WHEN 'ticket_blocked' THEN json_extract(body, '$.reason')
        WHEN 'ticket_failed' THEN json_extract(body, '$.message')
        WHEN 'guard_tripped' THEN json_extract(body, '$.message')
        ELSE json_extract(body, '$.text')
    END AS text
FROM (SELECT ticket, seq, type, replace(body, '\u0000', '\u2400') AS body FROM entries);

-- A call's live output and the output the model was told are mostly one inside
-- the other; then the longer one stands for both.
CREATE VIEW segment_text AS
SELECT id,
    CASE
        WHEN told IS NULL THEN coalesce(streamed, '')
        WHEN instr(told, rtrim(coalesce(streamed, ''), char(10, 13, 32))) THEN told
        WHEN instr(streamed, rtrim(told, char(10, 13, 32))) THEN streamed
        ELSE streamed || char(10) || told
    END AS text
FROM (
    SELECT s.id AS id,
        (SELECT group_concat(text, '') FROM (
            SELECT p.text FROM pieces p
            WHERE p.ticket = s.ticket AND p.seq BETWEEN s.first_seq AND s.last_seq
                AND p.kind = s.kind AND p.type <> 'tool_call_finished'
                AND (s.call IS NULL OR p.call = s.call)
            ORDER BY p.seq)) AS streamed,
        (SELECT p.text FROM pieces p
            WHERE p.ticket = s.ticket AND p.seq = s.last_seq
                AND p.type = 'tool_call_finished') AS told
    FROM segments s);

CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segment_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
"""

_PACKS = r"""
CREATE TABLE whole_segments (
    id INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    attempt INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tool TEXT,
    file TEXT,
    at REAL NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO whole_segments
SELECT s.id, s.ticket, s.attempt, s.first_seq, s.last_seq, s.kind,
    iif(s.kind = 'tool_call', substr(v.text, 1, instr(v.text || char(10), char(10)) - 1), NULL),
    NULL, s.at, v.text
FROM segments s JOIN segment_text v ON v.id = s.id ORDER BY s.id;
DROP VIEW segment_text;
DROP TABLE segments_fts;
DROP TABLE segments;
ALTER TABLE whole_segments RENAME TO segments;
CREATE INDEX segments_by_ticket ON segments (ticket, first_seq);
CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segments', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO segments_fts (segments_fts) VALUES ('rebuild');

-- `id` is the ticket's, shifted by 32 bits, plus the first entry's seq.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
"""

_MARKS = """
ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
"""

PAGE = 8192
"""Bytes of a page: segments of half a kilobyte to some fill it well."""

MIGRATIONS: tuple[str, ...] = (_FIRST, _PACKS, _MARKS)
"""Applied in order, once each; never edited after a release, only added to."""


def connect(path: Path, durability: Durability = "process") -> sqlite3.Connection:
    """A connection that may write: the file made where missing, its schema up to date.

    Raises `HistoryError` where the file is no lfg history, is a newer lfg's,
    or cannot be opened.
    """
    with opening(path):
        _refuse_folder(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            make(path)
            connection = plain(path, "rw")
            try:
                connection.execute(f"PRAGMA page_size = {PAGE}")  # heard by an empty file only
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection, path)
            except BaseException:
                connection.close()
                raise
        _make_durable(connection, durability)
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection; to an empty history where there is no file yet."""
    with opening(path):
        _refuse_folder(path)
        if not path.exists() or path.stat().st_size == 0:
            return _empty()
        connection = plain(path, "ro")
        try:
            try:
                version = _version(connection, path)
            except sqlite3.OperationalError:
                if not _is_at_rest(path):
                    raise
                connection.close()
                connection = plain(path, "ro&immutable=1")
                version = _version(connection, path)
        except BaseException:
            connection.close()
            raise
        if version == len(MIGRATIONS):
            return connection
        connection.close()
        if version == 0:  # another process is making it just now
            return _empty()
        connect(path).close()
        return plain(path, "ro")


def _make_durable(connection: sqlite3.Connection, durability: Durability) -> None:
    if durability == "process":
        connection.execute("PRAGMA synchronous = NORMAL")
        return
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: its fsync stops at the disk's own cache
    connection.execute("PRAGMA checkpoint_fullfsync = ON")


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turns what SQLite and the file system raise into one clear line."""
    try:
        yield
    except sqlite3.Error as error:
        raise HistoryError(explain(path, error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise HistoryError(
            f"{path}: the history cannot be opened: {reason}; "
            "set LFG_DATA_DIR to a folder you can write to"
        ) from error


def explain(path: Path, error: sqlite3.Error) -> str:
    """What is wrong with the file, where, and what to do about it."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match primary:
        case sqlite3.SQLITE_NOTADB:
            remedy = "it is no lfg history; move it away or set LFG_DATA_DIR to another folder"
        case sqlite3.SQLITE_CORRUPT:
            remedy = DAMAGED
        case sqlite3.SQLITE_FULL:
            remedy = "free some space on its disk"
        case sqlite3.SQLITE_IOERR:
            remedy = "check that its disk has room and is in order"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            remedy = "another program holds it; close that program"
        case _:
            remedy = "check that the file and its folder can be written"
    return f"{path}: {error}: {remedy}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; takes the write lock at once, so it never fails half-way for it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One opener at a time: changing to WAL and migrating cannot wait for each other."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise HistoryError(f"{path} is a folder; move it away or set LFG_DATA_DIR to another one")


def _is_at_rest(path: Path) -> bool:
    """Whether nobody can be writing it: a copy in a folder that is read-only, log and all.

    Reading takes a shared-memory file beside it, which cannot be made there.
    """
    log = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)


def make(path: Path) -> None:
    """The empty file, for its owner alone, where there is none.

    An existing one is not even opened: to close any handle of a file drops
    all the locks this process has on it, those of its SQLite connections
    too, and then another process may take the write-ahead log from under
    them (sqlite.org/howtocorrupt.html, 2.2).
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def plain(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to the file as it is: nothing is checked, nothing brought up to date."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for script in MIGRATIONS:
        connection.executescript(script)
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The number of migrations applied; refuses a file that is not ours or too new."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or version or tables):
        raise HistoryError(
            f"{path} is another program's database; "
            "move it away or set LFG_DATA_DIR to another folder"
        )
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"{path} was written by a newer lfg (schema {version}, this one knows "
            f"{len(MIGRATIONS)}); update lfg or set LFG_DATA_DIR to another folder"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if version == len(MIGRATIONS):
        return
    from lfgtui.history.seals import seal_all  # not for those who only read

    if version:
        _back_up(connection, path.with_name(f"{path.name}.schema-{version}"))
    with transaction(connection):
        version = _version(connection, path)
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        seal_all(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _back_up(connection: sqlite3.Connection, copy: Path) -> None:
    """The file as it is, beside it: a new schema is one way."""
    if copy.exists():  # made by one that did not come further, or that went back by hand
        return
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    make(unfinished)
    with closing(sqlite3.connect(unfinished)) as target:
        connection.backup(target)
    unfinished.rename(copy)


def _statements(script: str) -> Iterator[str]:
    """The script's statements; `executescript` would commit our transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
