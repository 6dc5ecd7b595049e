"""The HTTP client under both SDKs: its clock for connecting, and short refusals.

The SDKs read the body of a refusal whole before they raise, and httpx2 that
of a redirection before it follows; neither has a limit. So the stream of a
response that is no answer is replaced by one that ends at `ERROR_BYTES`.
"""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2

from lfgtui.providers import limits
from lfgtui.providers.pump import local_host

_COMPRESSED_BYTES = 64 * 1024  # gzip may make a thousand times as much of them


def open_http(
    sdk_client: type[httpx2.AsyncClient], host: str, timeout: httpx2.Timeout
) -> httpx2.AsyncClient:
    """A client as the SDK would make it, or for this machine one without any proxy.

    `sdk_client` is the SDK's own class, with its connection limits and
    keep-alive. Blocks: open it in a thread.
    """
    client = (
        httpx2.AsyncClient(trust_env=False, timeout=timeout)
        if local_host(host)
        else sdk_client(timeout=timeout)
    )
    client.event_hooks["response"].append(_shorten)
    return client


def only_connecting(seconds: float) -> httpx2.Timeout:
    """The SDK's clocks are off but for connecting: the pump has its own."""
    return httpx2.Timeout(None, connect=seconds)


async def _shorten(response: httpx2.Response) -> None:
    if response.status_code >= 300 and isinstance(response.stream, httpx2.AsyncByteStream):
        is_compressed = "content-encoding" in response.headers
        limit = _COMPRESSED_BYTES if is_compressed else limits.ERROR_BYTES
        response.stream = _Shortened(response.stream, limit)


class _Shortened(httpx2.AsyncByteStream):
    """As much of a stream as a message needs."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        stream = aiter(self._stream)
        try:
            async for chunk in stream:
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def aclose(self) -> None:
        await self._stream.aclose()
