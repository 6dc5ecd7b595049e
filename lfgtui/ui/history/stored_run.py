"""A past run as the screen sees it: folded from its entries, never changing."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from lfgtui.history.reader import Reader
from lfgtui.history.search.search import SearchHit
from lfgtui.model.events import Entry
from lfgtui.model.metrics import Meter
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.settings.config import SIMULATED
from lfgtui.ui.stream.search_target import Lead, Spot


class StoredTicketView(msgspec.Struct, frozen=True):
    """One folded ticket; `spot` is where the entry stands that was looked for."""

    ticket: Ticket
    transcript: Transcript
    meter: Meter
    spot: Spot | None = None


class StoredRun:
    """A `ui.view.RunView` that is read once and stays as it was."""

    behind: str | None = None
    resting: Mapping[str, float] = MappingProxyType({})
    queued_bytes: int = 0

    def __init__(
        self, run: str, title: str, folded: Iterable[StoredTicketView], note: str = ""
    ) -> None:
        self._run = run
        self._title = title
        self.note = note
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

    @property
    def is_simulated(self) -> bool:
        """Whether any of it came from simulated models."""
        views = self._by_id.values()
        return any(a.provider in SIMULATED for v in views for a in v.transcript.attempts)

    def spot(self, ticket: str) -> Spot | None:
        """Where in that ticket stands what was looked for; None where it left no trace."""
        return self._by_id[ticket].spot


def read_run(reader: Reader, run: str, sought: tuple[str, int] | None = None) -> StoredRun:
    """Read and fold a whole run; for a thread, as a long one takes a while.

    `sought` is an entry to be spotted: its ticket and seq. Raises
    `HistoryError`, and `UsageError` where there is no such run.
    """
    summary = reader.run(run)
    ticket, seq = sought or ("", 0)
    return StoredRun(
        run,
        summary.title,
        (
            fold(
                stored.ticket,
                reader.entries(run, stored.ticket.id),
                sought=seq if stored.ticket.id == ticket else 0,
            )
            for stored in reader.tickets(run)
        ),
        summary.note,
    )


def lead_of(hit: SearchHit, spot: Spot) -> Lead:
    """The way to a hit whose first entry was spotted there."""
    if not hit.matches:
        return Lead(spot, "")
    start, end = hit.matches[0]
    pattern = " ".join(hit.snippet[start:end].split())
    return Lead(spot, pattern, hit.snippet[:start], hit.snippet[end:])


def fold(ticket: Ticket, entries: Iterable[Entry], *, sought: int = 0) -> StoredTicketView:
    """A ticket's entries as what is shown of it, the one with that seq spotted."""
    transcript, meter = Transcript(), Meter()
    spot = None
    for entry in entries:
        before = _revisions(transcript) if entry.seq == sought else None
        transcript.apply(entry)
        meter.apply(entry)
        if before is not None:
            spot = _touched(_revisions(transcript), before)
    return StoredTicketView(ticket, transcript, meter, spot)


def _revisions(transcript: Transcript) -> list[list[int]]:
    return [[item.revision for item in attempt.items] for attempt in transcript.attempts]


def _touched(now: list[list[int]], before: list[list[int]]) -> Spot | None:
    """The item that came, or else the one that changed: what came may have closed another."""
    before = before + [[]] * (len(now) - len(before))
    for attempt, (items, known) in enumerate(zip(now, before, strict=True)):
        if len(items) > len(known):
            return Spot(attempt, len(items) - 1)
    for attempt, (items, known) in enumerate(zip(now, before, strict=True)):
        for item, (revision, was) in enumerate(zip(items, known, strict=True)):
            if revision != was:
                return Spot(attempt, item)
    return None
