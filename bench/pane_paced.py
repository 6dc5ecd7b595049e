"""The measurements by the program's own clock: open loop, keys, a terminal that changes size."""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import struct
import termios
import time
from collections.abc import Iterable
from pathlib import Path

import pyte
from textual.geometry import Size

from bench import corpus
from bench.pane_job import Job
from bench.pane_modes import Script, fill
from bench.pane_sides import Side
from bench.pane_watch import Watcher, settle
from lfgtui.text.figures import percentile

RATE = 100
"""Tokens a second a pane."""

GRACE = 0.25
"""Seconds after the last token in which it may still be painted to count as accepted."""

_FEED = 0.01
_SMALL = Size(120, 40)
_REST = 1.5
_STDOUT = 1

_PATIENCE, _LOOK = 10.0, 0.02
"""Seconds for what was on the screen before the feed to be taken in; between two looks."""


class Lags:
    """From when each token was due to the frame that showed it.

    A token that the program was too busy to even fetch was due all the same.
    """

    def __init__(self, watcher: Watcher, panes: int, seconds: float) -> None:
        self.start = time.monotonic() + 0.05
        self.end = self.start + seconds
        self._watcher, self._panes = watcher, panes
        self._before = list(watcher.drawn)
        self._seen = [0] * panes
        self._lags: list[tuple[float, float]] = []

    def due(self, pane: int, number: int) -> float:
        """When the pane's token of that number arrives; panes take turns."""
        return self.start + (number + pane / self._panes) / RATE

    def number_due(self, pane: int, now: float) -> int:
        """How many tokens of the pane have arrived."""
        until = min(now, self.end) - self.start
        return max(0, int(until * RATE - pane / self._panes) + 1) if until >= 0 else 0

    def note(self) -> None:
        """A frame left for the terminal."""
        now = time.monotonic()
        if now > self.end + GRACE:
            return
        for pane, drawn in enumerate(self._watcher.drawn):
            shown = (drawn - self._before[pane]) // corpus.TOKEN
            for number in range(self._seen[pane], shown):
                due = self.due(pane, number)
                self._lags.append((due, now - due))
            self._seen[pane] = max(self._seen[pane], shown)

    def taken(self) -> float:
        """The share of all tokens that panes have taken in, painted or not."""
        drawn = sum(self._watcher.drawn) - sum(self._before)
        due = sum(self.number_due(pane, self.end) for pane in range(self._panes))
        return drawn / corpus.TOKEN / due

    def figures(self) -> dict[str, float]:
        """What was painted in time, and how late; what was not counts as late as it is by now."""
        now = max(time.monotonic(), self.end + GRACE)
        painted = len(self._lags)
        for pane, seen in enumerate(self._seen):
            dues = [self.due(pane, n) for n in range(seen, self.number_due(pane, self.end))]
            self._lags += [(due, now - due) for due in dues]
        middle = (self.start + self.end) / 2
        lags = [lag for _, lag in self._lags]
        return {
            "accepted": painted / len(lags),
            "lag_p50": percentile(lags, 0.5),
            "lag_p99": percentile(lags, 0.99),
            "lag_p99_early": percentile([lag for due, lag in self._lags if due < middle], 0.99),
            "lag_p99_late": percentile([lag for due, lag in self._lags if due >= middle], 0.99),
        }


async def paced(side: Side, job: Job) -> dict[str, float]:
    """Tokens arrive by the clock whether or not the program keeps up."""
    watcher = side.watcher
    script = Script.of_documents(job.panes, job.tokens + int((job.seconds + 1) * RATE))
    await fill(side, script, job.tokens)
    for _ in range(round(_PATIENCE / _LOOK)):
        if min(watcher.drawn) >= job.tokens * corpus.TOKEN:
            break
        await asyncio.sleep(_LOOK)  # what was there before must not count as what came
    todo = script.take(script.left)
    memory, frames = _resident(), watcher.frames
    lags = Lags(watcher, job.panes, job.seconds)
    watcher.on_frame = lags.note
    if watcher.go is not None:
        watcher.go.touch()
    cpu, began = time.process_time(), time.monotonic()
    await _feed(side, lags, todo)
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    await asyncio.sleep(max(0.0, lags.end + GRACE - time.monotonic()))
    taken = lags.taken()
    keys = [(done - read) for read, done in watcher.keys]
    keys += [time.monotonic() - read for read in watcher.keys_waiting]
    gc.collect()
    return {
        **lags.figures(),
        "taken": taken,
        "keys_waiting": len(watcher.keys_waiting),
        "frames": watcher.frames - frames,
        "cpu_share": cpu / wall,
        "rss": _resident(),
        "rss_growth": _resident() - memory,
        "keys": len(keys),
        "key_p50": percentile(keys, 0.5),
        "key_p99": percentile(keys, 0.99),
        "key_max": max(keys, default=0.0),
    }


async def _feed(side: Side, lags: Lags, todo: list[list[str]]) -> None:
    fed = [0] * len(todo)
    now = lags.start
    while now < lags.end:
        now = time.monotonic()
        due = [lags.number_due(pane, now) for pane in range(len(todo))]
        await side.feed(
            {
                pane: tokens[done:number]
                for pane, (tokens, done, number) in enumerate(zip(todo, fed, due, strict=True))
                if number > done
            }
        )
        fed = due
        await asyncio.sleep(_FEED)


def _resident() -> int:
    """Bytes of memory held; where only the peak is known, the peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def resize(side: Side, job: Job) -> dict[str, float]:
    """CPU from a smaller terminal to the first frame that shows it as it will stay."""
    await fill(side, Script.of_documents(job.panes, job.tokens), job.tokens)
    await asyncio.sleep(_REST)
    watcher = side.watcher
    watcher.writes = []
    began = time.process_time()
    size = struct.pack("HHHH", _SMALL.height, _SMALL.width, 0, 0)
    fcntl.ioctl(_STDOUT, termios.TIOCSWINSZ, size)
    os.kill(os.getpid(), signal.SIGWINCH)
    await asyncio.sleep(_REST)
    looking = await settle(side.app, watcher)
    whole = time.process_time() - began - looking
    if side.app.size != _SMALL:
        raise AssertionError(f"the screen is still {side.app.size}")
    shown = _screens(data for _, data in watcher.writes)
    first = shown.index(shown[-1])
    return {"cpu": watcher.writes[first][0] - began, "whole": whole}


def _screens(writes: Iterable[str]) -> list[list[str]]:
    """What a terminal shows after each write."""
    screen = pyte.Screen(_SMALL.width, _SMALL.height)
    stream = pyte.Stream(screen)
    shown = []
    for data in writes:
        stream.feed(data)
        shown.append(list(screen.display))
    return shown
