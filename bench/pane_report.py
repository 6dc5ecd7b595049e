"""Which measurements are made, and how they are printed beside their targets."""

import argparse
import time
from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

from bench import corpus, pane_terminal
from bench.pane_job import Job, SideName
from bench.pane_paced import GRACE, RATE

PARTS = ("lockstep", "paced", "worst", "memory", "resize", "keys")

Cell = tuple[int, int]
"""Panes, and tokens on the screen in each."""

_TARGETS: dict[Cell, tuple[int, int]] = {
    (1, 1000): (12, 20),
    (16, 300): (150, 200),
    (16, 1000): (150, 200),
    (64, 100): (130, 200),
    (64, 300): (130, 200),
}
"""How many times less CPU than Textual's Markdown: at least, and aimed for."""


class Plan(msgspec.Struct, frozen=True):
    """How much is measured."""

    cells: Sequence[Cell] = (
        *((1, 100), (1, 300), (1, 1000), (1, 5000), (1, 20_000)),
        *((4, 300), (16, 300), (16, 1000), (64, 100), (64, 300)),
    )
    growth: Sequence[Cell] = ((1, 300), (1, 20_000))
    paced: Sequence[int] = (1, 16, 64)
    resized: Sequence[Cell] = ((1, 20_000), (16, 1000))
    sides: Sequence[SideName] = ("lfg", "markdown")
    paced_sides: Sequence[SideName] = ("lfg", "markdown")
    rounds: int = 3
    samples: int = 16
    """Places of a document that are measured; half as many where 16 panes say something else."""
    frames: int = 4
    """In each of them; half as many likewise."""
    seconds: float = 20.0
    worst_frames: int = 60
    memory_tokens: int = 20_000
    is_merged: bool = False


QUICK = Plan(
    cells=((1, 1000), (16, 300), (64, 100)),
    paced=(64,),
    paced_sides=("lfg",),
    rounds=1,
    samples=4,
    seconds=3.0,
    worst_frames=2,
    memory_tokens=0,
    resized=((1, 20_000),),
)


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    began = time.monotonic()
    plan = _plan(asked)
    if asked.profile:
        panes, tokens = asked.panes or 1, asked.tokens or 1000
        job = Job("lockstep", "lfg", panes, tokens, samples=16, frames=8, profile=asked.profile)
        print(pane_terminal.run(job).figures)
        return
    parts = {
        "lockstep": lockstep,
        "worst": worst,
        "paced": paced,
        "keys": keys,
        "memory": memory,
        "resize": resize,
    }
    for part, measure in parts.items():
        if asked.only == part or (not asked.only and part != "keys"):
            for line in measure(plan):
                print(line, flush=True)
            print()
    print(f"took {(time.monotonic() - began) / 60:.1f} minutes")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="the streaming pane beside Textual's Markdown")
    parser.add_argument("--quick", action="store_true", help="a rough look in under a minute")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--side", choices=("lfg", "markdown", "both"))
    parser.add_argument("--panes", type=int)
    parser.add_argument("--tokens", type=int, help="on the screen already, in each pane")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of the paced part")
    parser.add_argument("--merged", action="store_true", help="one append a frame for Textual")
    parser.add_argument("--profile", metavar="FILE", help="write cProfile's statistics")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else Plan()
    changes: dict[str, object] = {"is_merged": asked.merged}
    if asked.side:
        sides = ("lfg", "markdown") if asked.side == "both" else (asked.side,)
        changes |= {"sides": sides, "paced_sides": sides}
    if asked.panes or asked.tokens:
        cell = (asked.panes or 1, asked.tokens or 300)
        changes |= {"cells": (cell,), "growth": (), "resized": (cell,)}
    if asked.panes:
        changes["paced"] = (asked.panes,)
    if asked.tokens:
        changes["memory_tokens"] = asked.tokens
    changes |= {
        name: given
        for name, given in (("rounds", asked.rounds), ("seconds", asked.seconds))
        if given is not None
    }
    return msgspec.structs.replace(plan, **changes)


def _interleaved(jobs: Sequence[Job], rounds: int) -> list[list[dict[str, float]]]:
    """Each job's figures of each round; the jobs take turns."""
    figures: list[list[dict[str, float]]] = [[] for _ in jobs]
    for seed in range(rounds):
        for job, taken in zip(jobs, figures, strict=True):
            job = msgspec.structs.replace(job, seed=seed)
            taken.append(pane_terminal.run(job).figures)
    return figures


