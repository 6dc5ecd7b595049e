"""What lfg costs while nothing happens: all tickets done, or questions open."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.terminal import Terminal
from bench.wire_job import Load
from bench.wire_lfg import Lfg
from bench.wire_sides import serving
from bench.wire_terminal import all_done, closed, states

_SETTLE = 16.0
"""Seconds until the last token has left every gauge: sparklines move until then."""

_PATIENCE = 60.0
_BARE = "from textual.app import App; App().run()"


class Idle(NamedTuple):
    """The share of a core, and how often a second any thread was woken."""

    share: float
    wakes: float

    def line(self) -> str:
        """The figures."""
        return f"{self.share:6.2%} of a core, {self.wakes:5.1f} wake-ups a second"


def bare(seconds: float) -> Idle:
    """A Textual app without anything in it."""
    terminal = Terminal([sys.executable, "-c", _BARE], {})
    time.sleep(_SETTLE)
    return _watched(terminal, seconds)


def done(load: Load, lfg: Lfg, seconds: float) -> Idle:
    """lfg after its last ticket is done."""
    with serving(load) as server, lfg.prepared(load, server.port) as prepared:
        terminal = Terminal(prepared.command, prepared.environment, lfg.root)
        _wait(lambda: all_done(prepared))
        return _watched(terminal, seconds)


def asking(questions: int, lfg: Lfg, seconds: float) -> Idle:
    """lfg while so many tickets ask to run a command."""
    load = Load("openai-chat", questions, 100, 1)
    with serving(load) as server, lfg.prepared(load, server.port, asks=True) as prepared:
        terminal = Terminal(prepared.command, prepared.environment, lfg.root)
        _wait(lambda: states(prepared) == ["needs_approval"] * questions)
        return _watched(terminal, seconds)


def _wait(is_so: Callable[[], bool]) -> None:
    gives_up = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > gives_up:
            raise RuntimeError("lfg did not come to rest")
        time.sleep(0.2)
    time.sleep(_SETTLE)


def _watched(terminal: Terminal, seconds: float) -> Idle:
    worker = _worker(terminal.process.pid)
    before = _spent(worker)
    time.sleep(seconds)
    after = _spent(worker)
    closed(terminal)
    return Idle((after[0] - before[0]) / seconds, (after[1] - before[1]) / seconds)


def _worker(process: int) -> int:
    """The process of which the one that was started is the parent, where that only waits."""
    commands = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    line = Path(f"/proc/{process}/cmdline").read_bytes()
    return next(
        (int(one) for one in commands if Path(f"/proc/{one}/cmdline").read_bytes() == line), process
    )


def _spent(process: int) -> tuple[float, int]:
    """Seconds of CPU and voluntary waits of all its threads, as Linux counts them."""
    cpu, waits = 0.0, 0
    for thread in Path(f"/proc/{process}/task").iterdir():
        cpu += int((thread / "schedstat").read_text().split()[0]) / 1e9
        for line in (thread / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                waits += int(line.split()[1])
    return cpu, waits
