"""The reading of one response, the same on every wire: parts in, events out, within bounds.

A wire makes a `Reading` for a request, passes on all its `events`, and then those of `finish`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError, shortened
from lfgtui.model.events import Heartbeat, Usage, WireEvent
from lfgtui.model.pieces import joined
from lfgtui.providers import limits
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.limits import CallMeter, in_pieces
from lfgtui.providers.transport.body import Part, Whole
from lfgtui.providers.transport.sse import Comment
from lfgtui.providers.wire.decoder import Decoder
from lfgtui.text.terminal_safe import visible_line

T = TypeVar("T")

TURN_SECONDS = 0.005
"""Seconds of work after which everything else on the event loop runs once.

Reading what has already arrived does not wait, so a server that sends faster
than lfg reads would keep the loop to itself.
"""

_DRAIN_GRACE = 0.25
"""Seconds that a body has to end by itself after its last record, or after the one that failed it.

The usage of a failed response may come after its error.
"""

_MOST_TYPES, _LONGEST_TYPE = 10, 40
"""Types in the debug log, and characters of each: a server could put an answer into them."""

_logger = logging.getLogger(__name__)


class Timeout:
    """The seconds that may pass before something arrives; `name` is the setting, for the message.

    One timer checks the deadline now and then: to set one for each wait would cost as much as
    to read a record.
    """

    def __init__(self, seconds: float, message: str, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._message = f"{message} {seconds:g} s ({name})"
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Timeout | None = None
        self.restart()

    @property
    def is_over(self) -> bool:
        """True once the time has passed, even if nobody waits."""
        return self._loop.time() >= self._deadline

    def restart(self) -> None:
        """Begin anew, also during a wait."""
        self._deadline = self._loop.time() + self._seconds

    async def wait(self, arrival: Awaitable[T]) -> T:
        """Return what arrives; raise `ProviderError` ("timeout") if nothing does in time."""
        if self._timer is None:
            self._set_timer()
        try:
            async with asyncio.timeout(None) as waiting:
                self._waiting = waiting
                try:
                    return await arrival
                finally:
                    self._waiting = None
        except TimeoutError:
            if not waiting.expired():
                raise
            raise ProviderError("timeout", self._message) from None

    def _set_timer(self) -> None:
        self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        """End the wait if the time is over; if not, look again at the present deadline."""
        self._timer = None
        if self._waiting is None:
            return  # the next wait sets it again
        if self.is_over:
            self._waiting.reschedule(self._deadline)
        else:
            self._set_timer()


@dataclass(slots=True)
class _Turn:
    """The events of one step of reading; `is_last` if all parts that came together are read."""

    events: list[WireEvent] = field(default_factory=list)
    error: Exception | None = None
    is_last: bool = False


class Reading:
    """A response on its way through its decoder: its timeouts, its limits, its progress.

    A response begins with the first record that has content, or is of a known type without
    content, like the head of a message. Until then `first_token_timeout` runs: neither
    heartbeats nor records of unknown types stop it. `idle` limits the wait between any two
    arrivals after that; a wire whose parts may be long restarts it when bytes come.
    """

    def __init__(self, decoder: Decoder, request: Request) -> None:
        seconds, name = request.first_token_timeout, "first_token_timeout"
        if not request.stream:  # the first thing to arrive is the whole answer
            seconds, name = seconds + request.idle_timeout, f"{name} and idle_timeout"
        self.idle = Timeout(request.idle_timeout, "no data for", "idle_timeout")
        self.timeout = Timeout(seconds, "no response within", name)
        """The limit in force: for the first record, then `idle`, and at last the drain grace."""
        self._decoder = decoder
        self._apart = request.apart
        self._turn_ends = 0.0  # the time at which the event loop is to run
        self._turn_left = TURN_SECONDS  # of work, when the last parts had been read
        self._meter = CallMeter()
        self._drain: Timeout | None = None
        self._has_begun = False
        self._unknown_before = 0
        self._quiet = 0  # records in a row without content

    async def events(
        self,
        arriving: AsyncGenerator[Sequence[T], None],
        decode: Callable[[T], Sequence[WireEvent]],
    ) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of parts that arrive, until the response is over.

        `decode` returns the events of one part. Pieces of a text that came together become one
        event, which costs as much as each of them would. The response is over once the decoder
        is done or has failed; what still comes is read for `_DRAIN_GRACE`. Raises
        `ProviderError` ("protocol") past a limit, and what `arriving` raises before the
        response is over.
        """
        decoder = self._decoder
        while self._drain is None or not self._drain.is_over:
            try:
                parts = await self.timeout.wait(anext(arriving, None))
            except Exception:
                if decoder.done or decoder.failure is not None:
                    return
                raise
            if parts is None:
                return
            left = iter(parts)
            self._turn_ends = monotonic() + self._turn_left
            while True:
                turn = self._decode(left, decode)
                events = turn.events if self._apart else joined(turn.events)
                for event in self.bounded(events):
                    yield event
                if turn.error is not None:
                    raise turn.error
                await self._share()
                if turn.is_last:
                    break
            self._turn_left = self._turn_ends - monotonic()
            if decoder.done or decoder.failure is not None:
                self._drain = self._drain or Timeout(_DRAIN_GRACE, "no end within", "drain grace")
                self.timeout = self._drain
            elif self._has_begun:
                self.timeout = self.idle
                self.idle.restart()

    def finish(self) -> Iterator[WireEvent]:
        """Yield the last events; raise the decoder's failure, if there is one."""
        yield from self.bounded(self._decoder.finish())
        if self._decoder.failure is not None:
            raise self._decoder.failure

    def bounded(self, events: Iterable[WireEvent]) -> Iterator[WireEvent]:
        """Yield the events, long deltas in pieces; raise `ProviderError` past a limit on calls."""
        for event in in_pieces(events):
            yield event
            self._meter.count(event)

    def _decoded(self, part: T, decode: Callable[[T], Sequence[WireEvent]]) -> Sequence[WireEvent]:
        """Return the events of a part; after the record that failed the response, its usage."""
        if self._decoder.failure is None:
            events = decode(part)
            self._note_progress(events, is_record=not isinstance(part, Comment | Whole))
            return events
        try:
            return [event for event in decode(part) if isinstance(event, Usage)]
        except ProviderError:
            return ()

    def _decode(self, left: Iterator[T], decode: Callable[[T], Sequence[WireEvent]]) -> _Turn:
        """Decode the parts that are left, or as many as there is time for before the loop runs."""
        turn = _Turn()
        try:
            for part in left:
                turn.events += self._decoded(part, decode)
                if monotonic() >= self._turn_ends:
                    return turn
        except Exception as error:  # to be raised after the events before it
            turn.error = error
        turn.is_last = True
        return turn

    async def _share(self) -> None:
        """Let the event loop run if the time for reading is used up."""
        if monotonic() >= self._turn_ends:
            await asyncio.sleep(0)
            self._turn_ends = monotonic() + TURN_SECONDS

    def _note_progress(self, events: Sequence[WireEvent], *, is_record: bool) -> None:
        """Note if content has begun; raise `ProviderError` for too much without any.

        A record of a known type without events counts as content too.
        """
        if events and any(type(event) is not Heartbeat for event in events):
            self._has_begun, self._quiet = True, 0
            return
        self._quiet += 1
        if self._quiet > limits.QUIET_RECORDS:
            raise limits.without_content()
        if is_record and not events and not self._has_begun:
            self._has_begun = self._is_known_type()

    def _is_known_type(self) -> bool:
        """Return True if the last record did not add to the decoder's unknown ones."""
        unknown = self._decoder.unknown
        if len(unknown) > limits.QUIET_TYPES:
            return False
        before, self._unknown_before = self._unknown_before, unknown.total()
        return self._unknown_before == before


