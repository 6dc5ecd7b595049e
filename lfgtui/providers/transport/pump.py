"""The half of a provider that moves: a response on its way through a decoder.

The SDK sends; the body is read here, by our reader into our decoder, against
two timeouts: `first_token_timeout` runs from sending until the first record
with content, `idle_timeout` while nothing at all arrives after it. Every error
leaves as a `ProviderError`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from functools import partial
from typing import Protocol

import httpx2
from httpx_sse import ServerSentEvent

from lfgtui.model.events import Heartbeat, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.transport.body import Part, Whole, read_body
from lfgtui.providers.transport.reading import Reading, logged
from lfgtui.providers.wire.decoder import Decoder

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a server."""


class SdkResponse(Protocol):
    """The part that both SDKs' streaming responses have in common."""

    @property
    def http_response(self) -> httpx2.Response: ...


async def pump(
    sending: AbstractAsyncContextManager[SdkResponse],
    decoder: Decoder,
    request: Request,
    *,
    key: str | None,
    host: str,
) -> AsyncGenerator[WireEvent, None]:
    """Yield the events of the response that `sending` opens. `key` is kept out of messages.

    `host` is the server's name, for the debug log.
    """
    try:
        async with AsyncExitStack() as stack:
            answered = stack.enter_context(logged(host, request, decoder.unknown))
            reading = Reading(decoder, request)
            response = (await reading.wait(stack.enter_async_context(sending))).http_response
            answered()
            take = partial(decode, decoder=decoder)
            parts = read_body(response)
            async with aclosing(parts), aclosing(reading.events(parts, take)) as events:
                async for event in events:
                    yield event
            for event in reading.finish():
                yield event
    except Exception as error:
        raise as_provider_error(error, key=key) from error


def local_host(host: str) -> bool:
    """Return True if the host is this machine, which no proxy can reach for us."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def sdk_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the extra headers, spelled so that they replace the SDK's own.

    Compression is declined: a proxy that compresses also buffers.
    """
    return {"Accept-Encoding": "identity"} | {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in headers.items()
    }


def decode(part: Part, decoder: Decoder) -> Sequence[WireEvent]:
    """Return the events of one part; raise `ProviderError` ("protocol") past a limit."""
    if isinstance(part, Whole):
        limits.refuse_crowds(part.body)
        return decoder.decode_whole(part.body)
    if not isinstance(part, ServerSentEvent):
        return (Heartbeat(),)
    limits.refuse_crowds(part.data)
    name = part.event
    return decoder.feed("" if name == "message" else name, part.data)
