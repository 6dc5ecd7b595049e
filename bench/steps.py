"""The longest step of one pane on texts made to take long, and what it keeps in memory.

    python bench/steps.py            # all of them
    python bench/steps.py brackets   # those named so

Each text goes through the fold and a real pane under a headless driver, once as one piece and
once in small ones. A step is one tick of the pane and the strips that it paints: between two of
them keys have their turn. CPU milliseconds; the memory is the process's peak above its start.
"""

import asyncio
import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.hostile_texts import FLOODS, TEXTS, begun
from lfgtui.model import events as e
from tests.ui.stage import BEGIN, Stage, staged

_SECONDS = 60.0
"""After which a text is given up."""


def main(wanted: Iterable[str]) -> None:
    """Print a line for each text."""
    names = [
        *(f"{name} {way}" for name in TEXTS for way in ("whole", "pieces")),
        *FLOODS,
    ]
    chosen = [name for name in names if not wanted or any(part in name for part in wanted)]
    print(f"{'text':40} {'steps':>6} {'longest':>8} {'all':>8} {'memory':>8}")
    context = multiprocessing.get_context("spawn")
    for name in chosen:
        process = context.Process(target=measure, args=(name,))
        process.start()
        process.join(_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            print(f"{name:40} {'—':>6} {'> 60 s':>8}", flush=True)


def measure(name: str) -> None:
    """Print one line; in a process of its own, for its memory."""
    asyncio.run(_measure(name))


async def _measure(name: str) -> None:
    steps: list[float] = []
    async with staged(width=120, height=40, ticks=time.perf_counter) as (stage, pilot):
        await stage.play(pilot, *BEGIN)
        await stage.play(
            pilot, e.TextDelta("warm *up* `a`\n\n```py\nx = 1\n```\n\n- a\n\n|a|b|\n|-|-|\n|1|2|\n")
        )
        await stage.play(pilot, *begun(), e.ReasoningDelta("hm"))
        gc.collect()
        gc.disable()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for events in _events(name):
            stage.source.apply(stage.now, *events)
            stage.pane.mark_dirty()
            steps.append(_step(stage))
            while stage.stream.is_behind:
                steps.append(_step(stage))
                if sum(steps) > _SECONDS / 2:
                    break
            if sum(steps) > _SECONDS / 2:
                break
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{name:40} {len(steps):6} {max(steps) * 1000:8.0f} {sum(steps):8.2f} {grown // 1024:8}",
        flush=True,
    )


def _step(stage: Stage) -> float:
    stage.now += 10.0  # nothing rests
    began = time.process_time()
    stage.pane.tick(stage.now)
    stage.screen_rows()
    return time.process_time() - began


def _events(name: str) -> Iterator[list[e.Event]]:
    if name in FLOODS:
        yield from FLOODS[name]()
        return
    text, _, way = name.rpartition(" ")
    made = TEXTS[text]()
    if way == "whole":
        yield [e.TextDelta(made)]
        return
    for begin in range(0, min(len(made), 100_000), 200):
        yield [e.TextDelta(made[begin : begin + 200])]


if __name__ == "__main__":
    main(sys.argv[1:])
