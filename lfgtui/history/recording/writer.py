"""The writer: one thread through which every event of this process passes.

`submit` only appends to a list, so it may be called from anywhere and never
waits. The thread takes the whole list as soon as it is free and commits it as
one batch (`batch`); the busier the agents, the larger the batches, and with
nothing to do there is no delay to wait out. Only after the commit are the
entries delivered: who sees one may rely on its being in the history.

The exception has a name, *behind*. When a batch cannot be committed for
`PATIENCE` seconds (the disk is full, another program holds the file), its
entries are delivered marked unsaved and the batch joins the backlog. From
then on every batch does so at once, and the backlog is tried again as a whole
every `RETRY` seconds or so: in order, in one transaction, so nothing is lost, out
of order or stored twice. When it succeeds the writer has caught up. What no
waiting can help (the file is damaged, or gone and nothing can be put in its
place) sends the runs elsewhere; see `written_file`. An error that is no
database's is a bug, and treated like a disk that takes nothing: it is said,
and the runs go on.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.recording.run_copy import RunRecord
from lfgtui.history.recording.written_file import Claim, WrittenFile
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file
from lfgtui.history.storage.batch import Batch, Submission
from lfgtui.history.storage.ledger import Ledger
from lfgtui.model import events as e

_log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds without a commit after which the history counts as behind."""

RETRY = 0.25
"""Seconds between two tries to save the backlog."""

CLOSING_PATIENCE = 3.0
"""Seconds that `close` gives a backlog before it is given up."""

BACKLOG_BYTES = 64 * 1024 * 1024
"""A larger backlog is full: whoever reads from sockets should hold back."""

WATCH = 1.0
"""Seconds between two looks at the file while nothing is written."""

OnEntries = Callable[[list[e.Entry]], None]
OnBehind = Callable[[str | None], None]


class _Barrier:
    """A place in the queue. `saved`: wait for the commit even where history is behind."""

    def __init__(self, saved: bool) -> None:
        self.saved = saved
        self.done: Future[bool] = Future()

    def pass_(self, saved: bool) -> None:
        with suppress(InvalidStateError):  # whoever waited has cancelled it
            self.done.set_result(saved)

    def fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):
            self.done.set_exception(error)


