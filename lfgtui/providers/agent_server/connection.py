"""An agent's stream on its way through the decoder, over as many connections as it takes.

A stream that breaks off is resumed here, not by the engine, if its events have ids:
the run continues at the server meanwhile, and a new request would start a second one.
Without ids, or if the server cannot resume it, the break is raised as a `cut` and the
engine's retry policy decides. The timeouts are those of `reading`; reconnecting
counts as silence, so `idle_timeout` bounds it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from httpx_sse import ServerSentEvent

from lfgtui.errors import RETRYABLE_KINDS, ProviderError
from lfgtui.model.events import Status, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server.decoder import UNFINISHED, AgentDecoder
from lfgtui.providers.agent_server.resume import Cursor, NewRunError
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.transport.body import Part
from lfgtui.providers.transport.reading import Reading, decode, logged

TRIES = 5
"""Most connections in a row that bring nothing new; after them a break is final."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds; pauses double, the first is before try 2
_LONGEST_RETRY = 30.0  # seconds of a pause that the server asks for
_NO_END = "the stream ended without an end event; the answer may be incomplete"

Connect: TypeAlias = Callable[
    [Cursor, Callable[[], None]],
    AbstractAsyncContextManager[AsyncGenerator[Sequence[Part], None]],
]
"""Opens a connection: a run's first one, or one that resumes it after `cursor.last_id`.

Parts that arrived together come together; [] if none is complete yet. They end if the server
ended the stream properly; any other end raises. The second argument is called for arrivals that
yield nothing: a long event does not count as silence.
"""


async def agent_pump(
    connect: Connect, decoder: AgentDecoder, request: Request, *, key: str | None, host: str = ""
) -> AsyncGenerator[WireEvent, None]:
    """Yield the events of one run. `key` is kept out of messages. See `base.Provider.stream`.

    `host` is the server's, for the debug log.
    """
    try:
        with logged(host, request, decoder.unknown) as answered:
            run = _Run(connect, decoder, Reading(decoder, request), answered)
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event
    except Exception as error:
        raise as_provider_error(error, key=key) from error


@dataclass(eq=False)
class _Run:
    """One run over its connections.

    `answered` is called as each is open. `broken` is the first break since something new came,
    `tries` the number of connections since then, `length` the size of all events.
    """

    connect: Connect
    decoder: AgentDecoder
    reading: Reading
    answered: Callable[[float | None], None]
    cursor: Cursor = field(default_factory=Cursor)
    broken: ProviderError | None = None
    tries: int = 0
    length: int = 0

    async def events(self) -> AsyncGenerator[WireEvent, None]:
        """Yield the run's events, with a `Status` when it is resumed. Raises `ProviderError`."""
        decoder = self.decoder
        while True:
            cut = None
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                cut = as_provider_error(error)
            if decoder.done or decoder.failure is not None:
                break
            if cut is None:
                if not decoder.announces_its_end:
                    if self.cursor.last_id:  # a cut may look like an end
                        yield Status(_NO_END)
                    break
                cut = ProviderError("cut", UNFINISHED)
            if not self._may_resume(cut):
                for event in self.reading.bounded(decoder.leftovers()):
                    yield event
                raise self._final(cut)
            if self.tries == 0:
                yield Status("connection lost; resuming the answer where it stopped")
            self.broken = self.broken or cut
            self.tries += 1
        for event in self.reading.finish():
            yield event

    async def _connection(self) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of one connection."""
        reading, cursor = self.reading, self.cursor
        if self.tries:
            await reading.timeout.wait(asyncio.sleep(self._pause()))
            cursor.resume()
        async with AsyncExitStack() as stack:
            opening = stack.enter_async_context(self.connect(cursor, reading.idle.restart))
            parts = await stack.enter_async_context(aclosing(await reading.timeout.wait(opening)))
            self.answered(cursor.connect)
            async with aclosing(reading.events(parts, self._take)) as events:
                async for event in events:
                    yield event

    def _take(self, part: Part) -> Sequence[WireEvent]:
        """Return the events of a part that is new; raise `NewRunError` if another run begins."""
        decoder, was_replaying = self.decoder, self.cursor.is_replaying
        if not self.cursor.is_new(part):
            return ()
        starts = decoder.starts
        events = decode(part, decoder)
        if was_replaying and decoder.starts > starts:
            raise NewRunError
        if isinstance(part, ServerSentEvent):
            self.tries, self.broken = 0, None
            self.length += len(part.data) + len(part.id)
            if self.length > limits.BODY_BYTES:
                raise limits.too_long("the response", limits.BODY_BYTES, limits.KEPT)
        return events

    def _may_resume(self, cut: ProviderError) -> bool:
        """Return True if another connection should be tried after the break."""
        if not self.cursor.last_id or self.tries >= TRIES or isinstance(cut, NewRunError):
            return False
        # A server that refuses to resume may be restarting.
        refused = RETRYABLE_KINDS - {"timeout"}
        return cut.kind in (("cut", "connection") if self.broken is None else refused)

    def _final(self, cut: ProviderError) -> ProviderError:
        """Return the error to raise: the first break is why, unless a time limit ended it."""
        if self.broken is None or cut.kind == "timeout":
            return cut
        return ProviderError("cut", f"{self.broken.message}; resuming failed: {cut.message}")

    def _pause(self) -> float:
        """Return the seconds until the next connection: as the server asks, or growing ones."""
        if self.cursor.retry is not None:
            return min(self.cursor.retry, _LONGEST_RETRY)
        if self.tries == 1:
            return 0.0
        longest: float = min(_FIRST_PAUSE * 2.0 ** (self.tries - 2), _LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1.0)
