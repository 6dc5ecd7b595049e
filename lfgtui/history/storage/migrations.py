"""Tables of the history file, and a check that a file has only objects that lfg made.

An event is stored in `entries`, as the JSON of `model/event_json.py`, from the
moment it happens until its turn is over. A `segment` is a finished text (as an
answer between two tool calls): it is joined from the entries when it ends, and
FTS5 indexes it, as external content. At the end of a turn its entries are moved
into a `pack`, which refers to stretches of the segments for their text. So no
text remains stored twice, and search finds what was shown.

`hand_outs` has the tickets given to workers on other machines: the highest fence of each, and
whether a worker has it now. The entries of such a ticket have the worker's numbers.

Triggers, views, generated columns and CHECK expressions are code inside a file,
and SQLite runs it in any process that opens the file: a trigger can empty the
history when a run is saved, a view instead of a table can be endless. So each
object of a file must be one that the migrations make. Other plain tables are
allowed: nothing runs for them, and `.recover` of the sqlite3 program makes one.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache

_FIRST = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT,
    started_at REAL NOT NULL,
    ended_at REAL,
    pinned INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT ''
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
    PRIMARY KEY (ticket, seq)
) WITHOUT ROWID;

CREATE TABLE segments (
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
CREATE INDEX segments_by_ticket ON segments (ticket, first_seq);
CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segments', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);

-- `id` is the ticket's, shifted by 32 bits, plus the first entry's seq.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
"""

_HAND_OUTS = """
CREATE TABLE hand_outs (
    run TEXT NOT NULL,
    ticket TEXT NOT NULL,
    fence INTEGER NOT NULL,
    is_out INTEGER NOT NULL,
    PRIMARY KEY (run, ticket)
) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _HAND_OUTS)
"""Applied in order, once each. A released migration must not be edited: add another one."""

# The beginning of a plain table's SQL, as in: CREATE TABLE "runs" (
_TABLE = re.compile(r"CREATE TABLE ([\"'`\[]?)(\w+)[\"'`\]]?\s*\(")


def statements(script: str) -> Iterator[str]:
    """Yield the script's statements; `executescript` would commit the transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def foreign_object(connection: sqlite3.Connection) -> str | None:
    """Describe the first object that lfg did not make, as in `a trigger lfg did not make: NAME`.

    Return None if there is none.
    """
    ours = _objects(MIGRATIONS)
    own_names = {name for name, _ in ours}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        if sql is None or (str(name).lower(), sql) in ours:  # SQLite's own indexes have no text
            continue
        table = _table_of(str(sql))
        if table is None or table in own_names:
            return f"a{'n' * (kind == 'index')} {kind!s:.10} lfg did not make: {name!s:.80}"
    return None


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether the file has a plain table of this name: no view, no virtual table."""
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return any(_table_of(str(sql)) == table for (sql,) in rows)


@cache
def _objects(migrations: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """Return name and SQL of each object that a file may have, with any number of migrations."""
    objects: set[tuple[str, str]] = set()
    with closing(sqlite3.connect(":memory:")) as db:
        for script in migrations:
            db.executescript(script)
            objects.update(
                db.execute("SELECT lower(name), sql FROM sqlite_schema WHERE sql IS NOT NULL")
            )
    return frozenset(objects)


def _table_of(sql: str) -> str | None:
    """Return the name of the plain table that the statement creates; None if it does not."""
    match = _TABLE.match(sql)
    return match[2].lower() if match else None
