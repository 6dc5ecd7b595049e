"""A stored run as it stood at any moment: a `RunView` with a position."""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter

import msgspec

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.model.events import Entry
from lfgtui.model.metrics import WINDOW, Health, Meter
from lfgtui.model.redaction import redacted_entries, redacted_ticket
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.settings.config import SIMULATED
from lfgtui.text.redaction.redactor import Redactor
from lfgtui.ui.replay.timeline import IDLE_LIMIT, Timeline

_STRIDE = 256
"""Entries that are folded between two looks at the clock."""


class _Folded(msgspec.Struct):
    """One ticket: its folds, how many entries they have seen, how many they are to see."""

    transcript: Transcript = msgspec.field(default_factory=Transcript)
    meter: Meter = msgspec.field(default_factory=Meter)
    count: int = 0
    target: int = 0


class ReplayedRun:
    """Transcripts and meters as they were when `count` entries had happened.

    Forward they grow, as live ones do. Back, a ticket of which something is
    taken away gets a new transcript, folded from its beginning: a fold has no
    way back. A long way takes more than one call of `proceed`, so that a
    screen can say that it is on it; `ticks` is the time that passes meanwhile.
    """

    health = Health()

    def __init__(
        self,
        run: str,
        title: str,
        tickets: Sequence[Ticket],
        timeline: Timeline,
        is_simulated: bool = False,
        ticks: Callable[[], float] = perf_counter,
    ) -> None:
        self.run = run
        self._ticks = ticks
        self.is_simulated = is_simulated
        self.title = title
        self.tickets = tuple(tickets)
        self.timeline = timeline
        self.count = 0
        self.now = timeline.began_at
        self._folded = {ticket.id: _Folded() for ticket in tickets}
        self._behind: list[str] = []
        self._changed: set[str] = set()

    def transcript(self, ticket: str) -> Transcript:
        return self._folded[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._folded[ticket].meter

    @property
    def is_busy(self) -> bool:
        """True while `proceed` has more to do before the run stands where it should."""
        return bool(self._behind)

    def move_to(self, count: int, now: float) -> None:
        """Have so many entries happened and that be the time. `proceed` does it."""
        is_back = now < self.now
        self.count, self.now = count, now
        for ticket, folded in self._folded.items():
            target = self.timeline.own_count(ticket, count)
            if target < folded.count or (is_back and self._is_recent(ticket, target)):
                self._folded[ticket] = folded = _Folded()
                self._changed.add(ticket)
            folded.target = target
            if target > folded.count and ticket not in self._behind:
                self._behind.append(ticket)

    def _is_recent(self, ticket: str, count: int) -> bool:
        """Return True if the meter may have let go what counts again now that it is earlier."""
        return count > 0 and self.timeline.own_time(ticket, count) >= self.now - WINDOW

    def proceed(self, seconds: float = float("inf")) -> set[str]:
        """Work on it for about so long; once it is done, return the tickets that changed."""
        until = self._ticks() + seconds
        while self._behind:
            self._fold_some(self._behind[-1])
            if self._behind and self._ticks() >= until:
                return set()
        changed, self._changed = self._changed, set()
        return changed

    def _fold_some(self, ticket: str) -> None:
        folded, entries = self._folded[ticket], self.timeline.of_ticket[ticket]
        until = min(folded.target, folded.count + _STRIDE)
        for entry in entries[folded.count : until]:
            folded.transcript.apply(entry)
            folded.meter.apply(entry)
            self._changed.add(ticket)
        folded.count = until
        if until == folded.target:
            self._behind.remove(ticket)


def read_replay(
    reader: Reader, run: str, idle_limit: float = IDLE_LIMIT, redactor: Redactor | None = None
) -> ReplayedRun:
    """Read a whole run to be replayed; for a thread, as a long one takes a while.

    With a `redactor` it comes without its secrets. One that still works is read as
    far as it has come. Raises `HistoryError`, and `UsageError` where there is no
    such run or nothing in it.
    """
    title = reader.run(run).title
    stored = reader.tickets(run)
    tickets = [one.ticket for one in stored]
    if not tickets:
        raise UsageError(f"run {run} has no tickets to replay")
    entries: dict[str, Iterable[Entry]] = {
        ticket.id: reader.entries(run, ticket.id) for ticket in tickets
    }
    if redactor is not None:
        title = redactor.whole(title)
        tickets = [redacted_ticket(redactor, ticket) for ticket in tickets]
        entries = {name: redacted_entries(redactor, own) for name, own in entries.items()}
    is_simulated = any(one.provider in SIMULATED for one in stored)
    return ReplayedRun(run, title, tickets, Timeline(entries, idle_limit), is_simulated)
