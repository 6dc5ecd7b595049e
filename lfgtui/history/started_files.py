"""Tells when a tickets file was last run; asked before the first frame, so it imports little."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def last_started(history: Path, source: Path) -> float | None:
    """Return when a run of the file last began; None if never, or if that cannot be read."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{history.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        query = "SELECT max(started_at) FROM runs WHERE source = ?"
        (started,) = db.execute(query, (str(source),)).fetchone()
        if isinstance(started, float):
            return started
    return None
