"""The reading of one response, the same on every wire: parts in, events out, within bounds."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lfgtui.model.events import Heartbeat, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.base import Request
from lfgtui.providers.limits import CallMeter, in_pieces
from lfgtui.providers.transport.body import Whole
from lfgtui.providers.transport.sse import Comment
from lfgtui.providers.transport.timeouts import Timeout, Turn
from lfgtui.providers.wire.decoder import Decoder

T = TypeVar("T")

_DRAIN_GRACE = 0.25  # seconds for a body whose last record has come to end by itself


class Reading:
    """A response on its way through its decoder: its timeouts, its limits, its progress.

    A response begins with the first record that has content, or is of a known type without
    content, like the head of a message. Until then `first_token_timeout` runs: neither
    heartbeats nor records of no known type stop it. `idle` is for the wait between any two
    things after that; restart it when bytes come, for a long record is no silence.
    """

    def __init__(self, decoder: Decoder, request: Request) -> None:
        seconds, name = request.first_token_timeout, "first_token_timeout"
        if not request.stream:  # the first thing to arrive is the whole answer
            seconds, name = seconds + request.idle_timeout, f"{name} and idle_timeout"
        self.idle = Timeout(request.idle_timeout, "no data for", "idle_timeout")
        self._timeout = Timeout(seconds, "no response within", name)
        self._drain: Timeout | None = None
        self._decoder = decoder
        self._turn = Turn()
        self._meter = CallMeter()
        self._has_begun = False
        self._unknown_before = 0
        self._quiet = 0

    async def wait(self, arrival: Awaitable[T]) -> T:
        """Return what arrives; raise `ProviderError` ("timeout") where nothing does in time."""
        return await self._timeout.wait(arrival)

    async def events(
        self, parts: Iterable[T], decode: Callable[[T], Sequence[WireEvent]]
    ) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of parts that arrived together, until the decoder fails.

        Raises `ProviderError` ("protocol") past a limit.
        """
        after_heartbeat = False
        for part in parts:
            events = decode(part)
            self._note_progress(events, is_record=not isinstance(part, Comment | Whole))
            for event in self.bounded(events):
                is_heartbeat = isinstance(event, Heartbeat)
                if not (after_heartbeat and is_heartbeat):  # many at once are one sign of life
                    yield event
                    await self._turn.share()
                after_heartbeat = is_heartbeat
            if self._decoder.failure is not None:
                return
            await self._turn.share()
        if self._decoder.done:
            self._drain = self._drain or Timeout(_DRAIN_GRACE, "no end within", "drain grace")
            self._timeout = self._drain
        elif self._has_begun:
            self._timeout = self.idle
            self.idle.restart()

    def finish(self) -> Iterator[WireEvent]:
        """Yield the last events; raise the decoder's failure, if there is one."""
        yield from self.bounded(self._decoder.finish())
        if self._decoder.failure is not None:
            raise self._decoder.failure

    def bounded(self, events: Iterable[WireEvent]) -> Iterator[WireEvent]:
        """Yield the events, long deltas in pieces; raise `ProviderError` past a limit of calls."""
        for event in in_pieces(events):
            yield event
            self._meter.count(event)

    def _note_progress(self, events: Sequence[WireEvent], *, is_record: bool) -> None:
        if any(not isinstance(event, Heartbeat) for event in events):
            self._has_begun, self._quiet = True, 0
            return
        self._quiet += 1
        if self._quiet > limits.QUIET_RECORDS:
            raise limits.without_content()
        if is_record and not events and not self._has_begun:
            self._has_begun = self._was_known()

    def _was_known(self) -> bool:
        unknown = self._decoder.unknown
        if len(unknown) > limits.QUIET_TYPES:
            return False
        before, self._unknown_before = self._unknown_before, unknown.total()
        return self._unknown_before == before
