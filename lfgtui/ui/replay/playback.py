"""The player of a replay: its position and speed, playing or held."""

from collections.abc import Callable

from lfgtui.ui.replay.run import ReplayedRun

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

_LEAP = 0.25
"""Seconds a frame moves on at most, at speed 1: what was not on the screen is not missed."""


class Playback:
    """Moves a run along its timeline by a clock that is real, or the recorder's own.

    It moves when it is told that time has passed (`advance`). `position` is in
    seconds of the timeline.
    """

    def __init__(self, run: ReplayedRun, clock: Callable[[], float], *, speed: float = 1.0) -> None:
        self.run = run
        self.speed = speed
        self.position = 0.0
        self.is_playing = True
        self._timeline = run.timeline
        self._clock = clock
        self._looked_at: float | None = None
        self.seek(0.0)

    @property
    def is_at_end(self) -> bool:
        """True once all has happened."""
        return self.run.count == self._timeline.count and self.position >= self._timeline.length

    @property
    def is_skipping(self) -> bool:
        """True in a gap that is cut short."""
        return self._timeline.cut_after(self.run.count) > 0

    def advance(self) -> None:
        """Take in how much time has passed since the last call."""
        now = self._clock()
        before, self._looked_at = self._looked_at, now
        passed = 0.0 if before is None else min(max(0.0, now - before), _LEAP)
        if self.is_playing:
            self._move_to(self.position + passed * self.speed, self.run.count)
            self.is_playing = not self.is_at_end

    def toggle(self) -> None:
        """Hold, or go on; from the end, play it again."""
        if self.is_at_end:
            self.seek(0.0)
            self.is_playing = True
        else:
            self.is_playing = not self.is_playing

    def seek(self, position: float) -> None:
        """Go to that moment, with all that had happened by then."""
        self._move_to(position, 0)

    def seek_entry(self, count: int) -> None:
        """Hold where so many entries have happened, also in the midst of a moment."""
        self.is_playing = False
        self.position = self._timeline.played_at(count)
        self.run.move_to(count, self._timeline.recorded_at(self.position))

    def step(self, entries: int, ticket: str | None = None) -> None:
        """Hold, so many entries on or back, of the ticket or (None) of all."""
        self.seek_entry(self._timeline.step(self.run.count, entries, ticket))

    def change_speed(self, step: int) -> None:
        """Take the next speed up, or (-1) down."""
        others = [s for s in SPEEDS if (s > self.speed if step > 0 else s < self.speed)]
        if others:
            self.speed = min(others) if step > 0 else max(others)

    def _move_to(self, position: float, least: int) -> None:
        self.position = max(0.0, min(self._timeline.length, position))
        count = max(least, self._timeline.count_at(self.position))
        self.run.move_to(count, self._timeline.recorded_at(self.position))
