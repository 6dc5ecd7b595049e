"""A person's annotations of a run: a pin against pruning, and a note."""

from pathlib import Path

from lfgtui.errors import UsageError, no_run
from lfgtui.history.maintenance import orphaned_runs
from lfgtui.history.storage import file

NOTE_LENGTH = 2000
"""Characters of a note: a remark, no document."""


def pin(path: Path, run: str, pinned: bool) -> None:
    """Keep the run when old ones are pruned, or stop doing so; raises `UsageError` for no run."""
    _set(path, run, "pinned", int(pinned))


def annotate(path: Path, run: str, note: str) -> None:
    """Set the run's note, empty for none; raises `UsageError` for no run or too long a note."""
    note = note.encode(errors="replace").decode().strip()  # the shell may give half a letter
    if len(note) > NOTE_LENGTH:
        raise UsageError(f"the note has {len(note):,} characters; the limit is {NOTE_LENGTH:,}")
    _set(path, run, "note", note)


def _set(path: Path, run: str, column: str, value: int | str) -> None:
    with orphaned_runs.connected(path) as (db, _), file.transaction(db):
        if not db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, run)).rowcount:
            raise no_run(run)
