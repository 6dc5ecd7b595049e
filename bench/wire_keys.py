"""How long a key takes on a terminal while every ticket streams over the wire."""

import time
from collections import defaultdict
from typing import NamedTuple

import msgspec

from bench.terminal import Terminal
from bench.wire_job import Load
from bench.wire_lfg import Lfg
from bench.wire_machine import Machine
from bench.wire_sides import serving
from bench.wire_terminal import Screen, closed
from lfgtui.text.figures import percentile

_WARM_UP, _BETWEEN = 5.0, 0.7
"""Seconds before the first key, when all tickets run (their badges are part of what is looked at);
from one to the next, an odd part of which is added in turn."""

_TURN = b"jkjkjkvvv"
"""To the pane below and back, then through the views and back."""

_KEYS = {"j": "next ticket", "k": "next ticket", "v": "change of view"}
"""What each is counted as."""


class Pressed(NamedTuple):
    """Seconds from the key's byte to the first write that shows its effect, and to the last."""

    first: float
    whole: float


class Keys(msgspec.Struct):
    """What came of one kind of key."""

    pressed: list[Pressed] = []
    unseen: int = 0
    """Keys whose effect was not seen before the next one."""

    def line(self) -> str:
        """The figures."""
        first = _figures([one.first for one in self.pressed])
        whole = _figures([one.whole for one in self.pressed])
        seen = f"{len(self.pressed):3} seen, {self.unseen} not"
        return f"{seen}; to the first write {first}; to the whole {whole}"


def _figures(seconds: list[float]) -> str:
    p50, p99 = (percentile(seconds, share) * 1000 for share in (0.5, 0.99))
    return f"p50 {p50:4.0f} p99 {p99:4.0f} ms"


def keys(load: Load, lfg: Lfg) -> tuple[dict[str, Keys], float]:
    """Press keys while the load streams; also the cores that were busy with something else."""
    machine = Machine()
    typed: list[tuple[str, float]] = []
    with serving(load) as server, lfg.prepared(load, server.port) as prepared:
        terminal = Terminal(prepared.command, prepared.environment, lfg.root)
        ends = time.monotonic() + load.seconds
        time.sleep(_WARM_UP)
        while time.monotonic() < ends - _BETWEEN:
            key = _TURN[len(typed) % len(_TURN)]
            typed.append((chr(key), terminal.type(bytes([key]))))
            time.sleep(_BETWEEN + len(typed) * 0.0137 % 0.1)  # at any moment of a frame
        used = closed(terminal)
        others = machine.others(used.cpu + server.log().cpu)
    return _effects(terminal.written, typed), others


def _effects(written: list[tuple[float, bytes]], typed: list[tuple[str, float]]) -> dict[str, Keys]:
    """Play what was written; an effect is a change of what only keys change."""
    screen, changes = Screen(), list[float]()
    shown = screen.arrangement()
    for at, data in written:
        for _ in screen.changed(data):
            pass
        if (now := screen.arrangement()) != shown:
            changes.append(at)
            shown = now
    kinds: defaultdict[str, Keys] = defaultdict(Keys)
    for number, (key, at) in enumerate(typed):
        until = typed[number + 1][1] if number + 1 < len(typed) else at + _BETWEEN
        kind = kinds[_KEYS[key]]
        if seen := [change - at for change in changes if at < change < until]:
            kind.pressed.append(Pressed(seen[0], seen[-1]))
        else:
            kind.unseen += 1
    return kinds
