"""Limits on the time for which a response may keep lfg waiting, or busy."""

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

from lfgtui.errors import ProviderError

T = TypeVar("T")

TURN_SECONDS = 0.005


class Turn:
    """A reader's turn on the event loop; others get theirs, however much there is to read.

    What has arrived already is read without waiting, so a server that sends
    faster than we read would keep the loop to itself.
    """

    def __init__(self) -> None:
        self._ends = monotonic() + TURN_SECONDS

    async def share(self) -> None:
        """Let everything else on the loop run once, where the turn is over."""
        if monotonic() >= self._ends:
            await asyncio.sleep(0)
            self._ends = monotonic() + TURN_SECONDS


class Timeout:
    """The seconds that may pass before something arrives, with the setting's name."""

    def __init__(self, seconds: float, message: str, name: str) -> None:
        self._seconds = seconds
        self._message = message
        self._name = name
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._waiting: asyncio.Timeout | None = None

    def restart(self) -> None:
        """Begin anew, also for a wait that is under way."""
        self._deadline = asyncio.get_running_loop().time() + self._seconds
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._deadline)

    async def wait(self, arrival: Awaitable[T]) -> T:
        """Return what arrives; raise `ProviderError` ("timeout") where nothing does in time."""
        try:
            async with asyncio.timeout_at(self._deadline) as waiting:
                self._waiting = waiting
                try:
                    return await arrival
                finally:
                    self._waiting = None
        except TimeoutError:
            if not waiting.expired():
                raise
            message = f"{self._message} {self._seconds:g} s ({self._name})"
            raise ProviderError("timeout", message) from None
