"""The wire `agent-sse`: an agent server that answers a POST with an event stream.

`base_url` is the agent's own address, not an API's root. Taking up a stream
that broke follows the server: a GET of the address that its response named
(`Location`, as LangGraph does, or `Content-Location`), if that is on the same
host, or else the same POST once more, `run_id` included; both with
`Last-Event-ID`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from uuid import uuid4

import httpx
from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.events import WireEvent
from lfgtui.providers.agent_server.connection import agent_pump
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.request import request_body
from lfgtui.providers.agent_server.resume import Arrival, Item
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import refused
from lfgtui.providers.transport.body import read_body
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT, local_host, sdk_headers
from lfgtui.providers.transport.response_guard import guard
from lfgtui.providers.transport.sse import Position, RecordReader


class AgentSseProvider:
    """One agent server, over HTTP. See `base.Provider`."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_TIMEOUT,
        body: Mapping[str, object] | None = None,
    ) -> None:
        if base_url is None:
            raise UsageError('the wire "agent-sse" needs a "base_url"')
        self._url = httpx.URL(base_url)
        self._key = api_key
        self._body = body or {}
        self._probe: Probe | None = None
        bearer = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers=bearer | sdk_headers(headers),
            timeout=httpx.Timeout(None, connect=connect_timeout),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            trust_env=not local_host(self._url.host),
        )
        guard(self._client)

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """The events of one run. See `base.Provider.stream`."""
        body = request_body(request, self._body, str(uuid4()))
        link, decoder = HttpLink(self._client, self._url, body), AgentDecoder(request.turn)
        if self._probe is not None:
            self._probe.unknown = decoder.unknown
        return agent_pump(link, decoder, request, key=self._key, host=self._url.host)

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on. See `probe.Watchable`."""
        self._probe = probe
        probe.watch(self._client)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


connect = AgentSseProvider
"""What `registry` opens."""


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
        self, last_id: str, heard: Callable[[], None]
    ) -> AsyncIterator[AsyncGenerator[Sequence[Item], None]]:
        """The first connection, or the one after `last_id`."""
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
        """Where the server says that the stream is; a stranger must not get the key."""
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
