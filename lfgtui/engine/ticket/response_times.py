"""The time from the arrival of a response's content until it is in the history, and on the screen.

It is measured once a response, at its first content, so that it costs nothing per token.
"""

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.model import events as e
from lfgtui.model.clock import now


class ResponseTimes:
    """The times of one ticket's running response, for the event that ends it."""

    def __init__(self) -> None:
        self._is_due = False
        """True from a request to the first content of its response."""
        self._unpainted: float | None = None
        """When the first content came, until a frame shows it."""
        self._commit: float | UnsetType = UNSET
        """Seconds from the content's arrival to its commit; `_paint`: to the frame."""
        self._paint: float | UnsetType = UNSET

    def apply(self, entry: e.Entry) -> None:
        """Note an entry that was delivered now."""
        if isinstance(entry.event, e.TurnBegun):
            self._is_due, self._unpainted = isinstance(entry.event, e.RequestSent), None
            self._commit = self._paint = UNSET
        elif self._is_due and entry.event.facets.is_generated:
            self._is_due, self._unpainted = False, entry.at
            if entry.saved:
                self._commit = _since(entry.at)

    def painted(self) -> None:
        """Note that a frame shows all that was delivered so far."""
        if self._unpainted is not None:
            self._paint, self._unpainted = _since(self._unpainted), None

    def added_to(self, event: e.Event) -> e.Event:
        """Return the event; if it ends a response, with the times that are known."""
        if isinstance(event, e.ResponseFinished):
            return msgspec.structs.replace(event, commit=self._commit, paint=self._paint)
        return event


def _since(at: float) -> float:
    return round(max(0.0, now() - at), 3)
