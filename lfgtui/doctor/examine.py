"""Sends one small request to a provider, by the code that tickets use, with a probe on it.

The answer has to be long enough to be judged: some hundred tokens that every
model can write. The limit is higher, since reasoning counts as output, too.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from lfgtui.doctor.arrivals import Arrival
from lfgtui.doctor.proxies import Headers
from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    ReasoningDelta,
    ResponseFinished,
    TextDelta,
    ToolArgumentsDelta,
    Usage,
    WireEvent,
)
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import ListsModels, Provider, Request
from lfgtui.providers.transport.probe import Exchange, Probe, Watchable, timed
from lfgtui.settings.providers import WireName

PROMPT = "Write the numbers from one to forty in English words, one on each line, and nothing else."
"""Its answer has about a hundred tokens."""

MAX_OUTPUT_TOKENS = 512  # see the module's docstring
PATIENCE = 60.0
"""Seconds to wait for the first token, and for each further one."""

_LISTING_SECONDS = 15.0  # to wait for a list of models


@dataclass(slots=True)
class Examination:
    """Observations of one request. Moments in seconds since the request began, None if not reached.

    `exchange` is None on wires without a probe; the arrivals are then those of
    events instead of pieces of the body. `total` is when the response ended,
    `silence` the time without a byte before that. `wall_clock` is this machine's
    time, in seconds since the epoch, when the response's head came. `unknown`
    counts records of unknown types. `listed` are the server's models, requested
    only if it refused the request.
    """

    provider: str
    wire: WireName
    model: str
    exchange: Exchange | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    first_token: float | None = None
    total: float = 0.0
    silence: float = 0.0
    wall_clock: float | None = None
    error: ProviderError | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    unknown: Counter[str] = field(default_factory=Counter)
    listed: list[str] | None = None

    @property
    def headers(self) -> Headers:
        """The response's headers; none on wires without a probe."""
        return self.exchange.headers if self.exchange is not None else ()


async def examine(provider: Provider, seen: Examination, lookups: Sequence[float] = ()) -> None:
    """Send one request and note in `seen` how the response came, or the provider's error.

    `lookups` is `LookupTimingLoop.lookups` of the running loop.
    """
    probe = Probe(lookups)
    if isinstance(provider, Watchable):
        provider.watch(probe)
    request = Request(
        seen.model,
        [UserTurn(PROMPT)],
        max_output_tokens=MAX_OUTPUT_TOKENS,
        cache=False,
        first_token_timeout=PATIENCE,
        idle_timeout=PATIENCE,
        apart=True,
    )
    watch = _Watch(seen, probe)
    try:
        async with aclosing(provider.stream(request)) as stream:
            await watch.follow(aiter(stream))
    except ProviderError as error:
        seen.error = error
    watch.finish()
    if seen.error is not None and seen.error.kind in ("not_found", "invalid_request"):
        with suppress(ProviderError):
            seen.listed = await list_models(provider)


async def list_models(provider: Provider) -> list[str] | None:
    """Return the models that the server lists, None for none; raises `ProviderError`."""
    if not isinstance(provider, ListsModels):
        return None
    try:
        async with asyncio.timeout(_LISTING_SECONDS):
            return await provider.models() or None
    except TimeoutError:
        message = f"no list of models within {_LISTING_SECONDS:g} s"
        raise ProviderError("timeout", message) from None


class LookupTimingLoop(asyncio.SelectorEventLoop):
    """The usual event loop; `lookups` has the seconds of each DNS look-up so far.

    The HTTP client does not report its look-ups, and a second one would be answered from a cache.
    All of them go through the loop, so they are timed here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lookups: list[float] = []

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002  # the standard library's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:  # its type in the standard library differs between versions
        began = monotonic()
        try:
            return await super().getaddrinfo(
                host, port, family=family, type=type, proto=proto, flags=flags
            )
        finally:
            self.lookups.append(monotonic() - began)


class _Watch:
    """Assigns the events of one response to the pieces of the body that brought them."""

    def __init__(self, seen: Examination, probe: Probe) -> None:
        self._seen = seen
        self._probe = probe
        self._began = self._last = monotonic()
        self._wall = time.time()
        self._lengths: defaultdict[int, list[int]] = defaultdict(list)
        self._gaps: list[float] = []

    async def follow(self, events: AsyncIterator[WireEvent]) -> None:
        """Read to the end; raises what the stream raises. Then call `finish`, in any case."""
        while True:
            event, waited = await timed(anext(events, None))
            self._last = monotonic()
            if event is None:
                return
            self._gaps.append(waited)
            match event:
                case TextDelta(text) | ReasoningDelta(text) | ToolArgumentsDelta(_, text):
                    exchanges = self._probe.exchanges
                    pieces = exchanges[0].pieces if exchanges else self._gaps
                    self._lengths[len(pieces) - 1].append(len(text))
                    if self._seen.first_token is None:
                        self._seen.first_token = self._last - self._began
                case Usage():
                    self._seen.usage = event
                case ResponseFinished(_, stop_reason):
                    self._seen.stop_reason = stop_reason
                case _:
                    pass

    def finish(self) -> None:
        """Fill in the examination, however the stream ended."""
        seen, ended, last = self._seen, monotonic(), self._last
        pieces = [(gap, 0) for gap in self._gaps]
        seen.unknown = self._probe.unknown
        if self._probe.exchanges:
            seen.exchange = exchange = self._probe.exchanges[0]
            ended = exchange.ended or ended
            last = exchange.pieces[-1].at if exchange.pieces else exchange.answered or ended
            pieces = [(piece.waited, piece.size) for piece in exchange.pieces]
            if exchange.answered is not None:
                until_head = exchange.answered - self._began
                seen.wall_clock = self._wall + until_head
                # The first piece may have come with the head.
                pieces[:1] = [(gap + until_head, size) for gap, size in pieces[:1]]
        seen.total, seen.silence = ended - self._began, ended - last
        for index, (gap, size) in enumerate(pieces):
            lengths = self._lengths[index]
            seen.arrivals.append(Arrival(gap, len(lengths), sum(lengths), size))
