"""Adds entries to runs that are over, about what was done with their work afterwards."""

from collections.abc import Sequence
from pathlib import Path

from lfgtui.history import orphaned_runs
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file
from lfgtui.history.storage.runs import load
from lfgtui.model import events as e
from lfgtui.model.clock import now


def add_late(path: Path, run: str, ticket: str, event: e.Event) -> Sequence[e.Entry]:
    """Add the event to a ticket; return its entry, or none if the history has no such ticket.

    The caller must hold the run's lease (`storage/leases.py`). The run's state does not change,
    not even for a moment, so a kill leaves no orphaned run. Raises `HistoryError`.
    """
    if not path.exists():
        return ()
    with orphaned_runs.connected(path) as (db, _), file.transaction(db):
        state = next((one for one in load(db, run) if one.ticket == ticket), None)
        if state is None:
            return ()
        batch = batches.make([batches.submission(state, state.attempt, now(), event)])
        batches.write(db, batch)
    return [entry for _, entry, _ in batch.rows]
