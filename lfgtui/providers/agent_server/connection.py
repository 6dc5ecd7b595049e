"""An agent's stream on its way through the decoder, over as many connections as it takes.

A connection that breaks is resumed here, not by the engine, if the stream has ids:
the run goes on at the server meanwhile, and asking anew would start a second one.
Without ids, or if the server does not go on, the break is raised as a `cut` and the
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
"""Connections in a row without anything new after which a break is final."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_LONGEST_RETRY = 30.0
_NO_END = "the stream ended without an end event; the answer may be incomplete"

Connect: TypeAlias = Callable[
    [Cursor, Callable[[], None]],
    AbstractAsyncContextManager[AsyncGenerator[Sequence[Part], None]],
]
"""Opens a connection: a run's first one, or one that goes on after `cursor.last_id`.

Parts that arrived together come together; [] is for an incomplete one. They end if the server
ended them well; any other end raises. The second argument is called for arrivals that yield
nothing: a long event does not count as silence.
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
    connect: Connect
    decoder: AgentDecoder
    reading: Reading
    answered: Callable[[float | None], None]
    cursor: Cursor = field(default_factory=Cursor)
    broken: ProviderError | None = None
    tries: int = 0
    length: int = 0

    async def events(self) -> AsyncGenerator[WireEvent, None]:
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
                    if self.cursor.last_id:  # perhaps a cut that looks like an end
                        yield Status(_NO_END)
                    break
                cut = ProviderError("cut", UNFINISHED)
            if not self._goes_on(cut):
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

    def _goes_on(self, cut: ProviderError) -> bool:
        """Return True if another connection should be tried after the break."""
        if not self.cursor.last_id or self.tries >= TRIES or isinstance(cut, NewRunError):
            return False
        restarting = RETRYABLE_KINDS - {"timeout"}  # perhaps, when it refuses to go on
        return cut.kind in (("cut", "connection") if self.broken is None else restarting)

    def _final(self, cut: ProviderError) -> ProviderError:
        if self.broken is None or cut.kind == "timeout":
            return cut
        return ProviderError("cut", f"{self.broken.message}; resuming failed: {cut.message}")

    def _pause(self) -> float:
        """Return the seconds until the next connection: the server's, else growing ones."""
        if self.cursor.retry is not None:
            return min(self.cursor.retry, _LONGEST_RETRY)
        if self.tries == 1:
            return 0.0
        longest: float = min(_FIRST_PAUSE * 2.0 ** (self.tries - 2), _LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1.0)
