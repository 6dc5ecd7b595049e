"""The recorder: events in, from any thread, and entries out once they are in the history.

`submit` only appends to a list and never waits. A thread takes the whole list as soon as it is
free and commits it as one batch; the busier the agents, the larger the batches. With little to
do nothing is delayed; with much, events wait a moment for more, but no caller waits for them.
Entries are delivered only after the commit: whoever sees one may rely on its being in the history.

The exception has a name, *behind*. What cannot be committed for `PATIENCE` seconds (the disk is
full, another program holds the file) is delivered marked unsaved and joins the backlog, as does
every batch after it. The backlog is tried again as a whole every `RETRY` seconds or so: in order,
in one transaction, so nothing is lost, out of order or stored twice. Where waiting is no help
(the file is damaged, or gone and cannot be replaced) the runs are saved elsewhere; see
`written_file`. An error that is not the database's is a bug, and treated like a full disk.
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
"""Seconds that `close` gives a backlog before it is given up."""

WATCH = 1.0
"""Seconds between two looks at the file while nothing is written."""

OnEntries = Callable[[Sequence[e.Entry]], None]
_T = TypeVar("_T")


class Recorder:
    """Numbers, stores and delivers events; close it in the end. Raises `HistoryError`.

    `on_entries` gets each entry exactly once. `on_behind` gets the trouble when history falls
    behind (and when it breaks), None when it has caught up. Both are called on the recorder's
    thread, or, once it is attached, on an event loop.

    `recovered` are the runs of dead processes, which opening ended, `lost` those of which
    only a lease was left; `file` is the one that is written.

    Starting, resuming and finishing a run take some milliseconds, and up to 10 s where another
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
        # Closed after the thread has its own, so that nobody folds the log in meanwhile.
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

        `failure` is the error if something could not be written.
        """
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(HistoryError), ExitStack() as last:
            with suppress(HistoryError, OSError):
                # Opened first: the last one to close folds the log in, and ends orphaned runs.
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
        """Make a stored run one that runs here; its tickets go on from where they are.

        Tickets that workers have go on there if `with_workers`; else they are interrupted.
        """
        with self._connected() as (db, path):
            now = self.clock()
            self._runs[run] = own_runs.resume(db, path, now, run, with_workers=with_workers)

    def hand_outs(self, run: str) -> dict[str, tuple[int, bool]]:
        """Return the highest fence of each ticket given to workers, and if one has it now."""
        with self._connected() as (db, _):
            return hand_outs(db, run)

    def add_tickets(self, run: str, tickets: Sequence[Ticket]) -> None:
        """Store more tickets of the run, all queued, all or none; never waits.

        Their events may be submitted at once. Raises as `submit` does.
        """
        if (own := self._runs.get(run)) is None:
            raise HistoryError(f"run {run} is not being written here")
        self._put(own.request(tickets))

    def mark_run(self, run: str, state: RunState) -> None:
        """Store the run's state after all its entries so far, without ending it; never waits."""
        with suppress(HistoryError):  # it has ended: `failure` says why
            self._put(RunMark(run, state, None if state == "running" else self.clock()))

    def finish_run(self, run: str, state: RunState) -> None:
        """Store how the run ended, once all its entries are saved, and release it.

        It ended when its last ticket did, even if that is stored much later.
        """
        self.mark_run(run, state)
        try:
            self.flush(saved=True).result(SETTLING_PATIENCE)
        except FutureTimeoutError:
            raise HistoryError(
                f"the end of run {run} ({state}) could not be saved: {self._backlog.trouble}"
            ) from None
        self.release(run)  # not if that failed: the backlog is to be written first, by `close`

    def release(self, run: str) -> None:
        """Give the run's leases back; nothing can be submitted to it any more."""
        if (own := self._runs.pop(run, None)) is not None:
            own.release()

    @contextmanager
    def _connected(self) -> Iterator[tuple[sqlite3.Connection, Path]]:
        """Connect to the file that is written at the moment; yield its path as well."""
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

        Raises `HistoryError` where the recorder has ended or the ticket's run
        is not being run here, `TypeError` where the event cannot be stored.
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
        """Hand over entries of one ticket that are numbered already, from another history.

        They follow the ticket's last entry without a gap, and are stored all or none.
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
        """Store, after its entries so far, that a worker gets the ticket or no longer has it."""
        self._put(HandOut(run, ticket, fence, is_out))

    def flush(self, *, saved: bool = False) -> Future[bool]:
        """Return a future, done once all submitted so far is delivered: True if it is saved.

        With `saved` it also waits until a history that is behind has caught up.
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
        # Shielded: a cancelled waiter must not cancel the thread's side of it.
        await asyncio.shield(asyncio.wrap_future(self.flush(saved=saved)))

    async def finish(self, run: str, state: RunState) -> None:
        """Store how the run ended; raises `HistoryError` even if it is saved in another file."""
        await asyncio.to_thread(self.finish_run, run, state)
        if self.file.remedy is not None:
            raise HistoryError(self.file.remedy)

    async def room(self) -> None:
        """Wait while too much is pending or unsaved."""
        while self.is_full:
            self._progress.clear()
            await self._progress.wait()

    # On the thread

    def _main(self) -> None:
        broken = None
        try:
            self._work()
        except BaseException as error:
            self.failure = broken = error
        self._backlog.size = 0
        for item in [*self._pending.end(), *self._waiting]:
            if isinstance(item, Barrier):
                with suppress(InvalidStateError):  # cancelled by whoever waited
                    item.done.set_exception(self._closed())
        if broken is not None:
            self._tell_behind(HistoryTrouble(f"{self.path}: the history has stopped: {broken}"))
        self.file.close()

    def _work(self) -> None:
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
        self._pending.note_delivery(batch)  # first: who held back looks again when entries come
        if entries:
            self._call(self.on_entries, entries)

    def _pass_barriers(self) -> None:
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
        except Exception as error:  # theirs, not ours: what is to be stored is still stored
            self.failure = self.failure or error