def _middle(rounds: Sequence[dict[str, float]], name: str) -> float:
    return median(figures[name] for figures in rounds)


def _mark(is_reached: bool) -> str:
    return "reached" if is_reached else "MISSED"


# The parts: each yields the lines of its table.


def lockstep(plan: Plan) -> Iterator[str]:
    """CPU a token and a frame, both sides, by panes and tokens on the screen."""
    yield f"LOCKSTEP  2 tokens a pane a frame, every frame painted; median of {plan.rounds}"
    yield (
        "panes tokens |   lfg us/token  ms/frame frames | Markdown us/token  ms/frame frames"
        " |  ratio  least  aim"
    )
    for cell in plan.cells:
        jobs = [_lockstep_job(plan, side, cell) for side in plan.sides]
        taken = dict(zip(plan.sides, _interleaved(jobs, plan.rounds), strict=True))
        yield _lockstep_line(cell, taken)
        if cell == (64, 300) and "lfg" in taken:
            frame = _middle(taken["lfg"], "ms_a_frame")
            yield f"a frame of 64 panes: {frame:.1f} ms   (aim: 16 ms: {_mark(frame <= 16)})"
    if plan.growth and "lfg" in plan.sides:
        yield _growth_line(plan)


def _lockstep_job(plan: Plan, side: SideName, cell: Cell) -> Job:
    panes, tokens = cell
    return Job(
        "lockstep",
        side,
        panes,
        tokens,
        samples=plan.samples if panes < 16 else plan.samples // 2,
        frames=plan.frames if panes < 16 else plan.frames // 2,
        is_merged=plan.is_merged,
    )


def _growth_line(plan: Plan) -> str:
    jobs = [_lockstep_job(plan, "lfg", cell) for cell in plan.growth]
    # One pane's figures differ by a tenth from run to run, which is all that is allowed.
    pairs = zip(*_interleaved(jobs, 2 * plan.rounds + 1), strict=True)
    growth = median(much["us_a_token"] / little["us_a_token"] for little, much in pairs)
    return (
        f"growth, lfg, 1 pane, 300 -> 20,000 tokens, the same text: {growth:.2f}"
        f"   (at most 1.10: {_mark(growth <= 1.1)})"
    )


def _lockstep_line(cell: Cell, taken: dict[SideName, list[dict[str, float]]]) -> str:
    line = f"{cell[0]:5} {cell[1]:6,} |"
    for side, width in (("lfg", 14), ("markdown", 17)):
        if rounds := taken.get(side):  # type: ignore[call-overload]
            cost, frame = _middle(rounds, "us_a_token"), _middle(rounds, "ms_a_frame")
            line += f"{cost:{width},.0f} {frame:9,.1f} {_middle(rounds, 'frames'):6.0f} |"
        else:
            line += f"{'-':>{width}} {'-':>9} {'-':>6} |"
    if len(taken) < 2:
        return line
    pairs = zip(taken["lfg"], taken["markdown"], strict=True)
    ratio = median(markdown["us_a_token"] / lfg["us_a_token"] for lfg, markdown in pairs)
    line += f"{ratio:7.1f}"
    if cell in _TARGETS:
        least, aim = _TARGETS[cell]
        line += f"  {least:5} {aim:4}  {_mark(ratio >= least)}"
    return line


def worst(plan: Plan) -> Iterator[str]:
    """lfg's cost of one construct that grows, beside an ordinary document."""
    frames = plan.worst_frames
    yield (
        f"WORST CASES  lfg, 1 pane, lockstep from nothing to full size; "
        f"the last {frames} frames of each tenth"
    )
    (normal,) = _interleaved([Job("worst", frames=frames)], plan.rounds)
    usual = _middle(normal, "mean")
    yield f"{'ordinary document, 1,000 tokens':32} {usual:8,.0f} us/token"
    for case in corpus.worst_cases():
        (taken,) = _interleaved([Job("worst", frames=frames, case=case)], 1)
        mean, last = _middle(taken, "mean"), _middle(taken, "last")
        yield (
            f"{case:25} {taken[0]['tokens']:6,.0f} {mean:8,.0f} us/token,"
            f" {mean / usual:5.1f} times;"
            f" last tenth {last:8,.0f}, {last / usual:5.1f} times"
            f"   (at most 5: {_mark(max(mean, last) <= 5 * usual)})"
        )


