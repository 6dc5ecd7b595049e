"""Which runs are made, and how they are printed."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from bench import wire_idle, wire_keys, wire_machine, wire_sides, wire_terminal
from bench.wire_job import WIRES, Load, Taken, WireName
from bench.wire_lag import Lag, Lines
from bench.wire_lfg import Lfg

SIDES = ("sdk", "raw", "headless", "terminal")

_FEW = 400
"""Tokens, of which the cost cannot be told from a start's."""


class Cell(msgspec.Struct, frozen=True):
    """So many tickets of so many tokens a second."""

    streams: int
    rate: float

    @classmethod
    def parse(cls, text: str) -> "Cell":
        """As in `64x100`."""
        streams, _, rate = text.partition("x")
        return cls(int(streams), float(rate or 100))

    def load(self, wire: WireName, seconds: float) -> Load:
        """That, for so long."""
        return Load(wire, self.streams, self.rate, seconds)


class Plan(msgspec.Struct, frozen=True):
    """How much is measured."""

    wires: Sequence[WireName] = WIRES
    cells: Sequence[Cell] = tuple(map(Cell.parse, ("1x20", "1x100", "16x100", "64x100", "256x25")))
    sides: Sequence[str] = SIDES
    seconds: tuple[float, float] = (4.0, 12.0)
    rounds: int = 3
    other: Path | None = None
    with_lag: bool = True
    key_seconds: float = 60.0
    idle_seconds: float = 10.0


QUICK = Plan(cells=(Cell(64, 100),), seconds=(2.0, 6.0), rounds=1, key_seconds=15.0)


