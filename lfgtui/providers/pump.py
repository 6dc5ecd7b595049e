"""The half of a provider that moves: a response on its way through a decoder.

The SDK sends; the body is read here, by our reader into our decoder, against
two clocks: `first_token_timeout` runs from sending until the first record
that says something, `idle_timeout` while nothing at all arrives after it.
Every error leaves as a `ProviderError`.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Protocol, TypeVar

from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError
from lfgtui.events import Heartbeat, WireEvent
from lfgtui.providers.base import Decoder, Request
from lfgtui.providers.body import Part, Whole, read_body
from lfgtui.providers.failures import as_provider_error
from lfgtui.providers.limits import ArgumentsMeter
from lfgtui.providers.response_log import ResponseLog

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a server."""

PLACEHOLDER_KEY = "no-key-needed"
"""What a server without keys is sent: an SDK given nothing would look for a key itself."""

_AFTERGLOW = 0.25  # seconds for a body that has said its last word to end by itself


class HttpResponse(Protocol):
    """What is used of httpx2's response."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    def aiter_bytes(self) -> AsyncIterator[bytes]: ...


class SdkResponse(Protocol):
    """What both SDKs' streaming responses have in common."""

    @property
    def http_response(self) -> HttpResponse: ...


async def pump(
    sending: AbstractAsyncContextManager[SdkResponse],
    decoder: Decoder,
    request: Request,
    *,
    key: str | None,
    host: str = "",
) -> AsyncGenerator[WireEvent, None]:
    """The events of the response that `sending` opens. `key` is kept out of messages.

    `host` is who is asked, for the debug log.
    """
    try:
        async with AsyncExitStack() as stack:
            log = stack.enter_context(ResponseLog(host, request, decoder.unknown))
            first = _first_limit(request)
            response = (await first.wait(stack.enter_async_context(sending))).http_response
            log.answered()
            arguments = ArgumentsMeter()
            async with aclosing(_events(response, decoder, request, first)) as events:
                async for event in events:
                    yield event
                    arguments.count(event)
    except Exception as error:
        raise as_provider_error(error, key=key) from error


def local_host(host: str) -> bool:
    """Whether the host is this machine, which no proxy can reach for us."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def sdk_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The extra headers, spelled so that they replace the SDK's own.

    Compression is declined: a proxy that compresses also buffers.
    """
    return {"Accept-Encoding": "identity"} | {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in headers.items()
    }


async def _events(
    response: HttpResponse, decoder: Decoder, request: Request, first: "_Limit"
) -> AsyncGenerator[WireEvent, None]:
    limit, begun = first, False
    idle = _Limit(request.idle_timeout, "nothing more", "idle_timeout")
    kind = response.headers.get("content-type", "")
    async with aclosing(read_body(_Watched(response, idle.restart), kind)) as parts:
        while decoder.failure is None:
            try:
                part = await limit.wait(anext(parts, None))
            except ProviderError:
                if decoder.done:
                    break
                raise
            if part is None:
                break
            events = _decode(part, decoder)
            for event in events:
                yield event
            begun = begun or any(not isinstance(event, Heartbeat) for event in events)
            begun = begun or (not events and isinstance(part, ServerSentEvent))
            if decoder.done:
                limit = _Limit(_AFTERGLOW, "nothing more", "after the end")
            elif begun:
                limit = idle
                idle.restart()
    for event in decoder.finish():
        yield event
    if decoder.failure is not None:
        raise decoder.failure


def _decode(part: Part, decoder: Decoder) -> Sequence[WireEvent]:
    if isinstance(part, Whole):
        return decoder.decode_whole(part.body)
    if not isinstance(part, ServerSentEvent):
        return (Heartbeat(),)
    name = part.event
    return decoder.feed("" if name == "message" else name, part.data)


def _first_limit(request: Request) -> "_Limit":
    if request.stream:
        return _Limit(request.first_token_timeout, "no answer", "first_token_timeout")
    # The first thing to arrive is the whole answer.
    seconds = request.first_token_timeout + request.idle_timeout
    return _Limit(seconds, "no answer", "first_token_timeout and idle_timeout")


class _Watched:
    """A body that tells when some of it arrives: a long record is no silence."""

    def __init__(self, response: HttpResponse, heard: Callable[[], None]) -> None:
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


class _Limit:
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
