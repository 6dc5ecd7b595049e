"""The time limit of a ticket's work."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class TimeLimit:
    """A ticket's `timeout` in seconds: pauses and a person's thinking time do not count.

    Each time that a ticket is queued it gets a new limit, which covers all attempts
    from then on: each attempt enters `running`, which continues with the time left.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._timeout: asyncio.Timeout | None = None
        self._holds = 0  # bodies of `held` that are under way
        self._left_when_held = 0.0  # seconds that were left when the first of them began

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the clock run during the body; raises `TimeoutError` when the time is over."""
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
        """Stop the clock during the body; bodies may overlap."""
        timeout, loop = self._timeout, asyncio.get_running_loop()
        when = None if timeout is None else timeout.when()
        if timeout is None or (when is None and not self._holds):
            yield
            return
        if when is not None:
            self._left_when_held = when - loop.time()
            timeout.reschedule(None)
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds and timeout is self._timeout and not timeout.expired():
                timeout.reschedule(loop.time() + self._left_when_held)
