"""Runs without a terminal: started with `--detach`, or left with the key `D`."""

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
    """Start the run, print its id once its socket is open, and continue in the background.

    The process that the shell waits for ends when the id is printed, or with the error that
    `build` raises; this one returns the run's exit code.
    """
    return asyncio.run(_run(build, detached_process()))


def detached_process() -> Foreground:
    """Continue in a child process; `let_go` of the result then ends the one the shell waits for.

    Raises `UsageError` if there can be no child; see `split`.
    """
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
        if number != signal.SIGHUP:  # the terminal that was left closes
            signalled.set()

    with signals.delivered(asyncio.get_running_loop(), take):
        ends = [asyncio.create_task(end) for end in (engine.wait_idle(), signalled.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
