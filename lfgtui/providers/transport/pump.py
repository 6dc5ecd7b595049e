"""The half of a provider that moves: a response on its way through a decoder.

The SDK sends; the body is read here, by our reader into our decoder, against
two clocks: `first_token_timeout` runs from sending until the first record
that says something, `idle_timeout` while nothing at all arrives after it.
Every error leaves as a `ProviderError`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Protocol

from httpx_sse import ServerSentEvent

from lfgtui.model.events import Heartbeat, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.base import Decoder, Request
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.limits import CallMeter, in_pieces
from lfgtui.providers.transport.body import Part, Whole, read_body
from lfgtui.providers.transport.progress import Progress
from lfgtui.providers.transport.request_log import ResponseLog
from lfgtui.providers.transport.timeouts import (
    Limit,
    Turn,
    Watched,
    afterglow,
    first_limit,
    idle_limit,
)

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a server."""

PLACEHOLDER_KEY = "no-key-needed"
"""What a server without keys is sent: an SDK given nothing would look for a key itself."""


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
            first = first_limit(request)
            response = (await first.wait(stack.enter_async_context(sending))).http_response
            log.answered()
            calls = CallMeter()
            async with aclosing(_events(response, decoder, request, first)) as events:
                async for event in events:
                    yield event
                    calls.count(event)
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
    response: HttpResponse, decoder: Decoder, request: Request, first: Limit
) -> AsyncGenerator[WireEvent, None]:
    limit: Limit = first
    last: Limit | None = None
    idle, progress, turn = idle_limit(request), Progress(decoder.unknown), Turn()
    kind = response.headers.get("content-type", "")
    async with aclosing(read_body(Watched(response, idle.restart), kind)) as reading:
        while True:
            try:
                parts = await limit.wait(anext(reading, None))
            except Exception:
                if decoder.done:
                    break
                raise
            if parts is None:
                break
            beaten = False
            for part in parts:
                events = _decode(part, decoder)
                for event in in_pieces(events):
                    if beaten and isinstance(event, Heartbeat):
                        continue  # many at once are one sign of life
                    beaten = isinstance(event, Heartbeat)
                    yield event
                    await turn.share()
                progress.take(events, is_record=isinstance(part, ServerSentEvent))
                if decoder.failure is not None:
                    break
                await turn.share()
            if decoder.failure is not None:
                break
            if decoder.done:
                limit = last = last or afterglow()
            elif progress.has_begun:
                limit = idle
                idle.restart()
    for event in in_pieces(decoder.finish()):
        yield event
    if decoder.failure is not None:
        raise decoder.failure


def _decode(part: Part, decoder: Decoder) -> Sequence[WireEvent]:
    if isinstance(part, Whole):
        limits.refuse_crowds(part.body)
        return decoder.decode_whole(part.body)
    if not isinstance(part, ServerSentEvent):
        return (Heartbeat(),)
    limits.refuse_crowds(part.data)
    name = part.event
    return decoder.feed("" if name == "message" else name, part.data)
