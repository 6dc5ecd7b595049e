"""A stored run as it leaves the history, without its secrets where that is asked for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lfgtui.history.reader import Reader, RunSummary
from lfgtui.model.redaction import redacted_entries, redacted_ticket
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.text.redaction.redactor import Redactor


class TicketDocument(NamedTuple):
    """One ticket and its transcript."""

    ticket: Ticket
    transcript: Transcript


class RunDocument:
    """A run, or one ticket of it; a ticket is read when it is its turn.

    Raises `UsageError` where there is no such ticket.
    """

    def __init__(
        self, reader: Reader, run: str, only: str = "", redactor: Redactor | None = None
    ) -> None:
        self._reader = reader
        self._redactor = redactor
        self._stored = reader.tickets(run, only)
        self.summary: RunSummary = reader.run(run)
        self.title = redactor.whole(self.summary.title) if redactor else self.summary.title

    @property
    def run(self) -> str:
        return self.summary.run

    @property
    def ids(self) -> Sequence[str]:
        """The tickets' ids, in the order of their file."""
        return [stored.ticket.id for stored in self._stored]

    def tickets(self) -> Iterator[TicketDocument]:
        """Yield the tickets in the order of their file."""
        for stored in self._stored:
            transcript = Transcript()
            entries = self._reader.entries(self.run, stored.ticket.id)
            for entry in redacted_entries(self._redactor, entries) if self._redactor else entries:
                transcript.apply(entry)
            ticket = stored.ticket
            if self._redactor:
                ticket = redacted_ticket(self._redactor, ticket)
            yield TicketDocument(ticket, transcript)
