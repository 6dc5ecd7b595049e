"""The times of everything in a run, on a clock without its idle hours.

Two clocks: *recorded* is the time of day at which something happened, *played*
the seconds since the replay's beginning. They run alike, except that a gap in
which nothing happened is cut to `idle_limit` seconds: the played clock leaps over
the rest of it. A run that was resumed two days later plays on after a few seconds.

A position in the timeline is the number of entries that have happened. Several may
have the same moment, so a moment alone is not enough.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from lfgtui.model.events import Entry

IDLE_LIMIT = 15.0
"""Seconds of a gap that are kept by default: enough to see a stall."""


class Timeline:
    """All entries of a run in the order they happened, each ticket's own in `seq` order.

    `entries` has all of them, `of_ticket` each ticket's. `idle_limit` is in seconds; 0 keeps every
    gap. A clock that was set back while the run worked stands still until it has caught up.
    """

    def __init__(
        self, entries: Mapping[str, Iterable[Entry]], idle_limit: float = IDLE_LIMIT
    ) -> None:
        self.of_ticket: dict[str, list[Entry]] = {t: list(own) for t, own in entries.items()}
        stamped = sorted(self._stamped(), key=lambda one: one[:2])  # stable: seq decides the rest
        self.entries: list[Entry] = [entry for _, _, entry in stamped]
        self._counts: dict[str, list[int]] = {ticket: [] for ticket in self.of_ticket}
        for count, entry in enumerate(self.entries, 1):
            self._counts[entry.ticket].append(count)
        self._recorded = [at for at, _, _ in stamped]
        self._played = [0.0] if stamped else []
        for before, after in pairwise(self._recorded):
            gap = after - before
            kept = min(gap, idle_limit) if idle_limit else gap
            self._played.append(self._played[-1] + kept)

    def _stamped(self) -> Iterator[tuple[float, int, Entry]]:
        for number, own in enumerate(self.of_ticket.values()):
            at = float("-inf")
            for entry in own:
                at = max(at, entry.at)
                yield at, number, entry

    @property
    def count(self) -> int:
        """Number of entries."""
        return len(self.entries)

    @property
    def length(self) -> float:
        """Seconds that the replay takes."""
        return self._played[-1] if self._played else 0.0

    @property
    def began_at(self) -> float:
        """The time of day of the first entry."""
        return self._recorded[0] if self._recorded else 0.0

    @property
    def ended_at(self) -> float:
        """The time of day of the last entry."""
        return self._recorded[-1] if self._recorded else 0.0

    def count_at(self, played: float) -> int:
        """Return the number of entries that have happened at a moment of the replay."""
        return bisect_right(self._played, played)

    def played_at(self, count: int) -> float:
        """Return the moment of entry number `count`; 0 before the first."""
        return self._played[count - 1] if count else 0.0

    def recorded_at(self, played: float) -> float:
        """Return the time of day at a moment of the replay."""
        index = self.count_at(played) - 1
        if index < 0 or index == self.count - 1:
            return self.ended_at if index >= 0 else self.began_at
        return self._recorded[index] + played - self._played[index]

    def find_time(self, recorded: float) -> float:
        """Return the moment of the replay at a time of day, or if that was cut, the next one."""
        index = bisect_right(self._recorded, recorded) - 1
        if index < 0:
            return 0.0
        if index == self.count - 1:
            return self.length
        return min(self._played[index] + recorded - self._recorded[index], self._played[index + 1])

    def find_entry(self, ticket: str, seq: int) -> int | None:
        """Return the position at which that entry is the newest; None if there is no such entry."""
        own = self.of_ticket.get(ticket, [])
        index = bisect_left(own, seq, key=lambda entry: entry.seq)
        return self._counts[ticket][index] if index < len(own) and own[index].seq == seq else None

    def own_count(self, ticket: str, count: int) -> int:
        """Return how many entries of the ticket are among the first `count` of all."""
        return bisect_right(self._counts[ticket], count)

    def own_time(self, ticket: str, own: int) -> float:
        """Return the time of day of a ticket's entry, counted from 1."""
        return self._recorded[self._counts[ticket][own - 1] - 1]

    def step(self, count: int, step: int, ticket: str | None = None) -> int:
        """Return the position `step` entries later (or earlier), of the ticket or (None) of all."""
        if ticket is None:
            return max(0, min(self.count, count + step))
        counts = self._counts[ticket]
        target = bisect_right(counts, count) + step
        if not counts or target > len(counts):
            return count
        return counts[target - 1] if target > 0 else counts[0] - 1

    def cut_after(self, count: int) -> float:
        """Return the seconds that were cut out of the gap after that many entries."""
        if not 0 < count < self.count:
            return 0.0
        gap = self._recorded[count] - self._recorded[count - 1]
        return gap - (self._played[count] - self._played[count - 1])
