"""Whether the history file is in order, found out without changing it."""

from pathlib import Path

import msgspec

from lfgtui.history import schema

CHECKED_BYTES = 256 * 1024 * 1024
"""A larger file is opened and not read through: that would take seconds."""


class Health(msgspec.Struct, frozen=True):
    """`damage` is SQLite's first complaint; None where there is none, or none was looked for."""

    size: int
    runs: int
    is_checked: bool
    damage: str | None


def check_history(path: Path) -> Health | None:
    """Open the file, count its runs and read it through; None where there is no file yet.

    Raises `HistoryError` where it cannot be opened.
    """
    with schema.opening(path):
        if not path.exists():
            return None
        size = path.stat().st_size
        connection = schema.connect_to_read(path)
        try:
            (runs,) = connection.execute("SELECT count(*) FROM runs WHERE id <> ''").fetchone()
            is_checked = size <= CHECKED_BYTES
            said = "ok"
            if is_checked:
                (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    return Health(size, int(runs), is_checked, None if said == "ok" else str(said))
