"""Limits on the time for which a response may keep lfg waiting, or busy."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic
from typing import TypeVar

from lfgtui.errors import ProviderError
from lfgtui.providers.base import Request
from lfgtui.providers.transport.sse import ByteSource

T = TypeVar("T")

_TURN = 0.005  # seconds
_AFTERGLOW = 0.25  # seconds for a body that has said its last word to end by itself


class Turn:
    """A reader's turn on the event loop; others get theirs, however much there is to read.

    What has arrived already is read without waiting, so a server that sends
    faster than we read would keep the loop to itself.
    """

    def __init__(self) -> None:
        self._ends = monotonic() + _TURN

    async def share(self) -> None:
        """Let everything else on the loop run once, where the turn is over."""
        if monotonic() >= self._ends:
            await asyncio.sleep(0)
            self._ends = monotonic() + _TURN


class Limit:
    """A stretch of time that may pass before something arrives, and what it is called."""

    def __init__(self, seconds: float, what: str, name: str) -> None:
        self._seconds = seconds
        self._what = what
        self._name = name
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._clock: asyncio.Timeout | None = None

    def restart(self) -> None:
        """The same stretch, from now on, also for who waits already."""
        self._deadline = asyncio.get_running_loop().time() + self._seconds
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(self._deadline)

    async def wait(self, arrival: Awaitable[T]) -> T:
        """What arrives; raises `ProviderError` ("timeout") once the stretch is over."""
        try:
            async with asyncio.timeout_at(self._deadline) as clock:
                self._clock = clock
                try:
                    return await arrival
                finally:
                    self._clock = None
        except TimeoutError:
            if not clock.expired():
                raise
            message = f"{self._what} within {self._seconds:g} s ({self._name})"
            raise ProviderError("timeout", message) from None


class Watched:
    """A body that tells when some of it arrives: a long record is no silence."""

    def __init__(self, response: ByteSource, heard: Callable[[], None]) -> None:
        self._response = response
        self._heard = heard

    async def aiter_bytes(self) -> AsyncGenerator[bytes, None]:
        chunks = self._response.aiter_bytes()
        try:
            async for chunk in chunks:
                self._heard()
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()


def first_limit(request: Request) -> Limit:
    """From sending the request to the first thing that says something."""
    if request.stream:
        return Limit(request.first_token_timeout, "no answer", "first_token_timeout")
    # The first thing to arrive is the whole answer.
    seconds = request.first_token_timeout + request.idle_timeout
    return Limit(seconds, "no answer", "first_token_timeout and idle_timeout")


def idle_limit(request: Request) -> Limit:
    """Between any two things that arrive after that."""
    return Limit(request.idle_timeout, "nothing more", "idle_timeout")


def afterglow() -> Limit:
    """Until a body that has said its last word ends by itself."""
    return Limit(_AFTERGLOW, "nothing more", "after the end")
