"""The time that a ticket may work."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class TimeLimit:
    """A ticket's `timeout`: pauses and a person's thinking time do not count.

    One limit covers all attempts of a start of a ticket: `running` is entered
    once an attempt and goes on with what is left.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the clock run; raises `TimeoutError` in the body's place when it is over."""
        loop = asyncio.get_running_loop()
        timeout = self._timeout = asyncio.timeout(self._left)
        try:
            async with timeout:
                yield
        finally:
            if (when := timeout.when()) is not None:
                self._left = max(0.0, when - loop.time())
            self._timeout = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand still for the length of the body."""
        timeout = self._timeout
        if timeout is None or (when := timeout.when()) is None:
            yield
            return
        loop = asyncio.get_running_loop()
        left = when - loop.time()
        timeout.reschedule(None)
        try:
            yield
        finally:
            if not timeout.expired():
                timeout.reschedule(loop.time() + left)
