"""Measurements while a case runs: delays of keys, words and signals, memory, CPU."""

import re
import signal
import threading
import time
from typing import NamedTuple

from tests.hostile.cases import WORDS, Case
from tests.hostile.process import Gauge
from tests.hostile.session import FIRST, KEYS, SECOND, Key, Session

HANG = 20.0
"""Seconds that are never."""

_LONGEST = 60.0
_GAP = 0.15  # seconds between two keys
_JUST_BEFORE = 0.5  # seconds in which a word that was sent need not be on the screen yet
_WORD = re.compile(rb"w(\d{4})")


class Figures(NamedTuple):
    """What was measured of one run. Times in seconds, None for never; sizes in bytes."""

    keys: list[float | None]
    ended: float | None
    lag: float | None
    peak: int
    children: int
    cpu: float

    @property
    def slowest(self) -> float:
        """The slowest key."""
        return max((HANG if key is None else key for key in self.keys), default=0.0)


def measured(case: Case, one: Session) -> Figures:
    """Press keys while the case goes on beside the neighbour, then end it by a signal.

    Times are without those in which lfg, or who reads its terminal, waited
    for a CPU: others may be at work on the machine.
    """
    gauge = Gauge(one.pid, one.terminal.reader_id)
    measuring = _Measuring(one, gauge)
    if case.act is None:
        measuring.press_until_the_neighbour_is_done()
    else:
        measuring.act(case)
    before = len(one.hostile.notes)
    if case.act is None:  # the second ticket begins now, and in the midst of it comes the signal
        again = time.monotonic() + 3
        while len(one.hostile.notes) == before and time.monotonic() < again:
            time.sleep(0.02)
        time.sleep(0.3)
    ended = measuring.end()
    gauge.stop()
    one.close()
    lag = measuring.lag() if case.sees_all else 0.0
    return Figures(measuring.keys, ended, lag, gauge.peak, gauge.children, gauge.cpu)


class _Measuring:
    """Keys and words of one session."""

    def __init__(self, one: Session, gauge: Gauge) -> None:
        self.keys: list[float | None] = []
        self._one = one
        self._gauge = gauge
        self._mark = len(one.healthy.notes)
        self._hidden: list[tuple[float, float]] = []
        self._until = time.monotonic() + _LONGEST

    def press_until_the_neighbour_is_done(self) -> None:
        """Press one key after the other, from the neighbour's first word to its last."""
        self._wait_for_words(1)
        while not self._is_over(len(WORDS)):
            hidden = 0.0
            for key in KEYS:
                if key.hides:
                    hidden = time.monotonic()
                self._press(key)
                if hidden and not key.hides:
                    self._hidden.append((hidden, time.monotonic()))
                    hidden = 0.0
                time.sleep(_GAP)

    def act(self, case: Case) -> None:
        """Have the case act on the program, wait for the neighbour, see whether keys work."""
        self._wait_for_words(10)
        assert case.act is not None
        acting = threading.Thread(target=self._acted, args=(case,))
        acting.start()
        self._wait_for_words(len(WORDS))
        acting.join(_LONGEST)
        if case.sees_all:
            time.sleep(0.3)
            self._press(SECOND)
            self._press(FIRST)

    def _acted(self, case: Case) -> None:
        assert case.act is not None
        began = time.monotonic()
        case.act(self._one)
        if case.hides:
            self._hidden.append((began, time.monotonic()))

    def end(self) -> float | None:
        """Send SIGTERM; how long lfg took."""
        sent = time.monotonic()
        took = self._one.signal(signal.SIGTERM, HANG)
        return None if took is None else max(0.0, took - self._gauge.waited(sent, sent + took))

    def lag(self) -> float | None:
        """The most time from a word's sending to its showing; None where one never showed."""
        shown: dict[str, float] = {}
        terminal = self._one.terminal
        for found in _WORD.finditer(terminal.written):
            shown.setdefault(f"w{found[1].decode()}", terminal.arrival(found.end()))
        worst = 0.0
        for note in self._one.healthy.notes[self._mark :]:
            if note["event"] != "word":
                continue
            sent, seen = note["at"], shown.get(str(note["word"]))
            assert isinstance(sent, float)
            if seen is None:
                return None
            sent = self._visible_from(sent)
            worst = max(worst, seen - sent - self._gauge.waited(sent, seen))
        return worst

    def _visible_from(self, sent: float) -> float:
        """Return when a word can be seen at the earliest: not while something covers the panes."""
        ends = [end for start, end in self._hidden if start - _JUST_BEFORE <= sent <= end]
        return max(ends, default=sent)

    def _press(self, key: Key) -> None:
        if self._one.terminal.process.poll() is not None:
            return
        pressed = time.monotonic()
        took = self._one.press(key, HANG)
        if took is not None:
            took = max(0.0, took - self._gauge.waited(pressed, pressed + took))
        self.keys.append(took)

    def _wait_for_words(self, count: int) -> None:
        while not self._is_over(count):
            time.sleep(0.05)

    def _is_over(self, count: int) -> bool:
        """Return True if the neighbour has said so many words, or never will."""
        words = sum(note["event"] == "word" for note in self._one.healthy.notes[self._mark :])
        has_ended = self._one.terminal.process.poll() is not None
        return words >= count or has_ended or time.monotonic() > self._until
