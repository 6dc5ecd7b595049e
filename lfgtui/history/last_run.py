"""The run that every command means by `last`."""

import sqlite3
from pathlib import Path

from lfgtui.errors import UsageError

WITHIN = """EXISTS (
    SELECT 1 FROM tickets t WHERE t.run = r.id AND substr(
        CASE WHEN json_valid(t.spec) THEN json_extract(t.spec, '$.workspace') END || '/',
        1, length(?)) = ?
)"""
"""SQL condition for a run `r` with a ticket in a folder or below; its two values are the folder's
path with a slash at the end."""

# The id of the newest run in a folder; and of the newest run of all, with the folder of its first
# ticket.
_NEWEST_IN = (
    f"SELECT r.id FROM runs r WHERE r.id <> '' AND {WITHIN}"
    " ORDER BY r.started_at DESC, r.id DESC LIMIT 1"
)
_NEWEST = (
    "SELECT id, (SELECT CASE WHEN json_valid(spec) THEN json_extract(spec, '$.workspace') END"
    " FROM tickets WHERE run = runs.id ORDER BY position LIMIT 1)"
    " FROM runs WHERE id <> '' ORDER BY started_at DESC, id DESC LIMIT 1"
)


def find_last_run(connection: sqlite3.Connection) -> str:
    """Return the newest run in this folder's repository or, outside a repository, in this folder.

    The newest run of all may be another project's, which must not be changed by mistake. Raises
    `UsageError` if there is none.
    """
    top = _top()
    found = connection.execute(_NEWEST_IN, (f"{str(top).rstrip('/')}/",) * 2).fetchone()
    if found is not None:
        return str(found[0])
    if (newest := connection.execute(_NEWEST).fetchone()) is None:
        raise UsageError("no runs yet; `lfg run` or `lfg demo` makes the first")
    run, workspace = newest
    where = f", in {workspace}" if workspace else ""
    raise UsageError(f"no run has worked in {top}; the newest elsewhere is {run}{where}")


def _top() -> Path:
    """Return the top of the current folder's repository, or the current folder outside one."""
    try:
        here = Path.cwd()
    except OSError as error:
        raise UsageError(f"the current folder cannot be read: {error.strerror}") from None
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
