"""The player: where a replay stands, how fast it goes, and whether it goes."""

from collections.abc import Callable

from lfgtui.ui.replay.run import ReplayedRun

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

_LEAP = 0.25
"""Seconds a frame moves on at most, at speed 1: what was not on the screen is not missed."""


class Playback:
    """Moves a run along its timeline by a clock that is real, or the recorder's own.

    It moves when it is told that time has passed (`advance`). `place` is in
    seconds of the timeline.
    """

    def __init__(self, run: ReplayedRun, clock: Callable[[], float], *, speed: float = 1.0) -> None:
        self.run = run
        self.speed = speed
        self.place = 0.0
        self.is_playing = True
        self._timeline = run.timeline
        self._clock = clock
        self._looked_at: float | None = None
        self.seek(0.0)

    @property
    def is_at_end(self) -> bool:
        """Whether all has happened."""
        return self.run.count == self._timeline.count and self.place >= self._timeline.length

    @property
    def is_skipping(self) -> bool:
        """Whether the gap it is in is cut short."""
        return self._timeline.cut_after(self.run.count) > 0

    def advance(self) -> None:
        """Take in how much time has passed since the last call."""
        now = self._clock()
        before, self._looked_at = self._looked_at, now
        passed = 0.0 if before is None else min(max(0.0, now - before), _LEAP)
        if self.is_playing:
            self._stand_at(self.place + passed * self.speed, self.run.count)
            self.is_playing = not self.is_at_end

    def toggle(self) -> None:
        """Hold, or go on; from the end, play it again."""
        if self.is_at_end:
            self.seek(0.0)
            self.is_playing = True
        else:
            self.is_playing = not self.is_playing

    def seek(self, place: float) -> None:
        """Stand at that moment, with all that had happened by then."""
        self._stand_at(place, 0)

    def seek_entry(self, count: int) -> None:
        """Hold where so many entries have happened, also in the midst of a moment."""
        self.is_playing = False
        self.place = self._timeline.played_at(count)
        self.run.move_to(count, self._timeline.recorded_at(self.place))

    def step(self, entries: int, ticket: str | None = None) -> None:
        """Hold, so many entries on or back, of the ticket or (None) of all."""
        self.seek_entry(self._timeline.beside(self.run.count, entries, ticket))

    def faster(self, step: int) -> None:
        """The next speed up, or (-1) down."""
        others = [s for s in SPEEDS if (s > self.speed if step > 0 else s < self.speed)]
        if others:
            self.speed = min(others) if step > 0 else max(others)

    def _stand_at(self, place: float, least: int) -> None:
        self.place = max(0.0, min(self._timeline.length, place))
        count = max(least, self._timeline.count_at(self.place))
        self.run.move_to(count, self._timeline.recorded_at(self.place))
