"""An agent's stream on its way through the decoder, over as many connections as it takes.

A connection that breaks is taken up again here where the stream has ids, and
not by the engine: the run goes on at the server meanwhile, and asking anew
would start a second one. Without ids there is nothing to take up; then, and
where the server does not go on, the break leaves as a `cut` and the engine's
retry policy decides. The timeouts are those of `reading`; trying to connect again
counts as silence, so `idle_timeout` bounds it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Protocol

from lfgtui.errors import RETRYABLE_KINDS, ProviderError
from lfgtui.model.events import Heartbeat, Status, WireEvent
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.resume import Arrival, BeganAnew, Cursor, Item
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.limits import refuse_crowds
from lfgtui.providers.transport.body import Whole
from lfgtui.providers.transport.reading import Reading
from lfgtui.providers.transport.request_log import ResponseLog
from lfgtui.providers.transport.sse import Position

TRIES = 5
"""Connections in a row that bring nothing new before a break is final."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_LONGEST_RETRY = 30.0
_NEW_RUN = "the server started a new run"
_NO_END = "the stream ended without an end event; the answer may be incomplete"


class Link(Protocol):
    """A way to one run of an agent."""

    retry: float | None
    """Seconds the server wants between two connections; None where it did not say."""

    def open(
        self, last_id: str, on_activity: Callable[[], None]
    ) -> AbstractAsyncContextManager[AsyncGenerator[Sequence[Item], None]]:
        """Open a connection: the first one for "", else what follows that id.

        Its items come as they arrived together, none where a part of one did. They
        end where the server ended them well; every other end raises. `on_activity` is
        called for what arrives and yields nothing: a long event is no silence.
        """
        ...


async def agent_pump(
    link: Link, decoder: AgentDecoder, request: Request, *, key: str | None, host: str = ""
) -> AsyncGenerator[WireEvent, None]:
    """Yield the events of one run. `key` is kept out of messages. See `base.Provider.stream`.

    `host` is the server's, for the debug log.
    """
    try:
        with ResponseLog(host, request, decoder.unknown) as log:
            run = _Run(link, decoder, request, log)
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event
    except Exception as error:
        raise as_provider_error(error, key=key) from error


class _Run:
    def __init__(
        self, link: Link, decoder: AgentDecoder, request: Request, log: ResponseLog
    ) -> None:
        self._link = link
        self._decoder = decoder
        self._request = request
        self._log = log
        self._cursor = Cursor()
        self._reading = Reading(decoder, request)
        self._broken: ProviderError | None = None
        self._tries = 0

    async def events(self) -> AsyncGenerator[WireEvent, None]:
        decoder = self._decoder
        while True:
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
            except BeganAnew as error:
                raise self._final(ProviderError("cut", _NEW_RUN)) from error
            except Exception as error:
                if decoder.done:
                    break
                found = as_provider_error(error)
                if not self._goes_on(found):
                    for event in self._reading.bounded(decoder.leftovers()):
                        yield event
                    raise self._final(found) from error
            else:
                cut = ProviderError("cut", "the stream ended before the agent did")
                ended = decoder.done or not decoder.announces_its_end
                if decoder.failure is not None or ended or not self._goes_on(cut):
                    if ended and not decoder.done and self._cursor.last_id:
                        yield Status(_NO_END)  # perhaps a cut that looks like an end
                    break
                found = cut
            if self._tries == 0:
                yield Status("connection lost; resuming the answer where it stopped")
            self._broken = self._broken or found
            self._tries += 1
            await self._reading.wait(asyncio.sleep(self._pause()))
        for event in self._reading.finish():
            yield event

    async def _connection(self) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of one connection."""
        async with AsyncExitStack() as stack:
            if self._broken is not None:
                self._cursor.take_up()
            opening = stack.enter_async_context(
                self._link.open(self._cursor.last_id, self._reading.idle.restart)
            )
            items = await stack.enter_async_context(aclosing(await self._reading.wait(opening)))
            self._log.answered()
            while self._decoder.failure is None:
                arrived = await self._reading.wait(anext(items, None))
                if arrived is None:
                    return
                async with aclosing(self._reading.events(arrived, self._take)) as events:
                    async for event in events:
                        yield event

    def _take(self, item: Item) -> list[WireEvent]:
        decoder, events = self._decoder, list[WireEvent]()
        if isinstance(item, Whole | Arrival):
            refuse_crowds(item.body if isinstance(item, Whole) else item.data)
        if isinstance(item, Whole):
            if self._cursor.is_replaying:
                raise BeganAnew
            events += decoder.decode_whole(item.body)
        elif isinstance(item, Arrival):
            starts, was_replaying = decoder.starts, self._cursor.is_replaying
            if self._cursor.is_new(item):
                is_answer = not self._request.stream and decoder.is_answer(item.data)
                events += (
                    decoder.decode_whole(item.data.encode())
                    if is_answer
                    else decoder.feed(item.name, item.data)
                )
                if was_replaying and decoder.starts > starts:
                    raise BeganAnew
                self._tries, self._broken = 0, None
        else:
            if isinstance(item, Position):
                self._cursor.move(item.id)
            events.append(Heartbeat())
        return events

    def _goes_on(self, found: ProviderError) -> bool:
        """Return True if the break is worth another connection."""
        if not self._cursor.last_id or self._tries >= TRIES or found.kind == "timeout":
            return False
        if self._broken is not None:  # the server may be restarting
            return found.kind in RETRYABLE_KINDS
        return found.kind in ("cut", "connection")

    def _final(self, found: ProviderError) -> ProviderError:
        if self._broken is None or found.kind == "timeout":
            return found
        message = f"{self._broken.message}; resuming failed: {found.message}"
        return ProviderError("cut", message)

    def _pause(self) -> float:
        """Seconds until the next connection: as the server says, else longer each time."""
        if self._link.retry is not None:
            return min(self._link.retry, _LONGEST_RETRY)
        if self._tries == 1:
            return 0.0
        longest: float = min(_FIRST_PAUSE * 2.0 ** (self._tries - 2), _LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1.0)
