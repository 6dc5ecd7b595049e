"""Time that a test sets forward by hand, so that it neither waits nor depends on the machine."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest


def pausing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Callable[[], Awaitable[None]]:
    """Return what lets the running loop read all that was sent, and then sets its clock forward."""
    loop = asyncio.get_running_loop()
    now, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: now() + ahead)

    async def pause() -> None:
        nonlocal ahead
        for _ in range(50):
            await asyncio.sleep(0)
        ahead += seconds

    return pause
