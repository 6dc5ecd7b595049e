"""A past run as the screen sees it: folded from its entries, never changing."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from lfgtui.events import Entry
from lfgtui.history.reader import Reader
from lfgtui.metrics import Meter
from lfgtui.tickets import Ticket
from lfgtui.transcript import Transcript


class StoredTicketView(msgspec.Struct, frozen=True):
    """One folded ticket."""

    ticket: Ticket
    transcript: Transcript
    meter: Meter


class StoredRun:
    """A `ui.view.RunView` that is read once and stays as it was."""

    behind: str | None = None
    resting: Mapping[str, float] = MappingProxyType({})
    queued_bytes: int = 0

    def __init__(self, run: str, title: str, folded: Iterable[StoredTicketView]) -> None:
        self._run = run
        self._title = title
        self._by_id = {view.ticket.id: view for view in folded}
        self._tickets = tuple(view.ticket for view in self._by_id.values())

    @property
    def run(self) -> str:
        return self._run

    @property
    def title(self) -> str:
        return self._title

    @property
    def tickets(self) -> Sequence[Ticket]:
        return self._tickets

    def transcript(self, ticket: str) -> Transcript:
        return self._by_id[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._by_id[ticket].meter


def read_run(reader: Reader, run: str) -> StoredRun:
    """Read and fold a whole run; for a thread, as a long one takes a while.

    Raises `HistoryError`, and `UsageError` where there is no such run.
    """
    return StoredRun(
        run,
        reader.run(run).title,
        (
            fold(stored.ticket, reader.entries(run, stored.ticket.id))
            for stored in reader.tickets(run)
        ),
    )


def fold(ticket: Ticket, entries: Iterable[Entry]) -> StoredTicketView:
    """A ticket's entries as what is shown of it."""
    transcript, meter = Transcript(), Meter()
    for entry in entries:
        transcript.apply(entry)
        meter.apply(entry)
    return StoredTicketView(ticket, transcript, meter)
