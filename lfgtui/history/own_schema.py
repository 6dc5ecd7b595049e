"""A check that a history file holds only the schema that lfg makes.

Triggers, views, generated columns and CHECK expressions are code inside a file,
and SQLite runs it for whoever opens the file: a trigger can empty the history
when a run is saved, a view in place of a table can run for ever. So the SQL of
each object must be what lfg itself writes.

A plain table with another name is allowed: nothing runs for it, and `.recover`
of the sqlite3 program makes one.
"""

import re
import sqlite3
from collections.abc import Iterator

from lfgtui.history.migrations import CODE_INDEX, MIGRATIONS

_SCRIPTS = "".join((*MIGRATIONS, CODE_INDEX))
_TABLE = re.compile(r"CREATE TABLE ([\"'`\[]?)(\w+)[\"'`\]]?\s*\(")
_KINDS = re.compile(r"CREATE (?:TEMP |VIRTUAL |UNIQUE )?(TRIGGER|VIEW|INDEX|TABLE)\b")

# As FTS5 makes them (`sqlite3Fts5CreateTable` in ext/fts5/fts5_storage.c).
_SHADOWS = {
    "data": "(id INTEGER PRIMARY KEY, block BLOB)",
    "idx": "(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
    "docsize": "(id INTEGER PRIMARY KEY, sz BLOB)",
    "config": "(k PRIMARY KEY, v) WITHOUT ROWID",
}


def foreign_object(connection: sqlite3.Connection) -> str | None:
    """Return the first object that lfg did not make, as `a trigger lfg did not make: NAME`."""
    ours = _not_verbatim()
    own_names = {name for sql in ours if (name := _table_of(sql))}
    own_names |= {name for _, name in _TABLE.findall(_SCRIPTS)}
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_schema"):
        if sql is None or sql in ours:  # SQLite's own indexes have no text
            continue
        text = str(sql)
        if text.startswith("CREATE ") and f"{text};" in _SCRIPTS:
            continue
        table = _table_of(text)
        if table is not None and table not in own_names:
            continue
        kind = _KINDS.match(text)
        return f"{_noun(kind[1] if kind else 'object')} lfg did not make: {name!s:.80}"
    return None


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether the name is a plain table in this file, not one that computes rows."""
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return any(_table_of(str(sql)) == table for (sql,) in rows)


def _noun(kind: str) -> str:
    return f"{'an' if kind[0] in 'IO' else 'a'} {kind.lower()}"


def _table_of(sql: str) -> str | None:
    """Return the name of the plain table that the statement creates."""
    found = _TABLE.match(sql)
    return found[2].lower() if found else None


def _not_verbatim() -> set[str]:
    """Return the SQL that SQLite stores in another form than the scripts have it."""
    return {*_altered(), *_shadow_tables()}


def _altered() -> Iterator[str]:
    """Yield the SQL of each table after each ALTER TABLE, as SQLite rewrites it."""
    made = dict(re.findall(r"^CREATE TABLE (\w+) (\(.*?\n\));", _SCRIPTS, re.DOTALL | re.MULTILINE))
    for table, column in re.findall(r"^ALTER TABLE (\w+) ADD COLUMN (.*);", _SCRIPTS, re.MULTILINE):
        made[table] = f"{made[table][:-1]}, {column})"
        yield f"CREATE TABLE {table} {made[table]}"
    for old, new in re.findall(r"^ALTER TABLE (\w+) RENAME TO (\w+);", _SCRIPTS, re.MULTILINE):
        yield f'CREATE TABLE "{new}" {made[old]}'


def _shadow_tables() -> Iterator[str]:
    for index in re.findall(r"^CREATE VIRTUAL TABLE (\w+) USING fts5", _SCRIPTS, re.MULTILINE):
        for part, columns in _SHADOWS.items():
            yield f"CREATE TABLE '{index}_{part}'{columns}"
