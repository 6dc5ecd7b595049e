"""The recorder: takes events from any thread, and delivers entries once they are in the history.

`submit` only appends to a list and never waits. A thread takes the whole list as soon as it is
free and commits it as one batch; the busier the agents, the larger the batches. With little to
do nothing is delayed; with much, events wait a moment for more, but no caller waits for them.
Entries are delivered only after the commit, so an entry that was delivered is in the history.

The exception is a history that is *behind*. A batch that cannot be committed for `PATIENCE`
seconds (the disk is full, another program holds the file) is delivered with `saved` False and
joins the backlog, as does every batch after it. The whole backlog is tried again about every
`RETRY` seconds, in order and in one transaction, so nothing is lost, out of order or stored twice.
If waiting does not help (the file is damaged, or gone and cannot be replaced), the runs are saved
elsewhere; see `written_file`. An exception that is not the database's is a bug, and treated like a
full disk.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history import deletion, orphaned_runs
from lfgtui.history.recording import own_runs
from lfgtui.history.recording.backlog import Backlog, Barrier, Item, OnBehind, Pending
from lfgtui.history.recording.own_runs import OwnRun
from lfgtui.history.recording.written_file import WrittenFile
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file
from lfgtui.history.storage.batch import Batch, HandOut, RunMark
from lfgtui.history.storage.runs import hand_outs
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.fold.metrics import HistoryTrouble
from lfgtui.model.fold.states import RunState
from lfgtui.model.tickets import Ticket

SETTLING_PATIENCE = 10.0
"""Seconds that the end of a run may take to be saved."""

CLOSING_PATIENCE = 3.0
"""Seconds for which `close` tries to save a backlog before it is given up."""

WATCH = 1.0
"""Seconds between two checks of the file while nothing is written."""

OnEntries = Callable[[Sequence[e.Entry]], None]
_T = TypeVar("_T")


class Recorder:
    """Numbers, stores and delivers events; close it in the end. Raises `HistoryError`.

    `on_entries` gets each entry exactly once. `on_behind` gets the trouble when the history falls
    behind (and when it breaks), None when it has caught up. Both are called on the recorder's
    thread or, after `attach`, on the event loop.

    `recovered` are the orphaned runs that opening ended, `lost` those of which only a lease was
    found. `has_remains`: deleted runs have texts to sweep. `file` is the file that is written.
    `failure` is the error that kept something from being stored or delivered, if any; final after
    `close`. `clock` gives the time when runs begin and end; tests replace it.

    Starting, resuming and finishing a run take some milliseconds, and up to 10 s if another
    process holds the file. With the durability `power` an entry is on the disk, not only in the
    system's memory, before it is delivered.
    """

    def __init__(self, path: Path, durability: file.Durability = "process") -> None:
        self.path = path
        self.clock: Callable[[], float] = now
        self.on_entries: OnEntries = lambda _: None
        self.on_behind: OnBehind = lambda _: None
        self.failure: BaseException | None = None
        self._durability: file.Durability = durability
        self._runs: dict[str, OwnRun] = {}
        self._pending = Pending()
        self._is_closed = False
        self._waiting: list[Barrier] = []
        self._progress = asyncio.Event()
        # Closed after the thread's connection is open, so that SQLite does not fold in the log
        # in between, as it does when the last connection closes.
        with orphaned_runs.connected(path) as (db, ended):
            self.recovered, self.lost = ended
            self.has_remains = deletion.has_remains(db)
            self.file = WrittenFile(path, durability, self._runs)
            self._backlog = Backlog(path, self.file, self._tell_behind)
        self._thread = threading.Thread(target=self._main, name="lfg-history", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is pending, release the file and all leases. Closing twice is harmless.

        Afterwards `failure` is the error if something could not be written.
        """
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(HistoryError), ExitStack() as last:
            with suppress(HistoryError, OSError):
                # Open while the thread closes its connection: the last one to close folds in the
                # log, and must have ended orphaned runs before.
                if self.file.path == self.path and self.path.exists():
                    last.enter_context(orphaned_runs.connected(self.path))
            self._pending.close()
            self._thread.join()
        for run in list(self._runs):
            self.release(run)

    @property
    def queued_bytes(self) -> int:
        """Bytes that are submitted and not saved yet."""
        return self._pending.size + self._backlog.size

    @property
    def is_full(self) -> bool:
        """True while so much is pending or unsaved that no more should be submitted."""
        return self._pending.is_full or self._backlog.is_full

    # Runs

    def start_run(self, title: str, tickets: Sequence[Ticket], source: Path | None) -> str:
        """Store a new run with its tickets, all queued; return its id."""
        with self._connected() as (db, path):
            own = own_runs.start(db, path, self.clock(), title, tickets, source)
        self._runs[own.row.id] = own
        return own.row.id

    def resume_run(self, run: str, *, with_workers: bool = False) -> None:
        """Begin to write a stored run; its tickets' entries follow those that are stored.

        Tickets that workers have are interrupted, unless the run continues `with_workers`.
        """
        with self._connected() as (db, path):
            now = self.clock()
            self._runs[run] = own_runs.resume(db, path, now, run, with_workers=with_workers)

    def hand_outs(self, run: str) -> dict[str, tuple[int, bool]]:
        """Return, by ticket, its highest fence, and whether a worker has it now."""
        with self._connected() as (db, _):
            return hand_outs(db, run)

    def add_tickets(self, run: str, tickets: Sequence[Ticket]) -> None:
        """Hand over more tickets of the run, to be stored as queued, all or none; never waits.

        Their events may be submitted at once. Raises as `submit` does.
        """
        if (own := self._runs.get(run)) is None:
            raise HistoryError(f"run {run} is not being written here")
        self._put(own.request(tickets))

    def mark_run(self, run: str, state: RunState) -> None:
        """Store the run's state after all its entries so far; never waits, and keeps its leases."""
        with suppress(HistoryError):  # the recorder has ended: `failure` says why
            self._put(RunMark(run, state, None if state == "running" else self.clock()))

    def finish_run(self, run: str, state: RunState) -> None:
        """Store the run's final state, wait until all its entries are saved, and release it.

        The stored time is when its last ticket ended. Raises `HistoryError` if this takes longer
        than `SETTLING_PATIENCE`.
        """
        self.mark_run(run, state)
        try:
            self.flush(saved=True).result(SETTLING_PATIENCE)
        except FutureTimeoutError:
            raise HistoryError(
                f"the end of run {run} ({state}) could not be saved: {self._backlog.trouble}"
            ) from None
        self.release(run)  # but not after an error: `close` still has to write the backlog

    def release(self, run: str) -> None:
        """Release the run's leases; nothing can be submitted to it any more."""
        if (own := self._runs.pop(run, None)) is not None:
            own.release()

    @contextmanager
    def _connected(self) -> Iterator[tuple[sqlite3.Connection, Path]]:
        """Connect to the file that is written now; yield the connection and the file's path."""
        path = self.file.path
        with file.opening(path), closing(file.connect(path, self._durability)) as db:
            yield db, path

    # Events

    def submit(
        self,
        run: str,
        ticket: str,
        attempt: int,
        at: float,
        event: e.Event,
        requested: Ticket | None = None,
    ) -> None:
        """Hand over an event, from any thread, without waiting.

        `requested` is stored as the ticket's new request, in one transaction with the event.

        Raises `HistoryError` if the recorder has ended or does not write the
        ticket's run, `TypeError` if the event cannot be stored.
        """
        own = self._runs.get(run)
        state = own.state(ticket) if own else None
        if own is None or state is None:
            raise HistoryError(f"run {run} with ticket {ticket} is not being written here")
        submission = batches.submission(state, attempt, at, event)
        if requested is None:
            self._put(submission)
        else:
            self._put(own.request([requested]), submission)

    def submit_numbered(self, entries: Sequence[e.Entry]) -> None:
        """Hand over entries of one ticket that another history has numbered, a worker's.

        They must follow the ticket's last entry without a gap, and are stored all or none.
        Raises as `submit` does.
        """
        if not entries:
            return
        own = self._runs.get(entries[0].run)
        if own is None or (state := own.state(entries[0].ticket)) is None:
            raise HistoryError(f"run {entries[0].run} is not being written here")
        submissions = [batches.submission(state, one.attempt, one.at, one.event) for one in entries]
        for submission, entry in zip(submissions, entries, strict=True):
            submission.seq = entry.seq
        self._put(*submissions)

    def hand_out(self, run: str, ticket: str, fence: int, *, is_out: bool) -> None:
        """Hand over, for after the entries so far, whether a worker has the ticket (`is_out`)."""
        self._put(HandOut(run, ticket, fence, is_out))

    def flush(self, *, saved: bool = False) -> Future[bool]:
        """Return a future that is done once all submitted so far is delivered: True if it is saved.

        With `saved` it is done only once all that is saved, even if the history is behind.
        """
        barrier = Barrier(saved, Future())
        try:
            self._put(barrier)
        except HistoryError as error:
            barrier.done.set_exception(error)
        return barrier.done

    def _put(self, *items: Item) -> None:
        if not self._pending.put(*items):
            raise self._closed()

    def _closed(self) -> HistoryError:
        reason = f": {self.failure}" if self.failure else ""
        return HistoryError(f"{self.path}: the history is closed{reason}")

    # On an event loop

    def attach(self, on_entries: OnEntries, on_behind: OnBehind) -> None:
        """Deliver on the running loop from now on, to `on_entries` and `on_behind`."""
        loop = asyncio.get_running_loop()

        def on_loop(callback: Callable[[_T], None]) -> Callable[[_T], None]:
            def call(value: _T) -> None:
                self._progress.set()
                callback(value)

            def submit(value: _T) -> None:
                loop.call_soon_threadsafe(call, value)

            return submit

        self.on_entries, self.on_behind = on_loop(on_entries), on_loop(on_behind)

    async def settle(self, *, saved: bool = False) -> None:
        """Wait until all submitted so far is delivered or, with `saved`, saved."""
        # Shielded, as the recorder's thread sets the future even if the waiter is cancelled.
        await asyncio.shield(asyncio.wrap_future(self.flush(saved=saved)))

    async def finish(self, run: str, state: RunState) -> None:
        """Do what `finish_run` does; raises `HistoryError` also if the run is in another file."""
        await asyncio.to_thread(self.finish_run, run, state)
        if self.file.remedy is not None:
            raise HistoryError(self.file.remedy)

    async def room(self) -> None:
        """Wait while `is_full`; for code that reads from sockets, before it reads more."""
        while self.is_full:
            self._progress.clear()
            await self._progress.wait()

    # On the thread

    def _main(self) -> None:
        """Work until closed; then, however the work ended, refuse what is left and report it."""
        broken = None
        try:
            self._work()
        except BaseException as error:
            self.failure = broken = error
        self._backlog.size = 0
        for item in [*self._pending.end(), *self._waiting]:
            if isinstance(item, Barrier):
                with suppress(InvalidStateError):  # the waiter has cancelled it
                    item.done.set_exception(self._closed())
        if broken is not None:
            self._tell_behind(HistoryTrouble(f"{self.path}: the history has stopped: {broken}"))
        self.file.close()

    def _work(self) -> None:
        """Save and deliver batches until the queue is closed and all is saved or given up."""
        give_up_at: float | None = None
        backlog = self._backlog
        while True:
            wait = backlog.seconds_left if backlog else WATCH
            items, is_closing = self._pending.take(wait, or_closing=not backlog)
            self._waiting += [item for item in items if isinstance(item, Barrier)]
            if batch := batches.make([item for item in items if not isinstance(item, Barrier)]):
                self._deliver(batch, backlog.save(batch))
            if backlog:
                backlog.try_again()
            elif not batch:
                backlog.look()
            self._pass_barriers()
            if is_closing and not backlog:
                return
            if is_closing:
                give_up_at = give_up_at or time.monotonic() + CLOSING_PATIENCE
                if time.monotonic() > give_up_at:
                    self.failure = backlog.give_up()
                    return

    def _deliver(self, batch: Batch, is_saved: bool) -> None:
        entries = [entry for _, entry, _ in batch.rows]
        if not is_saved:
            entries = [msgspec.structs.replace(entry, saved=False) for entry in entries]
        # First, since code that waits in `room` checks `is_full` when entries come.
        self._pending.note_delivery(batch)
        if entries:
            self._call(self.on_entries, entries)

    def _pass_barriers(self) -> None:
        """Set the results of flushes that need not wait any more."""
        is_behind = bool(self._backlog)
        for barrier in self._waiting:
            if not (is_behind and barrier.saved):
                with suppress(InvalidStateError):
                    barrier.done.set_result(not is_behind)
        self._waiting = [barrier for barrier in self._waiting if is_behind and barrier.saved]

    def _tell_behind(self, trouble: HistoryTrouble | None) -> None:
        self._call(self.on_behind, trouble)

    def _call(self, callback: Callable[[_T], None], value: _T) -> None:
        try:
            callback(value)
        except Exception as error:  # a bug of the caller's: the recorder goes on storing
            self.failure = self.failure or error
