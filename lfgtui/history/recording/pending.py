"""Events submitted to the recorder and not yet handed back."""

import threading
from concurrent.futures import Future
from typing import NamedTuple, TypeAlias

from lfgtui.history.storage.batch import Batch, RunMark, Submission

PENDING_BYTES = 8 * 1024 * 1024
"""More than this on its way to the disk holds back whoever reads from a socket."""

PENDING_EVENTS = 1000
"""As many events do the same. Each takes up to 0.1 ms to write, however small it is, and
what another ticket says meanwhile is written after them."""


class Barrier(NamedTuple):
    """A place in the queue. `saved`: wait for the commit even where history is behind."""

    saved: bool
    done: Future[bool]


Item: TypeAlias = Submission | RunMark | Barrier


class Pending:
    """A queue from any thread to the recorder's, and its measure."""

    def __init__(self) -> None:
        self.size = 0
        self._events = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._items: list[Item] = []

    @property
    def is_full(self) -> bool:
        """True while there is too much of it."""
        return self._events > PENDING_EVENTS or self.size > PENDING_BYTES

    def put(self, item: Item) -> bool:
        """Append, without waiting; return False once the queue is closing."""
        with self._changed:
            if self._is_closing:
                return False
            self._items.append(item)
            if isinstance(item, Submission):
                self._events += 1
                self.size += item.size
            self._changed.notify_all()
            return True

    def take(self, seconds: float, *, or_closing: bool) -> tuple[list[Item], bool]:
        """Return all that is queued, after so many seconds at most if there is nothing.

        The second value is True if nothing more can come.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._items or (or_closing and self._is_closing), seconds
            )
            items, self._items = self._items, []
            return items, self._is_closing

    def note_delivery(self, batch: Batch) -> None:
        """Count no longer what is in the batch."""
        with self._changed:
            self._events -= batch.submitted
            self.size -= batch.size

    def close(self) -> None:
        """Take nothing more in."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def end(self) -> list[Item]:
        """Return what nobody will take after `close`; nobody need hold back for it."""
        self.close()
        items, _ = self.take(0.0, or_closing=True)
        self._events = self.size = 0
        return items
