"""`lfg serve`'s application in this loop, and what its streams gave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, aconnect_sse
from starlette.routing import BaseRoute

from lfgtui.server.http.app import build_app
from lfgtui.settings.config import Config
from lfgtui.simulator.server import listening


@asynccontextmanager
async def served(
    token: str | None = None,
    *,
    is_loopback: bool = False,
    sends_token: bool = True,
    pages: Sequence[BaseRoute] = (),
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the runs of this test's data folder; yield a client."""
    app = build_app(Config(), lambda: None, token=token, is_loopback=is_loopback, pages=pages)
    headers = {"Authorization": f"Bearer {token}"} if token and sends_token else {}
    async with (
        listening(app) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client,
    ):
        yield client


@dataclass
class Stream:
    """The events of a stream so far."""

    events: list[ServerSentEvent] = field(default_factory=list)
    has_ended: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(one.data) for one in self.events if one.event == "message" and one.data]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until events have made the condition true."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: bool(condition()))

    async def up_to(self, kind: str) -> None:
        """Wait until the newest entry is of that type."""
        await self.until(lambda: [one["type"] for one in self.entries[-1:]] == [kind])

    async def to_its_end(self) -> None:
        """Wait until the stream has ended."""
        await self.until(lambda: self.has_ended)

    async def read(self, client: httpx.AsyncClient, path: str, **headers: str) -> None:
        """Take all events until the stream ends."""
        async with aconnect_sse(client, "GET", path, headers=headers) as source:
            assert source.response.status_code == 200, await source.response.aread()
            async for event in source.aiter_sse():
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        async with self._news:
            self.has_ended = True
            self._news.notify_all()


@asynccontextmanager
async def stream(client: httpx.AsyncClient, path: str, **headers: str) -> AsyncIterator[Stream]:
    """Read a stream beside the body; leave it at its end."""
    reads = Stream()
    reading = asyncio.create_task(reads.read(client, path, **headers))
    try:
        yield reads
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
