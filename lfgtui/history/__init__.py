"""The history: all that ever happened, in one local SQLite file.

`History` writes (`lfg run`), `Reader` reads (`lfg history`, `show`, `search`).
Any number of processes may do either at once.
"""

from lfgtui.history.health import Health, check_history
from lfgtui.history.reader import Reader, RunState, RunSummary, SearchHit, StoredTicket
from lfgtui.history.segments import Kind
from lfgtui.history.store import History
from lfgtui.history.writer import Writer

__all__ = [
    "Health",
    "History",
    "Kind",
    "Reader",
    "RunState",
    "RunSummary",
    "SearchHit",
    "StoredTicket",
    "Writer",
    "check_history",
]