def decode(part: Part, decoder: Decoder) -> Sequence[WireEvent]:
    """Return the events of one part; raise `ProviderError` ("protocol") past a limit."""
    if isinstance(part, Whole):
        limits.refuse_too_many_values(part.body)
        return decoder.decode_whole(part.body)
    if not isinstance(part, ServerSentEvent):
        return (Heartbeat(),)
    limits.refuse_too_many_values(part.data)
    name = part.event
    return decoder.feed("" if name == "message" else name, part.data)


@contextmanager
def logged(
    host: str, request: Request, unknown: Counter[str]
) -> Iterator[Callable[[float | None], None]]:
    """Write one response to the debug log; yields a function to call instead of `on_answer`.

    Lines carry names, times and counts, but never a key, a prompt or an answer. So they carry no
    message of an error either: servers quote requests there. `unknown` is the decoder's count.
    """
    host, began, ending = host or "?", monotonic(), "was cancelled"

    def log(message: str, *values: object) -> None:
        if _logger.isEnabledFor(logging.INFO):
            task = asyncio.current_task()  # a ticket's task has its name
            _logger.info(f"%s: {message}", task.get_name() if task else "-", *values)

    def answered(connect: float | None) -> None:
        log("%s answered after %.3f s", host, monotonic() - began)
        request.on_answer(connect)

    log("request to %s: %s, turn %d", host, request.model, request.turn)
    try:
        yield answered
        ending = "finished"
    except Exception as error:
        name = "" if isinstance(error, ProviderError) else f", {type(error).__name__}"
        ending = f"failed ({as_provider_error(error).kind}{name})"
        raise
    finally:
        log("%s %s after %.3f s", host, ending, monotonic() - began)
        if unknown:
            most = ((_type_name(name), count) for name, count in unknown.most_common(_MOST_TYPES))
            counts = ", ".join(f"{name} {count}" for name, count in most)
            log("%s sent records of unknown types: %s", host, counts)


def _type_name(name: str) -> str:
    return shortened(visible_line(name), _LONGEST_TYPE)
