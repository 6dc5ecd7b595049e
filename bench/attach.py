"""What viewers of a run cost it, and how late they see what it has committed.

    python bench/attach.py [--streams 64] [--rate 100] [--seconds 10] [--rounds 3]

First the lag: a run prints its entries, which it does once they are committed, and `lfg attach`
shows it on a terminal of 200x60; for each mark in the text that both had, the time between. A
viewer draws a frame every 17 ms at most, so a stream that never pauses waits half of that on
average. The CPU is the viewer's.
Then the cost: the same run with no viewer, 20 and 100 of them that read all they are sent, in
turn. Its CPU is its process's with all children; "late" is from the server's write of a token to
the run's printed line.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.terminal import Terminal
from bench.wire_job import Load
from bench.wire_lag import Lines, Sightings
from bench.wire_lfg import Lfg, Prepared
from bench.wire_sides import patience, serving, wait
from bench.wire_terminal import Screen, closed
from lfgtui.history.reader import Reader
from lfgtui.server.control.address import socket_path
from lfgtui.server.control.client import connect
from lfgtui.text.figures import percentile

ROOT = Path(__file__).resolve().parent.parent
LFG = Lfg(ROOT)
VIEWERS = (0, 20, 100)
LOADS = ((1, 20.0), (6, 50.0), (16, 30.0), (6, 100.0))
"""Streams, and tokens a second of each, for which the lag is measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    for streams, rate in LOADS:
        lags, cpu = lag(Load("openai-chat", streams, rate, asked.seconds))
        print(
            f"committed to painted, {streams} x {rate:g} tokens/s: "
            f"p50 {percentile(lags, 0.5) * 1000:.1f} ms, p99 {percentile(lags, 0.99) * 1000:.1f} ms"
            f" of {len(lags)} marks, CPU {cpu:.2f} s"
        )
    load = Load("openai-chat", asked.streams, asked.rate, asked.seconds)
    taken: dict[int, list[tuple[float, float]]] = {number: [] for number in VIEWERS}
    for _ in range(asked.rounds):
        for number in VIEWERS:
            taken[number].append(cost(load, number))
    if not asked.rounds:
        return
    alone = median(cpu for cpu, _ in taken[0])
    for number, rounds in taken.items():
        cpu, late = (median(figures) for figures in zip(*rounds, strict=True))
        print(
            f"{number:4} viewers of {load.streams} x {load.rate:g} tokens/s: CPU {cpu:.2f} s"
            f" ({cpu / alone:.2f} of the run alone), tokens late by p50 {late * 1000:.0f} ms"
        )


@contextmanager
def at_work(
    prepared: Prepared,
) -> Iterator[tuple["subprocess.Popen[bytes]", str, Lines, threading.Thread]]:
    """The run, its id once it can be reached, and its printed lines."""
    command = [*prepared.command, "--json", "--yes"]
    process = subprocess.Popen(command, env=prepared.environment, stdout=subprocess.PIPE)
    lines = Lines()
    assert process.stdout is not None
    drain = threading.Thread(target=lines.drain, args=(process.stdout,))
    drain.start()
    try:
        yield process, reachable(prepared), lines, drain
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        drain.join()
        process.stdout.close()


def reachable(prepared: Prepared) -> str:
    """Wait until the run can be reached; return its id."""
    os.environ.update(LFG_DATA_DIR=str(prepared.history.parent))
    while True:
        if prepared.history.exists():
            with Reader(prepared.history) as reader:
                for run in reader.runs(1):
                    if socket_path(run.run).exists():
                        return run.run
        time.sleep(0.02)


def lag(load: Load) -> tuple[list[float], float]:
    """Seconds from each mark's line, printed by the run, to its being on the viewer's terminal.

    And the viewer's CPU in seconds.
    """
    with serving(load) as server, LFG.prepared(load, server.port) as prepared:
        with at_work(prepared) as (process, run, lines, drain):
            command = [LFG.python, "-m", "lfgtui", "attach", run]
            viewer = Terminal(command, prepared.environment, ROOT)
            wait(process, patience(load))
            drain.join()
            time.sleep(0.5)
        ended = closed(viewer)
    committed, painted, screen = lines.sightings(), Sightings(), Screen()
    for at, data in viewer.written:
        for row in screen.changed(data):
            painted.saw(at, row)
    return between(committed, painted), ended.cpu


def between(first: Sightings, second: Sightings) -> list[float]:
    """The times between the sightings of each mark, from the first that was seen live."""
    return [
        at - first.first[stream][number]
        for stream, seen in second.first.items()
        for number, at in seen.items()
        if number in first.first[stream] and number > min(seen) + 2
    ]


def cost(load: Load, viewers: int) -> tuple[float, float]:
    """The run's CPU in seconds, and how late its tokens were printed (median)."""
    with serving(load) as server, LFG.prepared(load, server.port) as prepared:
        with at_work(prepared) as (process, run, lines, drain):
            looking = subprocess.Popen(
                [LFG.python, __file__, "view", run, str(viewers)], env=os.environ
            )
            ended = wait(process, patience(load))
            drain.join()
            looking.wait(10)
        late = lines.sightings().lag(load, server.log())
    return ended.cpu, late.p50


async def view(run: str, number: int) -> None:
    """Be so many viewers, who read all they are sent to the end."""

    async def one() -> None:
        _, lines, writer = await connect(run, "bench")
        async for _ in lines:
            pass
        writer.close()

    await asyncio.gather(*(one() for _ in range(number)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["view"]:
        asyncio.run(view(sys.argv[2], int(sys.argv[3])))
    else:
        main()
