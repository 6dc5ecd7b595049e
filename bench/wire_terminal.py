"""lfg on a pseudo-terminal, and when what was written to it could be read there."""

import time
from collections.abc import Iterator

import pyte

from bench.terminal import COLUMNS, ROWS, Terminal
from bench.wire_job import Load, Taken
from bench.wire_lag import Lag, Sightings
from bench.wire_lfg import Lfg, Prepared
from bench.wire_machine import Machine
from bench.wire_sides import Ended, patience, serving, wait
from lfgtui.history.reader import Reader

_LOOK = 0.2
"""Seconds between two looks at the history, once all should be done."""

_SETTLE = 0.3
"""Seconds for the last frame."""

_PATIENCE = 10.0
"""Seconds to quit."""

_BADGE = "●"
"""Stands before each ticket that runs."""


class Screen:
    """What is to be read on the terminal after each write."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def changed(self, data: bytes) -> Iterator[str]:
        """The rows that the data changed, as they are now."""
        self._stream.feed(data)
        for y in self._screen.dirty:
            yield self.row(y)
        self._screen.dirty.clear()

    def arrangement(self) -> object:
        """What no token changes: which view, where the panes are, and which one is current."""
        place = self.row(ROWS - 1).split()[-2:]
        heads = [
            (y, x, cells[x].bg)
            for y, cells in ((y, self._screen.buffer[y]) for y in range(ROWS))
            for x in range(COLUMNS)
            if cells[x].data == _BADGE
        ]
        return place, heads

    def row(self, y: int) -> str:
        """The text of one row."""
        cells = self._screen.buffer[y % ROWS]
        return "".join(cells[x].data for x in range(COLUMNS))


def states(prepared: Prepared) -> list[str]:
    """Each ticket's state, as the history says."""
    with Reader(prepared.history) as reader:
        return [ticket.state for run in reader.runs(1) for ticket in reader.tickets(run.run)]


def closed(terminal: Terminal) -> Ended:
    """End the process as it is, and with it the terminal."""
    terminal.process.kill()
    ended = wait(terminal.process, _PATIENCE)
    terminal.close()
    return ended


def all_done(prepared: Prepared) -> bool:
    """Whether the history says so of every ticket."""
    with Reader(prepared.history) as reader:
        runs = list(reader.runs(1))
        return bool(runs) and all(run.tickets == run.done for run in runs)


def terminal(load: Load, lfg: Lfg) -> Taken:
    """`lfg run` on a terminal, quit once all tickets are done."""
    machine = Machine()
    with serving(load) as server, lfg.prepared(load, server.port) as prepared:
        screen = Terminal(prepared.command, prepared.environment, lfg.root)
        gives_up = time.monotonic() + patience(load)
        time.sleep(load.seconds)
        while not all_done(prepared) and time.monotonic() < gives_up:
            time.sleep(_LOOK)
        time.sleep(_SETTLE)
        screen.type(b"q")
        ended = wait(screen.process, _PATIENCE)
        screen.close()
        log = server.log()
        others = machine.others(ended.cpu + log.cpu)
        outcome = prepared.outcome(load)
    return Taken(ended.cpu, outcome.ended, outcome.dropped, log, others, screen.written)


def lag(load: Load, taken: Taken) -> Lag:
    """How late the marks were on the terminal, in the panes that were in sight."""
    screen, seen = Screen(), Sightings()
    for at, data in taken.written:
        for row in screen.changed(data):
            seen.saw(at, row)
    return seen.lag(load, taken.log)
