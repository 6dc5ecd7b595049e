"""Runs and tickets as rows of the file, and tickets' states, which follow from their entries."""

import sqlite3
from contextlib import suppress
from typing import NamedTuple

from lfgtui.errors import IllegalMoveError
from lfgtui.history.storage import entries
from lfgtui.history.storage.segments import OpenSegments, Segment
from lfgtui.model import events as e
from lfgtui.model.events import time_at
from lfgtui.model.fold.states import ENDED, State, StateMachine


class RunRow(NamedTuple):
    """A row of the table `runs`; the fields are its columns. Times in seconds since the epoch.

    `source` is the tickets file, or `reader.IMPORTED`.
    """

    id: str
    title: str
    state: str
    source: str | None
    started_at: float
    ended_at: float | None = None
    pinned: int = 0
    note: str = ""


class RunClock:
    """Gives a run's entries their times: each is later than the one before, in all tickets.

    So a time is a place in the run (`model.events.Entry.place`). `_last` is the newest place.
    """

    def __init__(self) -> None:
        self._last = -1

    def next(self, at: float) -> float:
        """Return the time of an entry that happened `at`, in whole milliseconds if possible.

        These take least room in packs. If it would not be later than the last entry, it is one
        microsecond after that.
        """
        self._last = max(round(at * 1000) * 1000, self._last + 1)
        return time_at(self._last)

    def note(self, entry: e.Entry) -> None:
        """Note an entry that has its time already, so that later ones come after it."""
        self._last = max(self._last, entry.place)


class TicketState:
    """A ticket's row, which follows from its entries alone; `rowid` is its key in `tickets`.

    It numbers events: an entry gets the next `seq` and a time by the run's `clock`, which all
    tickets of the run share. `last_seq` and `last_at` are the newest entry's number and time,
    `stored_seq` is the number of the newest committed one, set by `WrittenFile`. `complete_to` is
    the number up to which entries may be packed, None unless the newest entry changed it.
    `attempt`, `provider` and `model` are those of the newest attempt. `state` is None before the
    first entry. `started_at` and `ended_at` are in seconds since the epoch.
    """

    def __init__(self, rowid: int, run: str, ticket: str, clock: RunClock | None = None) -> None:
        self.rowid = rowid
        self.run = run
        self.ticket = ticket
        self.clock = clock or RunClock()
        self.last_seq = 0
        self.stored_seq = 0
        self.complete_to: int | None = None
        self.state: State | None = None
        self.last_at: float | None = None
        self.attempt = 0
        self.provider: str | None = None
        self.model: str | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._segments = OpenSegments()
        self._machine = StateMachine()
        self._spent: float | None = None
        self._turn_cost: float | None = None

    @property
    def cost(self) -> float | None:
        """USD for all turns of all attempts; None if no cost is known."""
        if self._turn_cost is None:
            return self._spent
        return (self._spent or 0.0) + self._turn_cost

    @property
    def has_ended(self) -> bool:
        """True if the ticket has ended."""
        return self.state in ENDED

    def number(self, attempt: int, at: float, event: e.Event) -> tuple[e.Entry, list[Segment]]:
        """Return the event as this ticket's next entry, and the segments that it closes."""
        at = self.clock.next(at)
        entry = e.Entry(self.run, self.ticket, attempt, self.last_seq + 1, at, event)
        return entry, self.apply(entry)

    def apply(self, entry: e.Entry) -> list[Segment]:
        """Apply an entry; return the segments that it closes."""
        event = entry.event
        self.clock.note(entry)
        self.last_seq, self.last_at, self.attempt = entry.seq, entry.at, entry.attempt
        with suppress(IllegalMoveError):  # it is stored all the same; the fold reports it
            self._machine.apply(event)
        self.state = self._machine.state
        match event:
            case e.AttemptStarted(provider, model):
                self.provider, self.model = provider, model
                self.started_at = entry.at if self.started_at is None else self.started_at
                self._end_turn()
            case e.TurnBegun():
                self._end_turn()
            case e.Usage():
                self._turn_cost = event.cost
            case e.TicketQueued():
                self.ended_at = None
            case e.Ending():
                self.ended_at = entry.at
            case _:
                pass
        closed = self._segments.apply(entry)
        self.complete_to = self._segments.complete_to(entry)
        return closed

    def _end_turn(self) -> None:
        """Make the turn's last usage final."""
        self._spent, self._turn_cost = self.cost, None


def insert_run(db: sqlite3.Connection, row: RunRow) -> None:
    """Store a new run, without tickets."""
    db.execute(f"INSERT INTO runs ({', '.join(row._fields)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def store_ticket(
    db: sqlite3.Connection, run: str, name: str, spec: str, clock: RunClock | None = None
) -> TicketState:
    """Store a new ticket of the run, or the new request of one; `spec` is the request as JSON.

    A new ticket is queued, after the run's others.
    """
    db.execute(
        "INSERT INTO tickets (run, position, name, spec, state)"
        " SELECT ?1, count(*), ?2, ?3, 'queued' FROM tickets WHERE run = ?1"
        " ON CONFLICT (run, name) DO UPDATE SET spec = ?3",
        (run, name, spec),
    )
    key = "SELECT id FROM tickets WHERE run = ? AND name = ?"
    (rowid,) = db.execute(key, (run, name)).fetchone()
    return TicketState(rowid, run, name, clock)


def hand_outs(db: sqlite3.Connection, run: str) -> dict[str, tuple[int, bool]]:
    """Return, by ticket, its highest fence, and whether a worker has it now."""
    rows = db.execute("SELECT ticket, fence, is_out FROM hand_outs WHERE run = ?", (run,))
    return {ticket: (fence, bool(is_out)) for ticket, fence, is_out in rows}


def load(connection: sqlite3.Connection, run: str) -> list[TicketState]:
    """Return the states of a stored run's tickets, in order, by applying all their entries."""
    rows = connection.execute(
        "SELECT id, name FROM tickets WHERE run = ? ORDER BY position", (run,)
    ).fetchall()
    clock = RunClock()
    states = [TicketState(rowid, run, name, clock) for rowid, name in rows]
    for state in states:
        for row in entries.stored(connection, state.rowid):
            state.apply(entries.entry(run, state.ticket, row))
        state.stored_seq = state.last_seq
    return states
