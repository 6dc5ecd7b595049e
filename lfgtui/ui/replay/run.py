"""A stored run as it stood at any moment: a `RunView` that plays."""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter

import msgspec

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.model.events import Entry
from lfgtui.model.fold.metrics import WINDOW, Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.redaction import redacted_entries, redacted_ticket
from lfgtui.model.tickets import Ticket
from lfgtui.settings.providers import SIMULATED
from lfgtui.text.redactor import Redactor
from lfgtui.ui.replay.timeline import IDLE_LIMIT, Timeline

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""The speeds that keys go through: seconds of the timeline for each second of the person's."""

_LEAP = 0.25
"""Most seconds of the run that one frame plays, at speed 1: after a slow frame the replay is late
rather than skipping ahead."""

_STRIDE = 256
"""Entries folded before the clock is read again."""


class _Folded(msgspec.Struct):
    """One ticket: its transcript and meter, the number of entries they have folded (`count`), and
    the number they should have (`target`)."""

    transcript: Transcript
    meter: Meter = msgspec.field(default_factory=Meter)
    count: int = 0
    target: int = 0


class ReplayedRun:
    """Transcripts and meters as they were when `count` entries had happened, at `position`.

    Each call of `advance` plays on along the timeline; `position` is in seconds of
    playing time. Going forward, transcripts grow as live ones do. Going back, a ticket
    that loses entries gets a new transcript, folded from its beginning: a transcript
    cannot drop entries. A long way takes more than one call of `proceed`, so that a
    screen can say that it is seeking; `ticks` is the clock that ends each call.
    """

    health = Health()

    def __init__(
        self,
        run: str,
        title: str,
        tickets: Sequence[Ticket],
        timeline: Timeline,
        *,
        is_simulated: bool = False,
        ticks: Callable[[], float] = perf_counter,
    ) -> None:
        self.run = run
        self.title = title
        self.tickets = tuple(tickets)
        self.timeline = timeline
        self.is_simulated = is_simulated
        self.speed = 1.0
        """One of `SPEEDS`."""
        self.is_playing = True
        """True unless it is paused or at its end."""
        self.position = 0.0
        self.count = 0
        self.now = timeline.began_at
        """The recorded time of day at the position, which is the panes' clock."""
        self._ticks = ticks
        self._looked_at: float | None = None  # when `advance` was last called while it played
        self._folded = {one.id: _Folded(Transcript(one.workspace)) for one in tickets}
        self._behind: list[str] = []  # tickets with entries that are still to be folded
        self._changed: set[str] = set()
        self.seek(0.0)

    def transcript(self, ticket: str) -> Transcript:
        return self._folded[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._folded[ticket].meter

    # Playing

    @property
    def is_at_end(self) -> bool:
        """True once all entries have happened."""
        return self.count == self.timeline.count and self.position >= self.timeline.length

    def advance(self, now: float) -> None:
        """Move on by the time since the last call; `now` is by any steady clock."""
        before, self._looked_at = self._looked_at, now if self.is_playing else None
        passed = 0.0 if before is None else min(max(0.0, now - before), _LEAP)
        if self.is_playing:
            self._move_to(self.position + passed * self.speed, self.count)
            self.is_playing = not self.is_at_end

    def toggle(self) -> None:
        """Pause, or play on; at the end, play from the beginning."""
        if self.is_at_end:
            self.seek(0.0)
            self.is_playing = True
        else:
            self.is_playing = not self.is_playing

    def change_speed(self, step: int) -> None:
        """Take the next speed up, or (-1) down."""
        others = [s for s in SPEEDS if (s > self.speed if step > 0 else s < self.speed)]
        if others:
            self.speed = min(others) if step > 0 else max(others)

    # Going elsewhere; `proceed` does it

    def seek(self, position: float) -> None:
        """Go to a position, with all entries up to then."""
        self._move_to(position, 0)

    def seek_entry(self, count: int) -> None:
        """Pause where `count` entries have happened, even if more have the same position."""
        self.is_playing = False
        self.position = self.timeline.played_at(count)
        self._happen(count)

    def step(self, entries: int, ticket: str | None = None) -> None:
        """Pause that many entries later or (negative) earlier, of the ticket or (None) of all."""
        self.seek_entry(self.timeline.step(self.count, entries, ticket))

    def _move_to(self, position: float, least: int) -> None:
        """Go to the position, with all entries up to then and at least the first `least`."""
        self.position = max(0.0, min(self.timeline.length, position))
        self._happen(max(least, self.timeline.count_at(self.position)))

    def _happen(self, count: int) -> None:
        """Set the number of entries that should have happened; `proceed` folds them.

        Going back, transcripts that have too many entries are begun anew.
        """
        now = self.timeline.recorded_at(self.position)
        is_back = now < self.now
        self.count, self.now = count, now
        for ticket, folded in self._folded.items():
            target = self.timeline.own_count(ticket, count)
            if target < folded.count or (is_back and self._is_recent(ticket, target)):
                folded = _Folded(Transcript(folded.transcript.workspace))
                self._folded[ticket] = folded
                self._changed.add(ticket)
            folded.target = target
            if target > folded.count and ticket not in self._behind:
                self._behind.append(ticket)

    def _is_recent(self, ticket: str, count: int) -> bool:
        """Return True if, going back, the meter may lack recent figures that it had dropped."""
        return count > 0 and self.timeline.own_time(ticket, count) >= self.now - WINDOW

    @property
    def is_busy(self) -> bool:
        """True while `proceed` has more to do before the run stands where it should."""
        return bool(self._behind)

    def proceed(self, seconds: float = float("inf")) -> set[str]:
        """Fold for about `seconds`; once done, return the tickets that changed."""
        until = self._ticks() + seconds
        while self._behind:
            self._fold_some(self._behind[-1])
            if self._behind and self._ticks() >= until:
                return set()
        changed, self._changed = self._changed, set()
        return changed

    def _fold_some(self, ticket: str) -> None:
        """Fold up to `_STRIDE` entries of the ticket, which is off the list once it has all."""
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

    With a `redactor` its secrets are taken out. A run at work is read as far as it
    has come. Raises `HistoryError`, and `UsageError` if there is no such run or it
    is empty.
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
    timeline = Timeline(entries, idle_limit)
    return ReplayedRun(run, title, tickets, timeline, is_simulated=is_simulated)
