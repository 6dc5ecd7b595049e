"""Agent servers of both wires, which play what a test hands them."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request as Handshake
from websockets.http11 import Response

from lfgtui.errors import ProviderError
from lfgtui.model.events import TextDelta, WireEvent
from lfgtui.providers.agent_server.provider import AgentProvider
from lfgtui.providers.agent_server.sse import AgentSseProvider
from lfgtui.providers.agent_server.websocket import AgentWebSocketProvider
from lfgtui.providers.base import Provider, Request
from tests.providers.loopback import CUT, STALL, Answer, Asked, Loopback, Step
from tests.providers.sdk_wires import request

KEY = "abcDEF-0123456789"
PATH = "/agents/plan"


def text(events: Iterable[WireEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def failure_of(provider: Provider, asked: Request | None = None) -> tuple[ProviderError, str]:
    """Return the failure, and the text that came before."""
    events: list[WireEvent] = []
    with pytest.raises(ProviderError) as failure:
        async for event in provider.stream(asked or request()):
            events.append(event)
    return failure.value, text(events)


class Agent(ABC):
    """A server that plays `plays` in turn, the last one again and again.

    `left` is set when a client goes while it stalls.
    """

    kind: type[AgentProvider]
    url: str

    def __init__(self) -> None:
        self.plays: Sequence[Sequence[Step]] = []
        self.asked: list[Asked] = []
        self.left = asyncio.Event()
        self.streaming = asyncio.Event()
        self._opened: list[AgentProvider] = []

    def provider(
        self,
        url: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> AgentProvider:
        url, headers = url or self.url, headers or {}
        self._opened.append(self.kind(base_url=url, api_key=KEY, headers=headers, body=body))
        return self._opened[-1]

    async def aclose(self) -> None:
        for provider in self._opened:
            await provider.aclose()

    def token(self, text: str, event_id: object = None) -> bytes:
        return self.event({"type": "token", "content": text}, event_id)

    @abstractmethod
    def event(self, record: Mapping[str, object], event_id: object = None) -> bytes:
        """Return an event, numbered as the wire does."""

    def _play(self) -> Sequence[Step]:
        return self.plays[min(len(self.asked), len(self.plays)) - 1]


class SseAgent(Agent):
    kind = AgentSseProvider

    def __init__(self, server: Loopback) -> None:
        super().__init__()
        self.asked, self.left, self.streaming = server.asked, server.left, server.streaming
        self.url = server.url + PATH
        server.answering = lambda _: Answer(self._play())

    def event(self, record: Mapping[str, object], event_id: object = None) -> bytes:
        head = "" if event_id is None else f"id: {event_id}\n"
        return f"{head}data: {json.dumps(record, ensure_ascii=False)}\n\n".encode()


class WebSocketAgent(Agent):
    """Closes with `code` and `reason`, and answers a handshake with `refusal` if there is one.

    `act` takes the place of the plays. Messages go out as text, or as binary ones.
    """

    kind = AgentWebSocketProvider
    code, reason, as_text = 1000, "", True
    refusal: Response | None = None
    act: Callable[[ServerConnection], Awaitable[None]] | None = None

    def event(self, record: Mapping[str, object], event_id: object = None) -> bytes:
        return json.dumps({**record} | ({} if event_id is None else {"id": event_id})).encode()

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = {name.lower(): value for name, value in connection.request.headers.items()}
        body = json.loads(await connection.recv())
        self.asked.append(Asked(connection.request.path, headers, body))
        if self.act is not None:
            return await self.act(connection)
        for step in self._play():
            if step == CUT:
                connection.transport.abort()
            elif step == STALL:
                self.streaming.set()
                await connection.wait_closed()
                self.left.set()
            elif isinstance(step, bytes):
                await connection.send(step, text=self.as_text)
            elif callable(step):
                await step()
        return await connection.close(self.code, self.reason)

    def answer_handshake(self, _: ServerConnection, __: Handshake) -> Response | None:
        return self.refusal


@asynccontextmanager
async def websocket_agent() -> AsyncIterator[WebSocketAgent]:
    agent = WebSocketAgent()
    async with serve(
        agent.serve, "127.0.0.1", 0, process_request=agent.answer_handshake, ping_interval=None
    ) as server:
        agent.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
        yield agent
