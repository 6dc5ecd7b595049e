"""The index for `lfg search --code`: optional, since it takes two thirds of the text's room.

Without it every segment is looked through, a third of a second at a million
events. It lists which segments hold which three characters in a row, without
their places (`detail=none`): what holds all trigrams of the text is then looked
at itself. Triggers keep it up, so that whoever writes need not know of it.

It is built from the newest segment back, a little at a time, so that runs that
go on need not wait; `code_index.built_from` says how far it came.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from lfgtui.history import schema
from lfgtui.history.migrations import CODE_INDEX, statements

SHORTEST = 3
"""Characters that a text must have for the index to know it."""

_AT_ONCE = 500
_TRIGRAMS = 64


def build(path: Path) -> None:
    """Make the index, or go on where a build was broken off."""
    from lfgtui.history import dead_runs  # a search has no use for it

    with dead_runs.connected(path) as db:
        with schema.transaction(db):
            if _built_from(db) is None:
                for statement in statements(CODE_INDEX):
                    db.execute(statement)
        while _build_some(db):
            pass


def drop(path: Path) -> None:
    """Take the index away."""
    from lfgtui.history import dead_runs

    with dead_runs.connected(path) as db, schema.transaction(db):
        for trigger in ("segments_code_insert", "segments_code_delete"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for table in ("segments_code", "code_index"):
            db.execute(f"DROP TABLE IF EXISTS {table}")


def exists(path: Path) -> bool:
    """Whether there is one, whole or not."""
    with closing(schema.connect_to_read(path)) as db, schema.opening(path):
        return _built_from(db) is not None


def is_whole(db: sqlite3.Connection) -> bool:
    """Whether there is an index, and all segments are in it."""
    return _built_from(db) == 0


def expression(text: str) -> str | None:
    """What the index is asked for segments that may hold the text; None where it cannot tell."""
    if len(text) < SHORTEST or "\0" in text:
        return None
    trigrams = dict.fromkeys(text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1))
    quoted = ('"' + trigram.replace('"', '""') + '"' for trigram in trigrams)
    return " AND ".join([word for word, _ in zip(quoted, range(_TRIGRAMS), strict=False)])


def _built_from(db: sqlite3.Connection) -> int | None:
    """The id of the oldest segment that is indexed, 0 for all of them; None without an index."""
    known = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'code_index'").fetchone()
    if known is None:
        return None
    (built_from,) = db.execute("SELECT built_from FROM code_index").fetchone()
    return int(built_from)


def _build_some(db: sqlite3.Connection) -> bool:
    """Index the next older segments; whether there were any."""
    with schema.transaction(db):
        built_from = _built_from(db)
        if not built_from:  # done, or dropped meanwhile
            return False
        (first,) = db.execute(
            "SELECT min(id) FROM (SELECT id FROM segments WHERE id < ? ORDER BY id DESC LIMIT ?)",
            (built_from, _AT_ONCE),
        ).fetchone()
        if first is not None:  # in ascending order, or FTS5 would write each by itself
            db.execute(
                "INSERT INTO segments_code (rowid, text)"
                " SELECT id, text FROM segments WHERE id >= ? AND id < ? ORDER BY id",
                (first, built_from),
            )
        db.execute("UPDATE code_index SET built_from = ?", (first or 0,))
        return first is not None
