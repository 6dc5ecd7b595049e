"""`History`: the one that writes. It starts runs, resumes them and ends them.

A run belongs to the process that holds its lease. Whatever says `running` and
has no holder was left by a process that died: opening the history ends its
tickets as `interrupted`, by entries of their own, so they look the same live,
stored and replayed.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Self

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import deletion, orphaned_runs
from lfgtui.history.reader import Reader, RunState
from lfgtui.history.recording.run_copy import RunRecord, insert
from lfgtui.history.recording.writer import OnBehind, OnEntries, Writer
from lfgtui.history.storage import file, leases, rows, values
from lfgtui.history.storage.ledger import Ledger, load
from lfgtui.history.storage.packing import DamagedError
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.tickets import Ticket

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_SETTLE_SECONDS = 10.0


def _nobody(_: object) -> None:
    pass


class History:
    """A history file open for writing; `open` it, `close` it.

    Starting, resuming and finishing a run take some milliseconds, and up to
    10 s where another process holds the file. Raises `HistoryError`.
    """

    def __init__(
        self,
        path: Path,
        on_entries: OnEntries,
        on_behind: OnBehind,
        durability: file.Durability = "process",
    ) -> None:
        self.path = path
        self._clock: Callable[[], float] = now
        self._leases: dict[str, list[leases.Lease]] = {}
        self._leasing = Lock()
        self._durability: file.Durability = durability
        self._is_closed = False
        had_log = orphaned_runs.has_log(path)
        # Closed after the writer has opened it too, so that nobody folds the log in meanwhile.
        with closing(file.connect(path)) as db, file.opening(path):
            ended = orphaned_runs.end(db, path, self._clock(), had_log=had_log)
            self.has_remains = deletion.has_remains(db)
            self.recovered, self.lost = ended
            self._writer = Writer(path, on_entries, on_behind, self._claim, durability)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        on_entries: OnEntries = _nobody,
        on_behind: OnBehind = _nobody,
        durability: file.Durability = "process",
    ) -> Self:
        """Open it, making it where missing, and end what dead processes left running.

        Both callbacks run on the writer's thread; see `Writer`. With `power` an
        entry is on the disk, and not in the system's memory alone, before it is delivered.
        """
        return cls(path, on_entries, on_behind, durability)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is pending, let go of the file and of all leases. Twice is harmless.

        What could not be written is told by `failure`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        with ExitStack() as closing_:
            # Opened first: the last one to close folds the log in, and ends orphaned runs before.
            db = self._at_home()
            if db is not None:
                closing_.callback(db.close)
            self._writer.close()
            if db is not None and self._writer.path == self.path:
                with suppress(HistoryError), file.opening(self.path):
                    orphaned_runs.end(db, self.path, self._clock(), had_log=True)
            for run in list(self._leases):
                self.release(run)

    def _at_home(self) -> sqlite3.Connection | None:
        """A connection to the file at the path, if there is one."""
        with suppress(HistoryError, OSError):
            if self._writer.path == self.path and self.path.exists():
                return file.connect(self.path)
        return None

    @property
    def remarks(self) -> list[str]:
        """Changes to the file during the run, one line each, for a person."""
        return self._writer.remarks

    @property
    def rescued(self) -> str | None:
        """A line for a person about a run saved in another file; None where none is."""
        return self._writer.rescued

    @property
    def failure(self) -> BaseException | None:
        """What went wrong for good; None as long as nothing did."""
        return self._writer.failure

    @property
    def pending_bytes(self) -> int:
        """What is submitted and not delivered yet: the measure for backpressure."""
        return self._writer.pending_bytes

    @property
    def pending_events(self) -> int:
        """The number of events submitted and not delivered yet."""
        return self._writer.pending_events

    @property
    def backlog_bytes(self) -> int:
        """What is delivered and not saved yet."""
        return self._writer.backlog_bytes

    @property
    def backlog_full(self) -> bool:
        """Whether so much is unsaved that no more should be taken in."""
        return self._writer.backlog_full

    def submit(self, run: str, ticket: str, attempt: int, at: float, event: e.Event) -> None:
        """Hand over an event, from any thread, without waiting; see `Writer.submit`."""
        self._writer.submit(run, ticket, attempt, at, event)

    def flush(self, *, saved: bool = False) -> Future[bool]:
        """Done once all submitted before is delivered; its result tells whether it is saved."""
        return self._writer.flush(saved=saved)

    def reader(self) -> Reader:
        """A reader of the same file."""
        return Reader(self._writer.path)

    def start_run(self, title: str, tickets: Sequence[Ticket], source: Path | None) -> str:
        """Store a new run with its tickets, all queued; gives its id."""
        now = self._clock()
        with self._written() as db:
            run, lease = self._new_lease(db, now)
            try:
                ledgers = [Ledger(0, run, ticket.id) for ticket in tickets]
                record = RunRecord(run, title, source, now, tickets, ledgers)
                with file.transaction(db):
                    for ledger, key in zip(ledgers, insert(db, record), strict=True):
                        ledger.rowid = key
            except BaseException:
                lease.release()
                raise
        self._begin(record, lease)
        return run

    def resume_run(self, run: str) -> None:
        """Make a stored run one that runs here; its tickets go on from where they are."""
        with self._written() as db:
            lease = leases.take_patiently(self._locks, run)
            if lease is None:
                raise HistoryError(f"run {run} is being run by another lfg")
            try:
                with file.transaction(db):
                    record = self._revive(db, run)
            except BaseException:
                lease.release()
                raise
        self._begin(record, lease)

    def _begin(self, record: RunRecord, lease: leases.Lease) -> None:
        with self._leasing:
            self._leases[record.run] = [lease]
        self._writer.register(record)

    @property
    def _locks(self) -> Path:
        return self._writer.path.parent / "locks"

    @contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        """A connection to the file that is written at the moment."""
        path = self._writer.path
        with file.opening(path), closing(file.connect(path, self._durability)) as db:
            yield db

    def _claim(self, path: Path) -> None:
        """Hold the lease of each run beside that file; on the writer's thread."""
        folder = path.parent / "locks"
        with self._leasing:
            for run, held in self._leases.items():
                if any(lease.is_in(folder) for lease in held):
                    continue
                taken = leases.take_patiently(folder, run)
                if taken is None:
                    raise HistoryError(f"run {run} is being run by another lfg")
                held.append(taken)  # the others stay ours: nobody else may end the run there

    def finish_run(self, run: str, state: RunState) -> None:
        """Store how the run ended, once all its entries are saved, and release it.

        It ended with its last ticket, however much later that is stored.
        """
        self._store_state(run, state, self._clock())
        self.release(run)  # if that failed only `close` may: there is a backlog to write

    def mark_run(self, run: str, state: RunState) -> None:
        """Store how the run stands, once all its entries so far are saved, and keep it."""
        self._store_state(run, state, None if state == "running" else self._clock())

    def _store_state(self, run: str, state: RunState, ended_at: float | None) -> None:
        try:
            self.flush(saved=True).result(_SETTLE_SECONDS)
        except FutureTimeoutError:
            why = self._writer.trouble or str(self.path)
            raise HistoryError(
                f"the end of run {run} ({state}) could not be saved: {why}"
            ) from None
        with self._written() as db, file.transaction(db):
            _set_state(db, run, state, ended_at)

    def release(self, run: str) -> None:
        """Give the run's lease back; nothing can be submitted to it any more."""
        self._writer.forget(run)
        with self._leasing:
            for lease in self._leases.pop(run, ()):
                lease.release()

    def _new_lease(self, db: sqlite3.Connection, now: float) -> tuple[str, leases.Lease]:
        while True:
            run = _new_id(now)
            taken = db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone()
            lease = leases.take(self._locks, run) if taken is None else None
            if lease is not None:
                return run, lease

    def _revive(self, db: sqlite3.Connection, run: str) -> RunRecord:
        row = db.execute(
            "SELECT state, title, source, started_at, pinned, note FROM runs WHERE id = ?", (run,)
        ).fetchone()
        if row is None:
            raise HistoryError(f"{self.path}: no run {run}")
        state, title, source, started_at, pinned, note = row
        if state == "running":  # its process died while this one was running
            orphaned_runs.interrupt(db, run, self._clock(), None)
        db.execute("UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (run,))
        specs = db.execute("SELECT spec FROM tickets WHERE run = ? ORDER BY position", (run,))
        tickets = [rows.requested_ticket(run, values.text(spec)) for (spec,) in specs]
        from_file = None if source is None else Path(values.text(source))
        try:
            ledgers = load(db, run)
        except DamagedError as error:
            raise HistoryError(f"{self.path}: run {run}: {error}: {file.DAMAGED}") from None
        title, note = values.text(title), values.text(note)
        at = values.moment(started_at)
        return RunRecord(run, title, from_file, at, tickets, ledgers, bool(pinned), note)


def _set_state(db: sqlite3.Connection, run: str, state: RunState, ended_at: float | None) -> None:
    db.execute(
        "UPDATE runs SET state = :state, ended_at = iif(:now IS NULL, NULL,"
        " coalesce((SELECT max(ended_at) FROM tickets WHERE run = :run), :now))"
        " WHERE id = :run",
        {"state": state, "now": ended_at, "run": run},
    )


def _new_id(now: float) -> str:
    """`20261121-034212-x7k2`: sorts by time (UTC), and its four last characters are typed soon."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    suffix = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(4))
    return f"{moment}-{suffix}"
