"""The history: all that ever happened, in one local SQLite file.

`History` writes (`lfg run`), `Reader` reads (`lfg history`, `show`), `search`
finds. Any number of processes may do either at once. Each name is imported
when it is used: to search needs little of what to write does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lfgtui.history.reader import Reader, RunState, RunSummary, StoredTicket
    from lfgtui.history.search.search import SearchHit
    from lfgtui.history.store import History
    from lfgtui.history.writer import Writer

_HOMES = {
    "History": "store",
    "Reader": "reader",
    "RunState": "reader",
    "RunSummary": "reader",
    "SearchHit": "search.search",
    "StoredTicket": "reader",
    "Writer": "writer",
}

__all__ = [
    "History",
    "Reader",
    "RunState",
    "RunSummary",
    "SearchHit",
    "StoredTicket",
    "Writer",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
