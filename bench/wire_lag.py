"""From the server's write of a token to where a person, or a program, can read it."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import IO, NamedTuple

from bench import wire_text
from bench.wire_job import Load, Log
from lfgtui.text.figures import percentile


class Lag(NamedTuple):
    """Seconds; of how many streams that could be seen, and how many marks of theirs never were."""

    p50: float
    p99: float
    streams: int
    unseen: int


class Sightings:
    """When each stream's marks could first be read."""

    def __init__(self) -> None:
        self.first: defaultdict[int, dict[int, float]] = defaultdict(dict)

    def saw(self, at: float, text: str) -> None:
        """This text could be read at that time; call it in the order of time."""
        for found in wire_text.MARK.finditer(text):
            stream, number = wire_text.stream_of(found)
            self.first[stream].setdefault(number, at)

    def lag(self, load: Load, log: Log) -> Lag:
        """How late the marks were, from the first that was seen of each stream on.

        A mark that was never seen, though a later one of its stream was, has gone by
        unseen: it is as late as that one.
        """
        lags: list[float] = []
        for stream, first in self.first.items():
            marked, soonest = wire_text.marked(stream, load.length), inf
            for number in range(len(marked) - 1, min(first) - 1, -1):
                soonest = min(soonest, first.get(number, inf))
                lags.append(soonest - log.written[stream][marked[number]])
        seen = [lag for lag in lags if lag < inf]
        unseen = len(lags) - len(seen)
        return Lag(percentile(seen, 0.5), percentile(seen, 0.99), len(self.first), unseen)


class Lines:
    """Reads a process's lines, and notes when each had come."""

    def __init__(self) -> None:
        self._chunks: list[tuple[float, bytes]] = []

    def drain(self, output: IO[bytes]) -> None:
        """Read to the end; nothing is looked at meanwhile."""
        while data := os.read(output.fileno(), 1 << 16):
            self._chunks.append((time.monotonic(), data))

    def sightings(self) -> Sightings:
        """What could be read when."""
        sightings = Sightings()
        for at, line in self._lines():
            sightings.saw(at, line.decode())
        return sightings

    def _lines(self) -> Iterable[tuple[float, bytes]]:
        begun = b""
        for at, data in self._chunks:
            *whole, begun = (begun + data).split(b"\n")
            yield from ((at, line) for line in whole)
