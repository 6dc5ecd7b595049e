"""Waiting for the screen: a test waits for what it checks, never for a time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from textual.pilot import Pilot
from textual.worker import WorkerError

from tests.ui.screen_text import lines, toasts

_PATIENCE = 60.0
"""Seconds until what never comes fails the test, however slow the machine."""

_LOOKS, _BREATH = 3, 0.01
"""Looks before the rest of the machine has its turn, and the seconds of each."""


async def until(
    pilot: Pilot[int], condition: Callable[[], object], describe: Callable[[], str] = str
) -> None:
    """Draw frames until the condition holds. Fails with the description if it never does."""
    try:
        async with asyncio.timeout(_PATIENCE):
            looks = 0
            while not condition():
                # At first what is on its way needs turns of the loop alone; then somebody
                # else has to work, a thread or a program, and needs the CPU for that.
                await asyncio.sleep(0 if looks < _LOOKS else _BREATH)
                looks += 1
                await pilot.pause()
    except TimeoutError:
        pytest.fail(f"{describe()}\n" + "\n".join(lines(pilot.app)))


async def shown(pilot: Pilot[int], *texts: str) -> None:
    """Wait until all these texts are on the screen."""

    def missing() -> list[str]:
        rows = lines(pilot.app)
        return [text for text in texts if not any(text in row for row in rows)]

    await until(pilot, lambda: not missing(), lambda: f"never appeared: {missing()}")


async def gone(pilot: Pilot[int], text: str) -> None:
    """Wait until a text has left the screen."""

    def is_gone() -> bool:
        return not any(text in row for row in lines(pilot.app))

    await until(pilot, is_gone, lambda: f"{text!r} stayed")


async def toasted(pilot: Pilot[int], text: str) -> None:
    """Wait until a toast contains the text."""

    def is_raised() -> bool:
        return any(text in toast for toast in toasts(pilot.app))

    await until(pilot, is_raised, lambda: f"no toast {text!r}: {toasts(pilot.app)}")


async def work_done(pilot: Pilot[int]) -> None:
    """Wait until nothing is at work in the background, then for the frame that shows it."""
    await pilot.pause()
    async with asyncio.timeout(_PATIENCE):
        while workers := list(pilot.app.workers):
            for worker in workers:
                with suppress(WorkerError):  # cancelled or failed: it has ended as well
                    await worker.wait()
            await pilot.pause()
