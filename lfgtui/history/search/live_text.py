"""Live text: what is still streaming, in no index yet, and searched all the same.

There is little of it, a turn of each ticket that runs just now, so tables of
the same form are made of it in memory, and searched in the same way.
"""

import json
import sqlite3

from lfgtui.errors import HistoryError
from lfgtui.history.storage import rows
from lfgtui.history.storage.batch import segment_row
from lfgtui.history.storage.segments import OpenSegments, Segment
from lfgtui.history.storage.values import text

_TABLES = """
CREATE TABLE runs (id PRIMARY KEY, title, note);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, run, name, state, provider, model);
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, ticket, attempt, first_seq, last_seq, kind, tool, file, at, text
);
CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segments', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
"""


def in_memory(stored: sqlite3.Connection) -> sqlite3.Connection:
    """Return the open segments and their tickets in a database like the stored one."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    memory.executescript(_TABLES)
    tickets = stored.execute(
        "SELECT id, run, name, state, provider, model FROM tickets"
        " WHERE id IN (SELECT DISTINCT ticket FROM entries)"
    ).fetchall()
    memory.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?)", tickets)
    names = json.dumps([text(run) for _, run, *_ in tickets])
    runs = stored.execute(
        "SELECT id, title, note FROM runs WHERE id IN (SELECT value FROM json_each(?))", (names,)
    )
    memory.executemany("INSERT INTO runs VALUES (?, ?, ?)", runs)
    for ticket, run, name, *_ in tickets:
        for segment in _open_segments(stored, ticket, run, name):
            row = segment_row(stored, ticket, segment)
            memory.execute("INSERT INTO segments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    memory.execute("INSERT INTO segments_fts (segments_fts) VALUES ('rebuild')")
    return memory


def _open_segments(stored: sqlite3.Connection, ticket: int, run: str, name: str) -> list[Segment]:
    segments = OpenSegments()
    for row in stored.execute(
        "SELECT seq, attempt, at, body FROM entries WHERE ticket = ? ORDER BY seq", (ticket,)
    ):
        try:
            segments.apply(rows.entry(run, name, row))
        except HistoryError:  # another version's: what can be read is searched
            continue
    return segments.unfinished
