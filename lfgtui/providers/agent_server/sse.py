"""The wire `agent-sse`: an agent server that answers a POST with an event stream.

`base_url` is the agent's own address, not an API's root. Taking up a stream
that broke follows the server: a GET of the address that its response named
(`Location`, as LangGraph does, or `Content-Location`), if that is on the same
host, or else the same POST once more, `run_id` included; both with
`Last-Event-ID`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

import httpx
from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError
from lfgtui.providers.agent_server.provider import AgentProvider
from lfgtui.providers.agent_server.resume import Arrival, Item
from lfgtui.providers.errors.mapping import refused
from lfgtui.providers.transport.body import read_body
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.pump import local_host
from lfgtui.providers.transport.response_guard import guard
from lfgtui.providers.transport.sse import Position, RecordReader


class AgentSseProvider(AgentProvider):
    """One agent server, over HTTP."""

    wire = "agent-sse"

    def _prepare(self) -> None:
        self._url = httpx.URL(self._base_url)
        self._client = httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=self._connect_timeout),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            trust_env=not local_host(self._url.host),
        )
        guard(self._client)

    def _link(self, body: dict[str, object]) -> "HttpLink":
        return HttpLink(self._client, self._url, body)

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on. See `probe.Watchable`."""
        self._probe = probe
        probe.watch(self._client)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


connect = AgentSseProvider
"""Opened by `registry`."""


class HttpLink:
    """One run over HTTP. See `agent_pump.Link`."""

    def __init__(self, client: httpx.AsyncClient, url: httpx.URL, body: dict[str, object]) -> None:
        self.retry: float | None = None
        self._client = client
        self._url = url
        self._body = body
        self._again: httpx.URL | None = None

    @asynccontextmanager
    async def open(
        self, last_id: str, on_activity: Callable[[], None]
    ) -> AsyncIterator[AsyncGenerator[Sequence[Item], None]]:
        """Open the first connection, or the one after `last_id`."""
        response = await self._client.send(self._request(last_id), stream=True)
        try:
            if not response.is_success:
                raise refused(response.status_code, response.headers, await response.aread())
            if last_id and response.status_code == httpx.codes.NO_CONTENT:
                raise ProviderError("not_found", "the server has no more of this run (HTTP 204)")
            self._again = self._again or self._named(response)
            yield self._items(response)
        finally:
            await response.aclose()

    def _request(self, last_id: str) -> httpx.Request:
        accept = "text/event-stream" if self._body.get("stream", True) else "application/json"
        headers = {"Accept": accept, "Cache-Control": "no-store"}
        method, url, body = "POST", self._url, self._body
        if last_id and self._again is not None:
            method, url, body = "GET", self._again, {}
        request = self._client.build_request(method, url, json=body or None, headers=headers)
        if last_id:  # any text; httpx would take ASCII only
            request.headers = httpx.Headers(
                [*request.headers.raw, (b"Last-Event-ID", last_id.encode())]
            )
        return request

    def _named(self, response: httpx.Response) -> httpx.URL | None:
        """Return the stream's own address if it is on this host: no other may get the key."""
        here = response.url
        for name in ("location", "content-location"):
            with suppress(httpx.InvalidURL):
                url = here.join(response.headers.get(name, ""))
                is_ours = (url.scheme, url.netloc, url.userinfo) == (here.scheme, here.netloc, b"")
                if name in response.headers and is_ours:
                    return url
        return None

    async def _items(self, response: httpx.Response) -> AsyncGenerator[Sequence[Item], None]:
        reader, before = RecordReader(tail=False), ""
        kind = response.headers.get("content-type", "")
        async with aclosing(read_body(response, kind, reader)) as reading:
            async for parts in reading:
                if reader.retry is not None:
                    self.retry = reader.retry / 1000
                items: list[Item] = []
                for part in parts:
                    if not isinstance(part, ServerSentEvent):
                        before = part.id if isinstance(part, Position) else before
                        items.append(part)
                        continue
                    name = "" if part.event == "message" else part.event
                    # An id stays in force until the next one, so only a change is an event's own.
                    items.append(Arrival(name, part.data, part.id if part.id != before else ""))
                    before = part.id
                yield items