def _paced_jobs(plan: Plan) -> Iterator[tuple[int, SideName, dict[str, float]]]:
    for panes in plan.paced:
        for side in plan.paced_sides:
            job = Job("paced", side, panes, 100, seconds=plan.seconds, with_keys=True)
            yield panes, side, pane_terminal.run(job).figures


def paced(plan: Plan) -> Iterator[str]:
    """Whether each side keeps up with tokens that come by the clock."""
    yield (
        f"PACED  {RATE} tokens/s a pane for {plan.seconds:.0f} s, painted by {GRACE * 1000:.0f} ms"
        " after the end; a key every 200 ms"
    )
    yield (
        "panes side     | accepted (taken in) | lag p50      p99  (1st half, 2nd)   |"
        " frames   CPU |   RSS  growth"
    )
    pressed = []
    for panes, side, taken in _paced_jobs(plan):
        p50, p99, early, late = (
            taken[name] * 1000 for name in ("lag_p50", "lag_p99", "lag_p99_early", "lag_p99_late")
        )
        line = (
            f"{panes:5} {side:8} | {taken['accepted']:8.1%} ({taken['taken']:7.1%}) |"
            f"{p50:5,.0f} ms {p99:6,.0f} ms"
            f" ({early:6,.0f}, {late:6,.0f} ms) |"
            f" {taken['frames']:6.0f} {taken['cpu_share']:5.0%} |"
            f" {taken['rss'] / 1e6:3.0f} MB {taken['rss_growth'] / 1e6:4.0f} MB"
        )
        if side == "lfg":
            is_reached = taken["accepted"] > 0.9999 and p99 <= 250
            line += f"   (100 %, p99 at most 250 ms: {_mark(is_reached)})"
        yield line
        pressed.append(_keys_line(panes, side, taken))
    yield from ("", *pressed)


def keys(plan: Plan) -> Iterator[str]:
    """How long a key waits while all panes are busy."""
    for panes, side, taken in _paced_jobs(msgspec.structs.replace(plan, paced=plan.paced[-1:])):
        yield _keys_line(panes, side, taken)


def _keys_line(panes: int, side: SideName, taken: dict[str, float]) -> str:
    p50, p99, most = (taken[name] * 1000 for name in ("key_p50", "key_p99", "key_max"))
    line = (
        f"KEYS  {panes:2} panes {side:8} {taken['keys']:4.0f} keys, read to handled:"
        f" p50 {p50:,.1f} p99 {p99:,.1f} max {most:,.1f} ms;"
        f" {taken['keys_waiting']:.0f} not by the end;"
        f" typed to handled: p99 {taken.get('typed_p99', 0) * 1000:,.1f} ms"
    )
    return f"{line}   (at most 50 ms: {_mark(most <= 50)})" if side == "lfg" else line


def memory(plan: Plan) -> Iterator[str]:
    """What a long document holds."""
    tokens = plan.memory_tokens
    if not tokens:
        yield "MEMORY  not measured: tracing takes too long for a quick look"
        return
    taken = pane_terminal.run(Job("memory", tokens=tokens)).figures
    whole, folded = taken["pane"] / 1e6, taken["transcript"] / 1e6
    bound = 6 * tokens / 20_000
    yield (
        f"MEMORY  lfg, {tokens:,} tokens in 1 pane: {whole:.1f} MB, of which the transcript"
        f" {folded:.1f} MB   (at most {bound:.1f} MB: {_mark(whole <= bound)})"
    )


def resize(plan: Plan) -> Iterator[str]:
    """What a smaller terminal costs until it is right."""
    yield f"RESIZE  200 x 60 -> 120 x 40; median of {plan.rounds}"
    for panes, tokens in plan.resized:
        (taken,) = _interleaved([Job("resize", panes=panes, tokens=tokens)], plan.rounds)
        first, whole = _middle(taken, "cpu") * 1000, _middle(taken, "whole") * 1000
        yield (
            f"{panes:5} panes x {tokens:6,} tokens: first right frame {first:6.0f} ms of CPU,"
            f" till idle {whole:6.0f} ms   (at most 50 ms: {_mark(first <= 50)})"
        )
