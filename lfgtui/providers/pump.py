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

from lfgtui.errors import ProviderError
from lfgtui.events import Heartbeat, WireEvent
from lfgtui.providers.base import Decoder, Request
from lfgtui.providers.body import Part, Whole, read_body
from lfgtui.providers.clock import Limit, Watched, afterglow, first_limit, idle_limit
from lfgtui.providers.failures import as_provider_error
from lfgtui.providers.limits import ArgumentsMeter
from lfgtui.providers.response_log import ResponseLog

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
    response: HttpResponse, decoder: Decoder, request: Request, first: Limit
) -> AsyncGenerator[WireEvent, None]:
    limit, begun = first, False
    idle = idle_limit(request)
    kind = response.headers.get("content-type", "")
    async with aclosing(read_body(Watched(response, idle.restart), kind)) as parts:
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
                limit = afterglow()
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
