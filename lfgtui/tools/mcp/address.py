"""The HTTP client for a server with an address: all that it reads is bounded.

The MCP package reads a body whole, however long it is, and httpx2 decompresses a piece at once,
however large the result. So a body is cut at a bound, and compression is neither asked for nor
read. The package itself bounds the events of a stream, and follows no redirect to another host.
"""

from collections.abc import AsyncIterator, Mapping

import httpx2

from lfgtui.processes.child import MEGABYTE
from lfgtui.tools.mcp.definitions import shown

LARGEST_MESSAGE = 8 * MEGABYTE
"""Most bytes of a message, in a body or an event."""

_CONNECTING = 10.0
_SILENCE = 300.0
"""Seconds without a byte after which a stream of events is opened anew."""


def http_client(headers: Mapping[str, str]) -> httpx2.AsyncClient:
    """Return a client that sends the headers. Blocks: it reads certificates."""
    return httpx2.AsyncClient(
        headers=httpx2.Headers({**headers, "Accept-Encoding": "identity"}),
        timeout=httpx2.Timeout(_CONNECTING, read=_SILENCE),
        event_hooks={"response": [_check]},
    )


async def _check(response: httpx2.Response) -> None:
    headers, stream = response.headers, response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    is_events = headers.get("content-type", "").lower().startswith("text/event-stream")
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        reason = f"its answer is compressed ({shown(coding)}), although that was not asked for"
        kind = httpx2.SSEError if is_events else httpx2.StreamError  # the package passes these on
        response.stream = _Body(stream, 0, kind(reason))
    elif not is_events:
        reason = f"its answer has more than {LARGEST_MESSAGE:,} bytes"
        response.stream = _Body(stream, LARGEST_MESSAGE, httpx2.StreamError(reason))


class _Body(httpx2.AsyncByteStream):
    """A body with a bound; raises the error if it has more bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int, error: Exception) -> None:
        self._stream, self._left, self._error = stream, most, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise self._error
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
