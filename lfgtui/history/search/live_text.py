"""Live text: what is still streaming, in no index yet, and searched all the same.

There is little of it, a turn of each ticket that runs just now, so a history of
it alone is made in memory, and searched in the same way.
"""

import sqlite3
from contextlib import suppress

from lfgtui.errors import HistoryError
from lfgtui.history.storage import entries, file
from lfgtui.history.storage.batch import index
from lfgtui.history.storage.segments import OpenSegments

_LIVE = "id IN (SELECT ticket FROM entries)"
_COPIED = {"tickets": _LIVE, "runs": f"id IN (SELECT run FROM tickets WHERE {_LIVE})"}


def in_memory(stored: sqlite3.Connection) -> sqlite3.Connection:
    """Return the open segments, their tickets and runs in a database like the stored one."""
    memory = file.empty()
    for table, which in _COPIED.items():
        for row in stored.execute(f"SELECT * FROM {table} WHERE {which}"):
            marks = ",".join("?" * len(row))
            memory.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    for (ticket,) in memory.execute("SELECT id FROM tickets").fetchall():
        segments = OpenSegments()
        for row in stored.execute(
            "SELECT seq, attempt, at, body FROM entries WHERE ticket = ? ORDER BY seq", (ticket,)
        ):
            with suppress(HistoryError):  # another version's: what can be read is searched
                segments.apply(entries.entry("", "", row))
        for segment in segments.unfinished:
            index(memory, ticket, segment, entries_in=stored)
    return memory