class Writer:
    """Numbers, stores and delivers events; both callbacks run on its thread.

    `on_entries` gets each entry exactly once. `on_behind` gets one line when
    history falls behind (and when it breaks), None when it has caught up.
    """

    def __init__(
        self,
        path: Path,
        on_entries: OnEntries,
        on_behind: OnBehind,
        claim: Claim,
        durability: file.Durability = "process",
    ) -> None:
        self.failure: BaseException | None = None
        self._path = path
        self._on_entries = on_entries
        self._on_behind = on_behind
        self._file = WrittenFile(path, durability, claim, busy_ms=round(PATIENCE * 100))
        self._told: str | None = None
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._changed = threading.Condition()
        self._queue: list[Submission | _Barrier] = []
        self._pending_events = self._pending_bytes = 0
        self._closing = False
        self._ended = False
        self._backlog: list[Batch] = []
        self._backlog_bytes = 0
        self._next_try = 0.0
        self._waiting: list[_Barrier] = []
        self._last_error: Exception | None = None
        self._thread = threading.Thread(target=self._main, name="lfg-history", daemon=True)
        self._thread.start()

    @property
    def pending_bytes(self) -> int:
        """What is submitted and not on its way to the receiver yet."""
        return self._pending_bytes

    @property
    def pending_events(self) -> int:
        """The number of events submitted and not delivered yet."""
        return self._pending_events

    @property
    def backlog_bytes(self) -> int:
        """What is delivered and not saved yet; 0 unless history is behind."""
        return self._backlog_bytes

    @property
    def backlog_full(self) -> bool:
        """Whether so much is unsaved that no more should be taken in."""
        return self._backlog_bytes > BACKLOG_BYTES

    @property
    def trouble(self) -> str | None:
        """Why something is not saved yet; None where history is not behind."""
        if not self._backlog_bytes or self._last_error is None:
            return None
        return _explained(self._path, self._last_error)

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._file.path

    @property
    def remarks(self) -> list[str]:
        """Changes to the file during the run, one line each, for a person."""
        return self._file.remarks

    @property
    def rescued(self) -> str | None:
        """A line for a person about runs saved in another file; None where none is."""
        if self._file.rescued is None:
            return None
        return f"{self._file.trouble}; to see it: LFG_DATA_DIR={self._file.rescued} lfg history"

    def register(self, record: RunRecord) -> None:
        """A run whose tickets may be submitted to from now on."""
        self._file.register(record)
        self._ledgers.update({(record.run, ledger.ticket): ledger for ledger in record.ledgers})

    def forget(self, run: str) -> None:
        """The end of `register`; what is submitted already is still written."""
        self._file.forget(run)
        for key in list(self._ledgers):
            if key[0] == run:
                del self._ledgers[key]

    def submit(self, run: str, ticket: str, attempt: int, at: float, event: e.Event) -> None:
        """Hand over an event, from any thread, without waiting.

        Raises `HistoryError` where the writer has ended or the ticket's run
        is not being run here, `TypeError` where the event cannot be stored.
        """
        ledger = self._ledgers.get((run, ticket))
        if ledger is None:
            raise HistoryError(f"run {run} with ticket {ticket} is not being written here")
        event, size = _storable(event)
        self._enqueue(Submission(ledger, attempt, at, event, size))

    def flush(self, *, saved: bool = False) -> Future[bool]:
        """Done once all that was submitted before is delivered; tells whether it is saved.

        With `saved` it waits, where history is behind, until it has caught up.
        """
        barrier = _Barrier(saved)
        try:
            self._enqueue(barrier)
        except HistoryError as error:
            barrier.fail(error)
        return barrier.done

    def close(self) -> None:
        """Write what is pending and end the thread; what cannot be saved goes to `failure`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _enqueue(self, item: Submission | _Barrier) -> None:
        with self._changed:
            if self._closing or self._ended:
                raise self._closed()
            self._queue.append(item)
            if isinstance(item, Submission):
                self._pending_events += 1
                self._pending_bytes += item.size
            self._changed.notify_all()

    def _closed(self) -> HistoryError:
        reason = f": {self.failure}" if self.failure else ""
        return HistoryError(f"{self._path}: the history is closed{reason}")

    # On the thread.

    def _main(self) -> None:
        broken = False
        try:
            self._work()
        except BaseException as error:
            self.failure, broken = error, True
        with self._changed:
            self._ended = True
            left, self._queue = self._queue, []
            # Nobody need hold back for it.
            self._pending_events = self._pending_bytes = self._backlog_bytes = 0
        for item in [*left, *self._waiting]:
            if isinstance(item, _Barrier):
                item.fail(self._closed())
        if broken:
            self._tell_behind(f"{self._path}: the history has stopped: {self.failure}")
        self._file.close()

    def _work(self) -> None:
        give_up_at: float | None = None
        while True:
            items, closing = self._take()
            submissions = [item for item in items if isinstance(item, Submission)]
            self._waiting += [item for item in items if isinstance(item, _Barrier)]
            if submissions:
                self._process(batches.make(submissions))
            elif self._backlog:
                self._try_again()
            else:
                self._look()
            self._pass_barriers()
            if closing and not self._backlog:
                return
            if closing:
                give_up_at = give_up_at or time.monotonic() + CLOSING_PATIENCE
                if time.monotonic() > give_up_at:
                    self._give_up()
                    return

    def _take(self) -> tuple[list[Submission | _Barrier], bool]:
        """All that is queued; waits for something to do, or for the next try."""
        with self._changed:
            if not self._backlog:
                self._changed.wait_for(lambda: self._queue or self._closing, WATCH)
            elif not self._queue:
                self._changed.wait(max(0.0, self._next_try - time.monotonic()))
            items, self._queue = self._queue, []
            return items, self._closing

    def _process(self, batch: Batch) -> None:
        if self._backlog:
            self._put_off(batch)
            self._try_again()
            return
        error = self._save_patiently(batch)
        if error is None:
            self._deliver(batch.entries, batch)
        else:
            self._tell_behind(_explained(self._path, error))
            self._put_off(batch)
            self._next_try = time.monotonic() + RETRY

    def _save_patiently(self, batch: Batch) -> Exception | None:
        deadline = time.monotonic() + PATIENCE
        while (error := self._save([batch])) is not None:
            if time.monotonic() >= deadline:
                return error
            time.sleep(PATIENCE / 50)
        return None

    def _save(self, some: list[Batch]) -> Exception | None:
        error = self._last_error = self._file.save(some)
        if error is None:
            self._tell_trouble()
        return error

    def _look(self) -> None:
        """Follow the file, and hold on to the leases, while nothing is written."""
        try:
            self._file.follow()
            self._file.claim()
        except Exception as error:  # tried again, and what is to be written says so
            _log.info("history: %s", error)
        self._tell_trouble()

    def _tell_trouble(self) -> None:
        """Report where the runs are if not in their own file, and that they are back."""
        if self._file.trouble != self._told and not self._backlog:
            self._tell_behind(self._file.trouble)

    def _put_off(self, batch: Batch) -> None:
        self._backlog.append(batch)
        self._backlog_bytes += batch.size
        unsaved = [msgspec.structs.replace(entry, saved=False) for entry in batch.entries]
        self._deliver(unsaved, batch)

    def _try_again(self) -> None:
        began = time.monotonic()
        if began < self._next_try:
            return
        if self._save(self._backlog) is not None:
            ended = time.monotonic()
            self._next_try = ended + max(RETRY, ended - began)  # a large backlog takes its time
            return
        self._backlog = []
        self._backlog_bytes = 0
        self._tell_behind(self._file.trouble)

    def _pass_barriers(self) -> None:
        behind = bool(self._backlog)
        for barrier in self._waiting:
            if not (behind and barrier.saved):
                barrier.pass_(not behind)
        self._waiting = [barrier for barrier in self._waiting if behind and barrier.saved]

    def _deliver(self, entries: list[e.Entry], batch: Batch) -> None:
        with self._changed:  # first: who held back for it looks again when the entries come
            self._pending_events -= batch.submitted
            self._pending_bytes -= batch.size
        try:
            self._on_entries(entries)
        except Exception as error:  # theirs, not ours: what is to be stored is still stored
            self.failure = self.failure or error

    def _tell_behind(self, message: str | None) -> None:
        self._told = message
        try:
            self._on_behind(message)
        except Exception as error:
            self.failure = self.failure or error

    def _give_up(self) -> None:
        """Save the backlog anywhere else, or say that it is lost."""
        count, why = sum(len(batch.entries) for batch in self._backlog), self.trouble
        said = f"{count} entries could not be saved: {why}"
        try:
            self._file.rescue(self._backlog)
        except Exception as error:
            said += f"; {error}"
        else:
            said += f"; {self.rescued}"
        self.failure = HistoryError(said)


def _explained(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.Error):
        return file.explain(path, error)
    return str(error) if isinstance(error, HistoryError) else f"{path}: a bug: {error!r}"


def _storable(event: e.Event) -> tuple[e.Event, int]:
    """The event as it will be read back, and the size of its JSON.

    Text that no UTF-8 can carry (a lone surrogate, from a file name that is
    no text, say) is replaced by U+FFFD. What others wrote as JSON and Python
    reads more kindly (NaN, infinity) is null from here on.
    """
    try:
        body = e.encode_event(event)
    except UnicodeEncodeError:
        body = msgspec.json.encode(_clean(msgspec.to_builtins(event)))
        return e.decode_event(body), len(body)
    if event.facets.json:
        event = e.decode_event(body)
    return event, len(body)


def _clean(value: object) -> object:
    match value:
        case str():
            return "".join("�" if "\ud800" <= c <= "\udfff" else c for c in value)
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value
