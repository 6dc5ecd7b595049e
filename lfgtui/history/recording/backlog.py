"""Queues of the recorder: events to be written, and batches that could not be written yet."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lfgtui.errors import HistoryError
from lfgtui.history.recording.written_file import WrittenFile
from lfgtui.history.storage import file
from lfgtui.history.storage.batch import Batch, HandOut, RequestedTickets, RunMark, Submission
from lfgtui.model.fold.metrics import HistoryTrouble

_log = logging.getLogger(__name__)

PENDING_BYTES = 8 * 1024 * 1024
"""With more bytes than this in the queue it is full: code that reads from sockets should wait."""

PENDING_EVENTS = 1000
"""With more events than this, too. Each takes up to 0.1 ms to write, however small it is, and
later events of other tickets wait for it."""

PATIENCE = 0.25
"""Seconds without a commit after which the history counts as behind."""

RETRY = 0.25
"""Seconds between two tries to save the backlog."""

BUSY_EVENTS, BUSY_REST = 16, 0.025
"""After more than BUSY_EVENTS events at once, the next are collected for BUSY_REST seconds.

So many come from many tickets. An entry costs as much for a word as for a line, and events that
are collected can be merged.
"""

BACKLOG_BYTES = 64 * 1024 * 1024
"""A larger backlog is full: code that reads from sockets should wait."""


class Barrier(NamedTuple):
    """A mark in the queue; `done` gets a result once all items before it are delivered.

    `saved`: only once they are committed, even if the history is behind.
    """

    saved: bool
    done: Future[bool]


Item: TypeAlias = Submission | RunMark | HandOut | RequestedTickets | Barrier


class Pending:
    """The queue from other threads to the recorder's. `size` is the bytes of events in it.

    An event counts until `note_delivery`, so also while it is being written.
    """

    def __init__(self) -> None:
        self.size = 0
        self._events = 0
        self._is_closing = False
        lock = threading.Lock()
        self._changed, self._is_urgent = threading.Condition(lock), threading.Condition(lock)
        self._is_busy = False
        self._items: list[Item] = []

    @property
    def is_full(self) -> bool:
        """True while too much is queued; see `PENDING_BYTES`, `PENDING_EVENTS`."""
        return self._events > PENDING_EVENTS or self.size > PENDING_BYTES

    def put(self, *items: Item) -> bool:
        """Append items that stay in one batch, without waiting; return False if it is closing."""
        with self._changed:
            if self._is_closing:
                return False
            self._items.extend(items)
            for item in items:
                if isinstance(item, Submission):
                    self._events += 1
                    self.size += item.size
                if self.is_full or not isinstance(item, Submission):
                    self._hurry()
            self._changed.notify_all()
            return True

    def take(self, seconds: float, *, or_closing: bool) -> tuple[list[Item], bool]:
        """Return all that is queued; if nothing is, wait up to `seconds`.

        While tickets are busy, wait `BUSY_REST` for more events, unless the queue is full or has
        an item that somebody waits for. `or_closing`: do not wait if it is closing. The second
        value is True if nothing more can come.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._items or (or_closing and self._is_closing), seconds
            )
            if self._is_busy:
                self._is_urgent.wait(BUSY_REST)
            items, self._items = self._items, []
            self._is_busy = len(items) > BUSY_EVENTS
            return items, self._is_closing

    def note_delivery(self, batch: Batch) -> None:
        """Stop counting the batch's events as queued."""
        with self._changed:
            self._events -= batch.submitted
            self.size -= batch.size

    def close(self) -> None:
        """Accept nothing more."""
        with self._changed:
            self._is_closing = True
            self._hurry()
            self._changed.notify_all()

    def _hurry(self) -> None:
        """End the wait for more events in `take`; the caller holds the lock."""
        self._is_busy = False
        self._is_urgent.notify_all()

    def end(self) -> list[Item]:
        """Close, and return the items that are left; called when the recorder's thread ends."""
        self.close()
        items, _ = self.take(0.0, or_closing=True)
        self._events = self.size = 0
        return items


OnBehind: TypeAlias = Callable[[HistoryTrouble | None], None]
"""Gets the trouble when history falls behind, None when it has caught up."""


class Backlog:
    """Saves batches in order, and keeps those that could not be saved; `size` is their bytes.

    `report` gets the trouble when the history falls behind and when runs are saved in another file,
    and None when neither holds any more. For the recorder's thread alone: `save` sleeps.
    """

    def __init__(self, path: Path, written: WrittenFile, report: OnBehind):
        self.size = 0
        self._path = path
        self._file = written
        self._report = report
        self._reported: HistoryTrouble | None = None
        self._batches: list[Batch] = []
        self._next_try = 0.0
        self._last_error: Exception | None = None

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def is_full(self) -> bool:
        """True while so much is unsaved that no more events should be submitted."""
        return self.size > BACKLOG_BYTES

    @property
    def seconds_left(self) -> float:
        """Seconds until the next try."""
        return max(0.0, self._next_try - time.monotonic())

    @property
    def trouble(self) -> str:
        """The reason why batches are not saved, for a person."""
        error = self._last_error
        if isinstance(error, sqlite3.Error):
            return file.explain(self._path, error)
        if error is None or isinstance(error, HistoryError):
            return str(error or self._path)
        return f"{self._path}: a bug: {error!r}"

    def save(self, batch: Batch) -> bool:
        """Save the batch, trying for `PATIENCE`; return False if it has joined the backlog."""
        if not self._batches:
            deadline = time.monotonic() + PATIENCE
            while not self._is_saved([batch]):
                if time.monotonic() >= deadline:
                    self._tell(HistoryTrouble(self.trouble))
                    self._next_try = time.monotonic() + RETRY
                    break
                time.sleep(PATIENCE / 50)
            else:
                self._tell(self._file.trouble)
                return True
        self._batches.append(batch)
        self.size += batch.size
        return False

    def try_again(self) -> None:
        """Save the whole backlog in one transaction, if the time for the next try has come."""
        if self.seconds_left:
            return
        began = time.monotonic()
        if self._is_saved(self._batches):
            self._batches, self.size = [], 0
            self._tell(self._file.trouble)
        else:
            ended = time.monotonic()
            # A try with a large backlog takes long: at most half of the time is for tries.
            self._next_try = ended + max(RETRY, ended - began)

    def look(self) -> None:
        """Check the file and the runs' leases; called while nothing is written."""
        try:
            self._file.follow()
            self._file.claim()
        except Exception as error:  # tried again soon; the next commit reports it
            _log.info("history: %s", error)
        self._tell(self._file.trouble)

    def give_up(self) -> HistoryError:
        """Save the backlog in another file; return the error to report. Called when closing."""
        count = sum(len(batch.rows) for batch in self._batches)
        what = f"{count} entries" if count else "the end of a run"
        lost = f"{what} could not be saved: {self.trouble}"
        try:
            self._file.rescue(self._batches)
        except Exception as error:
            return HistoryError(f"{lost}; {error}")
        return HistoryError(f"{lost}; {self._file.remedy}")

    def _is_saved(self, some: Sequence[Batch]) -> bool:
        self._last_error = self._file.save(some)
        return self._last_error is None

    def _tell(self, trouble: HistoryTrouble | None) -> None:
        """Report what is wrong, None for nothing, unless it is the same as the last time."""
        if trouble != self._reported:
            self._reported = trouble
            self._report(trouble)
