"""`History`: the one that writes. It starts runs, resumes them and ends them.

A run belongs to the process that holds its lease. Whatever says `running` and
has no holder was left by a process that died: opening the history ends its
tickets as `interrupted`, by entries of their own, so they look the same live,
stored and replayed.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import msgspec

from lfgtui import events as e
from lfgtui.errors import HistoryError
from lfgtui.history import dead_runs, leases, removal, schema
from lfgtui.history.ledger import Ledger, load
from lfgtui.history.reader import Reader, RunState
from lfgtui.history.writer import OnBehind, OnEntries, Writer
from lfgtui.tickets import Ticket

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
        durability: schema.Durability = "process",
    ) -> None:
        self.path = path
        self._clock: Callable[[], float] = time.time
        self._locks = path.parent / "locks"
        self._leases: dict[str, leases.Lease] = {}
        self._is_closed = False
        had_log = dead_runs.has_log(path)
        self._connection = schema.connect(path, durability)
        self._alone = Lock()
        try:
            with schema.opening(path):
                ended = dead_runs.end(self._connection, path, self._clock(), had_log=had_log)
                self.has_remains = removal.has_remains(self._connection)
            self.recovered, self.lost = ended
            self._writer = Writer(path, on_entries, on_behind, durability)
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        on_entries: OnEntries = _nobody,
        on_behind: OnBehind = _nobody,
        durability: schema.Durability = "process",
    ) -> Self:
        """Open it, making it where missing, and end what dead processes left running.

        Both callbacks run on the writer's thread; see `Writer`. With `power` an
        entry is on the disk, and not in the system's memory alone, before it is delivered.
        """
        return cls(path, on_entries, on_behind, durability)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is pending, let go of the file and of all leases. Twice is harmless.

        What could not be written is told by `failure`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._writer.close()
        with suppress(HistoryError), schema.opening(self.path):  # others, that died meanwhile
            dead_runs.end(self._connection, self.path, self._clock(), had_log=True)
        for run in list(self._leases):
            self.release(run)
        self._connection.close()

    @property
    def failure(self) -> BaseException | None:
        """What went wrong for good; None as long as nothing did."""
        return self._writer.failure

    @property
    def pending_bytes(self) -> int:
        """What is submitted and not delivered yet: the measure for backpressure."""
        return self._writer.pending_bytes

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
        return Reader(self.path)

    def start_run(self, title: str, tickets: Sequence[Ticket], source: Path | None) -> str:
        """Store a new run with its tickets, all queued; gives its id."""
        now = self._clock()
        with schema.opening(self.path), self._alone:
            run, lease = self._new_lease(now)
            try:
                with schema.transaction(self._connection):
                    ledgers = self._insert(run, title, tickets, source, now)
            except BaseException:
                lease.release()
                raise
        self._leases[run] = lease
        self._writer.register(ledgers)
        return run

    def resume_run(self, run: str) -> None:
        """Make a stored run one that runs here; its tickets go on from where they are."""
        with schema.opening(self.path), self._alone:
            lease = leases.take_patiently(self._locks, run)
            if lease is None:
                raise HistoryError(f"run {run} is being run by another lfg")
            try:
                with schema.transaction(self._connection):
                    ledgers = self._revive(run)
            except BaseException:
                lease.release()
                raise
        self._leases[run] = lease
        self._writer.register(ledgers)

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
        with schema.opening(self.path), self._alone, schema.transaction(self._connection):
            self._set_state(run, state, ended_at)

    def release(self, run: str) -> None:
        """Give the run's lease back; nothing can be submitted to it any more."""
        self._writer.forget(run)
        if lease := self._leases.pop(run, None):
            lease.release()

    def _new_lease(self, now: float) -> tuple[str, leases.Lease]:
        while True:
            run = _new_id(now)
            taken = self._connection.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone()
            lease = leases.take(self._locks, run) if taken is None else None
            if lease is not None:
                return run, lease

    def _insert(
        self, run: str, title: str, tickets: Sequence[Ticket], source: Path | None, now: float
    ) -> list[Ledger]:
        self._connection.execute(
            "INSERT INTO runs (id, title, state, source, started_at) VALUES (?, ?, ?, ?, ?)",
            (run, title, "running", str(source) if source else None, now),
        )
        ledgers = []
        for position, ticket in enumerate(tickets):
            cursor = self._connection.execute(
                "INSERT INTO tickets (run, position, name, spec, state) VALUES (?, ?, ?, ?, ?)",
                (run, position, ticket.id, msgspec.json.encode(ticket).decode(), "queued"),
            )
            assert cursor.lastrowid is not None
            ledgers.append(Ledger(cursor.lastrowid, run, ticket.id))
        return ledgers

    def _revive(self, run: str) -> list[Ledger]:
        row = self._connection.execute("SELECT state FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise HistoryError(f"{self.path}: no run {run}")
        if row == ("running",):  # its process died while this one was running
            dead_runs.interrupt(self._connection, run, self._clock(), None)
        self._connection.execute(
            "UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?", (run,)
        )
        return load(self._connection, run)

    def _set_state(self, run: str, state: RunState, ended_at: float | None) -> None:
        self._connection.execute(
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
