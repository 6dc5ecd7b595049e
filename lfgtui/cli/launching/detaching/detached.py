"""Runs that nobody sits in front of: left by `D`, or without a terminal from the start."""

import asyncio
import signal
import threading
from collections.abc import Callable

from lfgtui.cli.launching.detaching.foreground import Foreground, split
from lfgtui.cli.launching.reachable import reachable
from lfgtui.engine import signals
from lfgtui.engine.engine import Engine
from lfgtui.errors import UsageError
from lfgtui.text.output import print_line, print_remark


def run(build: Callable[[], Engine]) -> int:
    """Start the run, print its id once others can reach it, and work on alone.

    The process that the shell waits for ends with the id; what `build` raises it ends with too.
    """
    return asyncio.run(_run(build, detached_process()))


def detached_process() -> Foreground:
    """Go on in a process of its own, which is let go later; raises `UsageError`."""
    foreground = split() if signals.are_ours() and threading.active_count() == 1 else None
    if foreground is None:
        raise UsageError("--detach: no process of its own could be started")
    return foreground


async def _run(build: Callable[[], Engine], foreground: Foreground) -> int:
    engine = await asyncio.to_thread(build)
    engine.start()
    async with reachable(engine):
        print_line(engine.run)
        print_remark(f"in progress; lfg attach {engine.run}")
        foreground.let_go()
        await work_alone(engine)
        await engine.shutdown()
    return 0 if engine.all_done else 1


async def work_alone(engine: Engine) -> None:
    """Wait until the last ticket has ended, or a signal comes, with nobody at a screen."""
    signalled = asyncio.Event()

    def take(number: signal.Signals) -> None:
        if number != signal.SIGHUP:  # of a terminal that is no longer its own
            signalled.set()

    with signals.delivered(asyncio.get_running_loop(), take):
        ends = [asyncio.create_task(end) for end in (engine.wait_idle(), signalled.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