class Side(msgspec.Struct, frozen=True):
    """One of the processes that take turns."""

    name: str
    run: Callable[[Load], Taken]
    lag: Callable[[Load, Taken], Lag] | None = None
    """From a run of its own, or from what was taken of the last one."""


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    plan = _plan(asked)
    began = time.monotonic()
    print(f"{wire_machine.described()}, Python {sys.version.split()[0]}")
    with _bytecode():
        for part, lines in (("table", _table), ("keys", _keys), ("idle", _idle)):
            if asked.only in (part, None):
                for line in lines(plan):
                    print(line, flush=True)
    print(f"\ntook {(time.monotonic() - began) / 60:.1f} minutes; {wire_machine.described()}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="lfg from the wire, beside the SDKs' iterators")
    parser.add_argument("--quick", action="store_true", help="64 tickets, short, once")
    parser.add_argument("--only", choices=("table", "keys", "idle"))
    parser.add_argument("--wires", nargs="+", choices=WIRES)
    parser.add_argument("--cells", nargs="+", type=Cell.parse, metavar="NxRATE")
    parser.add_argument("--sides", nargs="+", choices=SIDES)
    parser.add_argument("--seconds", nargs=2, type=float, metavar=("SHORT", "LONG"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--other", type=Path, help="a checkout whose lfg takes part as well")
    parser.add_argument("--no-lag", dest="with_lag", action="store_false", default=None)
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else Plan()
    given = {
        name: value
        for name, value in vars(asked).items()
        if name in Plan.__struct_fields__ and value is not None
    }
    return msgspec.structs.replace(plan, **given)


@contextmanager
def _bytecode() -> Iterator[None]:
    """Have all measured processes share bytecode: to compile is not to start."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield


def _table(plan: Plan) -> Iterator[str]:
    """CPU, time and lag of every side, for each wire and number of tickets."""
    yield (
        f"\nCPU between {plan.seconds[0]:g} s and {plan.seconds[1]:g} s of tokens,"
        f" median of {plan.rounds} (least to most); lag over {plan.seconds[1]:g} s\n"
    )
    yield (
        f"{'':16} {'':>8} {'':16} {'us a token':>22} {'of sdk':>7} {'time':>6} {'asking':>7}"
        f" {'dropped':>8} {'lag p50':>8} {'p99':>8} {'others':>7}"
    )
    sides = list(_sides(plan))
    for wire in plan.wires:
        for side in sides:  # so that bytecode is there; counts for nothing
            side.run(Load(wire, 1, 100, 0.1))
        for cell in plan.cells:
            yield from _cell(plan, sides, wire, cell)


def _keys(plan: Plan) -> Iterator[str]:
    """How long a key takes meanwhile."""
    for wire in plan.wires[:1]:
        load = Load(wire, 64, 100, plan.key_seconds)
        for which, lfg in _lfgs(plan).items():
            pressed, others = wire_keys.keys(load, lfg)
            yield f"\nKEYS  {wire} 64x100{which}, {plan.key_seconds:g} s; others {others:.2f}"
            for kind, taken in pressed.items():
                yield f"{kind:16} {taken.line()}"


def _idle(plan: Plan) -> Iterator[str]:
    """What it costs to do nothing."""
    seconds = plan.idle_seconds
    yield f"\nIDLE  over {seconds:g} s"
    yield f"{'a bare Textual app':30} {wire_idle.bare(seconds).line()}"
    for which, lfg in _lfgs(plan).items():
        for streams in (1, 16):
            load = Load("openai-chat", streams, 100, 2)
            name = f"lfg, {streams} tickets done{which}"
            yield f"{name:30} {wire_idle.done(load, lfg, seconds).line()}"
        name = f"lfg, 6 questions open{which}"
        yield f"{name:30} {wire_idle.asking(6, lfg, seconds).line()}"


def _lfgs(plan: Plan) -> dict[str, Lfg]:
    lfgs = {"": Lfg(wire_sides.ROOT)}
    if plan.other is not None:
        lfgs[", other"] = Lfg(plan.other.resolve())
    return lfgs


def _sides(plan: Plan) -> Iterator[Side]:
    for name in plan.sides:
        for which, lfg in _lfgs(plan).items():
            if name == "headless":
                run = partial(wire_sides.headless, lfg=lfg)
                yield Side(name + which, run, partial(_json_lag, lfg=lfg))
            elif name == "terminal":
                run = partial(wire_terminal.terminal, lfg=lfg)
                yield Side(name + which, run, wire_terminal.lag)
            elif not which:
                yield Side(name, partial(wire_sides.client, name))


def _json_lag(load: Load, _: Taken, lfg: Lfg) -> Lag:
    lines = Lines()
    taken = wire_sides.headless(load, lfg, lines.drain)
    return lines.sightings().lag(load, taken.log)


def _cell(plan: Plan, sides: Sequence[Side], wire: WireName, cell: Cell) -> Iterator[str]:
    short, long = (cell.load(wire, seconds) for seconds in plan.seconds)
    taken: dict[str, list[tuple[Taken, Taken]]] = {side.name: [] for side in sides}
    for _ in range(plan.rounds):
        shorter = [side.run(short) for side in sides]
        for side, before in zip(sides, shorter, strict=True):
            taken[side.name].append((before, side.run(long)))
    tokens = long.tokens - short.tokens
    costs = {
        name: [(after.cpu - before.cpu) / tokens for before, after in pairs]
        for name, pairs in taken.items()
    }
    for side in sides:
        longer = [after for _, after in taken[side.name]]
        lag = side.lag(long, longer[-1]) if side.lag and plan.with_lag else None
        yield (
            f"{wire:16} {cell.streams:>4}x{cell.rate:<3g} {side.name:16}"
            f" {_cost(costs, side.name) if tokens > _FEW else _NOT_TOLD}"
            f" {median(one.over_ideal(long) for one in longer):6.3f}"
            f" {median(one.asking for one in longer):5.2f} s"
            f" {sum(one.dropped for one in longer):>8}"
            f" {_lag(lag)} {median(one.others for one in longer):7.2f}{_late(longer, long)}"
        )


def _cost(costs: dict[str, list[float]], name: str) -> str:
    middle, least, most = (of(costs[name]) * 1e6 for of in (median, min, max))
    ratio = "-"
    if "sdk" in costs:
        pairs = zip(costs[name], costs["sdk"], strict=True)
        ratio = f"{median(ours / theirs for ours, theirs in pairs):.2f}"
    return f"{f'{middle:.0f} ({least:.0f} to {most:.0f})':>22} {ratio:>7}"


_NOT_TOLD = f"{'-':>22} {'-':>7}"


def _lag(lag: Lag | None) -> str:
    if lag is None:
        return f"{'-':>8} {'-':>8}"
    unseen = f" ({lag.unseen} UNSEEN)" if lag.unseen else ""
    return f"{lag.p50 * 1000:5.0f} ms {lag.p99 * 1000:5.0f} ms{unseen}"


def _late(taken: Sequence[Taken], load: Load) -> str:
    """Say so where the server did not keep its pace."""
    late = median(_p99(one.log.late(load)) for one in taken)
    return f"   SERVER {late * 1000:.0f} ms LATE (p99)" if late > 0.02 else ""


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]
