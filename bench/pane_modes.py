"""The measurements in lockstep, inside one process: the bench says when a frame is.

CPU is the whole process's: user and system, all threads.
"""

import asyncio
import cProfile
import gc
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import nullcontext
from statistics import fmean

from bench import corpus
from bench.pane_job import A_FRAME, Job
from bench.pane_sides import FRAME, Side
from bench.pane_watch import settle
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript

_BETWEEN = 46
"""Tokens from one sample to the next."""

_NORMAL = 1000
"""Tokens of the document that worst cases are held against."""


class Script:
    """What each pane has still to say."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._tokens = [corpus.tokens(text) for text in texts]
        self._said = 0

    @classmethod
    def of_documents(cls, panes: int, length: int) -> "Script":
        """A document of that many tokens for each pane."""
        return cls([corpus.document(length, seed=pane + 2) for pane in range(panes)])

    @classmethod
    def of_ended(cls, panes: int, length: int, more: int, seed: int) -> "Script":
        """A document whose last block has ended, then one that is the same at any length."""
        texts = []
        for pane in range(panes):
            before = corpus.ended(corpus.document(length - 4, seed=pane + 2)).ljust(
                length * corpus.TOKEN, "\n"
            )
            texts.append(before + corpus.document(more, seed=1000 * (seed + 1) + pane))
        return cls(texts)

    @property
    def left(self) -> int:
        """Tokens, in the first pane."""
        return max(0, len(self._tokens[0]) - self._said)

    def take(self, number: int) -> list[list[str]]:
        """The next tokens of each pane."""
        begin, self._said = self._said, self._said + number
        return [tokens[begin : self._said] for tokens in self._tokens]


async def fill(side: Side, script: Script, tokens: int, step: int = 0) -> None:
    """Bring that many tokens of each pane on the screen, not measured."""
    step = step or side.step
    while tokens > 0:
        await side.frame(script.take(min(step, tokens)))
        tokens -= step
        await asyncio.sleep(0)
    await settle(side.app, side.watcher)
    gc.collect()


async def frames(side: Side, script: Script, number: int, *, pace: float = 0.0) -> float:
    """CPU seconds of a number of frames, each painted before the next."""
    looking, due = 0.0, time.monotonic()
    began = time.process_time()
    for _ in range(number):
        await side.frame(script.take(A_FRAME))
        looking += await settle(side.app, side.watcher)
        due = max(due + pace, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
    return time.process_time() - began - looking


async def lockstep(side: Side, job: Job) -> dict[str, float]:
    """What a token and a frame cost with so many tokens on the screen already.

    Both sides are measured in exactly the same frames, at places spread over the
    document: where a block begins Textual's side costs half of what it costs
    elsewhere, so frames all from there, or fewer of the slower side, would mislead.
    """
    length = _BETWEEN + A_FRAME * job.frames
    script = Script.of_ended(job.panes, job.tokens, length * job.samples, job.seed)
    await fill(side, script, job.tokens)
    profile = cProfile.Profile()
    costs: list[float] = []
    for _ in range(job.samples):
        await fill(side, script, _BETWEEN)
        with profile if job.profile else nullcontext():
            costs.append(await frames(side, script, job.frames, pace=FRAME) / job.frames)
    if job.profile:
        profile.dump_stats(job.profile)
    await prove_painted(side, job.panes)
    cost = fmean(costs)
    return {
        "frames": job.frames * job.samples,
        "us_a_token": cost / A_FRAME / job.panes * 1e6,
        "ms_a_frame": cost * 1e3,
    }


async def prove_painted(side: Side, panes: int) -> None:
    """Raise unless what is fed to every pane now is seen on the screen."""
    await side.frame([[f"\n\nend-{pane}."] for pane in range(panes)])
    await settle(side.app, side.watcher)
    strips = side.app.screen._compositor.render_strips()
    shown = "\n".join(strip.text for strip in strips)
    unseen = [pane for pane in range(panes) if f"end-{pane}." not in shown]
    if unseen:
        raise AssertionError(f"not painted: the ends of panes {unseen}\n{shown}")


async def worst(side: Side, job: Job) -> dict[str, float]:
    """One construct as it grows from nothing: the last frames of each tenth are measured."""
    if not job.case:
        script = Script.of_documents(1, _NORMAL + A_FRAME * job.frames * 10)
        await fill(side, script, _NORMAL)
        number = job.frames * 8
        spent = await frames(side, script, number)
        return {"mean": spent / number / A_FRAME * 1e6, "frames": number}
    script = Script([corpus.worst_cases()[job.case]])
    tenth = script.left // 10
    measured = min(job.frames, tenth // A_FRAME)
    means = []
    for _ in range(10):
        await fill(side, script, tenth - measured * A_FRAME)
        spent = await frames(side, script, measured)
        means.append(spent / measured / A_FRAME * 1e6)
    return {"mean": fmean(means), "last": means[-1], "frames": 10 * measured, "tokens": 10 * tenth}


async def memory(side: Side, job: Job) -> dict[str, float]:
    """Bytes that a document of `job.tokens` tokens holds, and its transcript alone."""
    warm, step = 2000, 20
    script = Script.of_documents(1, warm + job.tokens)
    bare = Script.of_documents(1, job.tokens)
    tracemalloc.start()
    await fill(side, script, warm)
    before, _ = tracemalloc.get_traced_memory()
    await fill(side, script, job.tokens, step)
    after, _ = tracemalloc.get_traced_memory()
    folded = _folded(bare)
    gc.collect()
    with_folded, _ = tracemalloc.get_traced_memory()
    del folded
    return {"pane": after - before, "transcript": with_folded - after}


def _folded(script: Script) -> tuple[Transcript, Meter]:
    transcript, meter = Transcript(), Meter()
    begun = e.AttemptStarted("anthropic", "claude-sonnet-4-5")
    start: list[e.Event] = [e.TicketQueued(), begun, e.UserMessage("Write."), e.RequestSent(1)]
    (tokens,) = script.take(script.left)
    for number, event in enumerate([*start, *map(e.TextDelta, tokens)], 1):
        entry = e.Entry("run", "pane", 1, number, number * FRAME, event)
        transcript.apply(entry)
        meter.apply(entry)
    return transcript, meter
