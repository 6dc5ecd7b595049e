"""A ticket as the recorder keeps it: its row in `tickets`, and the entries that move it.

It gives an event its `seq` and so turns it into an `Entry`. It is a function
of the ticket's entries alone: a resumed ticket's is made by reading them once
more, and comes out as it was.
"""

import sqlite3
from contextlib import suppress

from lfgtui.errors import IllegalMoveError
from lfgtui.history.storage import rows, sealing
from lfgtui.history.storage.segments import OpenSegments, Segment
from lfgtui.model import events as e
from lfgtui.model.states import ENDED, State, StateMachine


class TicketState:
    """A ticket's columns and its open segments. `rowid` is its key in `tickets`.

    `last_seq` is the newest entry's number, `stored_seq` that of the newest one committed.
    """

    def __init__(self, rowid: int, run: str, ticket: str) -> None:
        self.rowid = rowid
        self.run = run
        self.ticket = ticket
        self.last_seq = 0
        self.stored_seq = 0
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
        self._complete_to: int | None = None

    @property
    def state(self) -> State | None:
        """State of the ticket; None before its first entry."""
        return self._machine.state

    @property
    def cost(self) -> float | None:
        """USD over all turns of all attempts; None where no price is known."""
        if self._turn_cost is None:
            return self._spent
        return (self._spent or 0.0) + self._turn_cost

    @property
    def ended(self) -> bool:
        """True if the ticket has ended."""
        return self.state in ENDED

    @property
    def complete_to(self) -> int | None:
        """The seq up to which all text is complete, if the entry just taken made it so."""
        return self._complete_to

    def number(self, attempt: int, at: float, event: e.Event) -> tuple[e.Entry, list[Segment]]:
        """The event as this ticket's next entry, and the segments that it closes."""
        at = round(at, 3)  # as it is shown, and small to store
        entry = e.Entry(self.run, self.ticket, attempt, self.last_seq + 1, at, event)
        return entry, self.apply(entry)

    def apply(self, entry: e.Entry) -> list[Segment]:
        """Take an entry into account; gives the segments that it closes."""
        event = entry.event
        self.last_seq, self.last_at, self.attempt = entry.seq, entry.at, entry.attempt
        with suppress(IllegalMoveError):  # the fold that shows it says so; it is kept all the same
            self._machine.apply(event)
        match event:
            case e.AttemptStarted(provider, model):
                self.provider, self.model = provider, model
                self.started_at = entry.at if self.started_at is None else self.started_at
                self._settle()
            case e.RequestSent():
                self._settle()
            case e.Usage():
                self._turn_cost = event.cost
            case e.TicketQueued():
                self.ended_at = None
            case e.Ending():
                self.ended_at = entry.at
            case _:
                pass
        closed = self._segments.apply(entry)
        self._complete_to = self._segments.complete_to(entry)
        return closed

    def _settle(self) -> None:
        """The turn is over: its last usage is final."""
        self._spent, self._turn_cost = self.cost, None


def load(connection: sqlite3.Connection, run: str) -> list[TicketState]:
    """The states of a stored run, in ticket order."""
    found = connection.execute(
        "SELECT id, name FROM tickets WHERE run = ? ORDER BY position", (run,)
    ).fetchall()
    states = [TicketState(rowid, run, name) for rowid, name in found]
    for state in states:
        for row in sealing.stored(connection, state.rowid):
            state.apply(rows.entry(run, state.ticket, row))
        state.stored_seq = state.last_seq
    return states
