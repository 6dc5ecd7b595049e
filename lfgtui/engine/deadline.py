"""A time limit whose clock can be held."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Deadline:
    """A ticket's `timeout`: pauses and a person's thinking time do not count.

    One limit covers all attempts of a run of a ticket: `running` is entered
    once an attempt and goes on with what is left.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._timeout: asyncio.Timeout | None = None

    @property
    def expired(self) -> bool:
        """True once no time is left."""
        return self._left <= 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the clock run; raises `TimeoutError` in the body's place when it is over."""
        loop = asyncio.get_running_loop()
        timeout = self._timeout = asyncio.timeout_at(loop.time() + self._left)
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
