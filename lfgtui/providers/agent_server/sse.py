"""The wire `agent-sse`: an agent server that answers a POST with an event stream.

`base_url` is the agent's own address, not an API's root. A stream that broke
is resumed as its server allows: if the response named an address (`Location`,
as LangGraph does, or `Content-Location`) on the same host, by a GET of that;
otherwise by the same POST once more, `run_id` included. Both send
`Last-Event-ID`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import httpx

from lfgtui.errors import ProviderError
from lfgtui.model.events import WireEvent
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.provider import AgentProvider
from lfgtui.providers.agent_server.resume import Cursor
from lfgtui.providers.base import Request, local_host
from lfgtui.providers.errors.mapping import refused
from lfgtui.providers.transport.body import Part, read_body
from lfgtui.providers.transport.connect_time import connect_seconds, time_connections
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.response_guard import guard
from lfgtui.providers.transport.sse import RecordReader


class AgentSseProvider(AgentProvider):
    """One agent server, over HTTP."""

    wire = "agent-sse"

    def _prepare(self) -> None:
        self._client = httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=self._connect_timeout),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            trust_env=not local_host(httpx.URL(self._base_url).host),
        )
        guard(self._client)
        time_connections(self._client)

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """Return the events of one run. See `base.Provider.stream`."""
        decoder = AgentDecoder(request.turn, streams=request.stream)
        return self._events(request, decoder, self._connect)

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on. See `probe.Watchable`."""
        self._probe = probe
        probe.watch(self._client)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def _connect(
        self, body: dict[str, object], cursor: Cursor, on_activity: Callable[[], None]
    ) -> AsyncIterator[AsyncGenerator[Sequence[Part], None]]:
        """Send the request and yield its response's parts; note in `cursor` how to resume it."""
        response = await self._client.send(self._request(body, cursor), stream=True)
        cursor.connect = connect_seconds(response)
        reader = RecordReader(tail=False)
        try:
            if not response.is_success:
                raise refused(response.status_code, response.headers, await response.aread())
            if cursor.last_id and response.status_code == httpx.codes.NO_CONTENT:
                raise ProviderError("not_found", "the server has no more of this run (HTTP 204)")
            cursor.url = cursor.url or _stream_url(response)
            yield read_body(response, reader)
        finally:
            if reader.retry is not None:
                cursor.retry = reader.retry / 1000
            await response.aclose()

    def _request(self, body: dict[str, object], cursor: Cursor) -> httpx.Request:
        accept = "text/event-stream" if body.get("stream", True) else "application/json"
        headers = httpx.Headers({"Accept": accept, "Cache-Control": "no-store"})
        if cursor.last_id:  # as bytes: httpx takes only ASCII as text
            last = (b"Last-Event-ID", cursor.last_id.encode())
            headers = httpx.Headers([*headers.raw, last])
        if cursor.last_id and cursor.url:
            return self._client.build_request("GET", cursor.url, headers=headers)
        return self._client.build_request("POST", self._base_url, json=body, headers=headers)


connect = AgentSseProvider
"""The name by which `registry` opens this wire."""


def _stream_url(response: httpx.Response) -> str:
    """Return the stream's own address if it is on this host: no other may get the key."""
    here = response.url
    for name in ("location", "content-location"):
        with suppress(httpx.InvalidURL):
            url = here.join(response.headers.get(name, ""))
            is_ours = (url.scheme, url.netloc, url.userinfo) == (here.scheme, here.netloc, b"")
            if name in response.headers and is_ours:
                return str(url)
    return ""
