"""The wire `agent-websocket`: an agent server over a WebSocket.

The request is the first message; each message from the server is one event, or
several in an array. A stream can be resumed if its events have ids: an `event_id`,
or an `id` that every message has and no two share (an `id` that comes twice is
that of a message or a call, not of a position in the stream). A new connection
then sends the last one, in the header `Last-Event-ID` and as `last_event_id` in
the request. An agent that says so takes messages of the person meanwhile, and a
cancel (`TwoWayStream`).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from time import monotonic
from urllib.parse import urlsplit

from httpx_sse import ServerSentEvent
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from lfgtui.model.events import WireEvent
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.dialects.tables import BY_TYPE
from lfgtui.providers.agent_server.provider import AgentProvider
from lfgtui.providers.agent_server.resume import Cursor
from lfgtui.providers.base import Request, local_host
from lfgtui.providers.errors.mapping import unreachable
from lfgtui.providers.lenient_json import NO_UTF8, JsonObject
from lfgtui.providers.transport.body import Part
from lfgtui.providers.transport.sse import Comment
from lfgtui.providers.transport.websocket_client import SILENT, Connecting, Connection
from lfgtui.providers.wire.decoder import unreadable

_SCHEMES = {"http": "ws", "https": "wss"}
_PING_INTERVAL = 20.0  # seconds, and as many for the answer: without one the connection is dead
_CLOSE_TIMEOUT = 0.5  # seconds
_TOGETHER = 100  # most events of one message that are decoded in one step
_FINE = (CloseCode.NORMAL_CLOSURE, CloseCode.NO_STATUS_RCVD)
"""Codes with which a server closes a stream that is complete."""


@dataclass(eq=False)
class TwoWayStream:
    """The events of one run, and messages on their way to its agent. See `base.TakesMessages`.

    Messages wait for a connection, and until the agent says that it takes them: any other agent
    could take one for a second request. Messages that it does not report as taken go with the next
    request, so none is sent twice here, or kept beyond the run. The wire sets `events` once, and
    with each connection `post`, which sends a text, or returns False if that is closing; it calls
    `flush` whenever something was decoded, and `disconnect` in the end.
    """

    decoder: AgentDecoder
    events: AsyncGenerator[WireEvent, None] = field(init=False)
    post: Callable[[str], bool] | None = None
    _waiting: list[tuple[int, str]] = field(default_factory=list)

    def __aiter__(self) -> AsyncGenerator[WireEvent, None]:
        return self.events

    async def aclose(self) -> None:
        await self.events.aclose()

    def tell(self, message: int, text: str) -> None:
        """Send a message, now or once that is possible."""
        self._waiting.append((message, text))
        self.flush()

    def flush(self) -> None:
        """Send waiting messages, if possible."""
        while self._waiting and "message" in self.decoder.accepts and self.post:
            message, text = self._waiting[0]
            record = {"type": "message", "message_id": str(message), "content": text}
            if not self.post(lenient_json.compact(record)):
                return
            self.decoder.sent.add(str(message))
            del self._waiting[0]

    def disconnect(self) -> None:
        """Give up the connection. An agent still at work gets a cancel, if it takes one."""
        if self.post and "cancel" in self.decoder.accepts and not self.decoder.done:
            self.post(lenient_json.compact({"type": "cancel"}))
        self.post = None


class AgentWebSocketProvider(AgentProvider):
    """One agent server; each connection is a WebSocket."""

    wire = "agent-websocket"

    def stream(self, request: Request) -> TwoWayStream:
        """Return the events of one run. See `base.Provider.stream`."""
        decoder = AgentDecoder(request.turn, streams=request.stream)
        stream = TwoWayStream(decoder)
        stream.events = self._events(request, decoder, partial(self._connect, stream))
        return stream

    @asynccontextmanager
    async def _connect(
        self,
        stream: TwoWayStream,
        body: dict[str, object],
        cursor: Cursor,
        on_activity: Callable[[], None],
    ) -> AsyncIterator[AsyncGenerator[Sequence[Part], None]]:
        """Connect, send the request and yield the parts that come. See `connection.Connect`."""
        last_id, url = cursor.last_id, urlsplit(self._base_url)
        # The request has it in any case; a header must not contain line ends and the like.
        fits_header = bool(last_id) and last_id.isascii() and last_id.isprintable()
        connecting = Connecting(
            url._replace(scheme=_SCHEMES.get(url.scheme, url.scheme)).geturl(),
            additional_headers=self._headers | ({"Last-Event-ID": last_id} if fits_header else {}),
            proxy=None if local_host(url.hostname or "") else True,
            create_connection=Connection,
            compression=None,
            open_timeout=self._connect_timeout,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_INTERVAL,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=limits.RECORD_BYTES,
            logger=SILENT,
        )
        began = monotonic()
        try:
            connection = await connecting
        except OSError as error:
            why = str(error) or type(error).__name__
            raise unreachable(url.netloc.rpartition("@")[2], why) from error
        cursor.connect = monotonic() - began
        assert isinstance(connection, Connection)
        connection.on_activity = on_activity
        code = CloseCode.INTERNAL_ERROR
        try:
            request = body | ({"last_event_id": last_id} if last_id else {})
            with suppress(ConnectionClosed):  # `_parts` raises it, after all that came before
                await connection.send(lenient_json.compact(request))
            stream.post = connection.post
            yield _parts(connection, stream)
            code = CloseCode.NORMAL_CLOSURE
        finally:
            stream.disconnect()
            await connection.leave(code, 2 * _CLOSE_TIMEOUT)


connect = AgentWebSocketProvider
"""The name by which `registry` opens this wire."""


async def _parts(
    connection: Connection, stream: TwoWayStream
) -> AsyncGenerator[Sequence[Part], None]:
    """Yield the events of a connection as they arrive; between them send what `stream` has."""
    ids = _Ids()
    while True:
        stream.flush()  # what was decoded last may be an `accepts`
        try:
            message = await connection.next_message()
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code in _FINE:
                return
            raise
        if message is None:
            yield [Comment("ping")]
            continue
        try:
            text = message.decode() if isinstance(message, bytes) else message
        except UnicodeDecodeError as error:
            raise unreadable(NO_UTF8) from error
        limits.refuse_too_many_values(text)
        events = _events(text, ids)
        while some := list(islice(events, _TOGETHER)):
            yield some


def _events(text: str, ids: "_Ids") -> Iterator[Part]:
    """Yield the events of one message."""
    try:
        value = lenient_json.parse(text)
    except ValueError:
        value = None
    if not isinstance(value, list):
        yield ServerSentEvent(data=text, id=ids.after(lenient_json.as_object(value) or {}))
        return
    for item in value:
        data = item if isinstance(item, str) else lenient_json.compact(item)
        yield ServerSentEvent(data=data, id=ids.after(lenient_json.as_object(item) or {}))


class _Ids:
    """The ids that mark positions in one connection's stream; `after` gets each event in turn."""

    def __init__(self) -> None:
        self._last = ""
        self._seen: set[str] = set()
        self._are_unique = True

    def after(self, record: JsonObject) -> str:
        """Return the id in force after an event, as with SSE: its own or the last one, or ""."""
        if own := _text(record.get("event_id")) or _text(record.get("eventId")):
            self._last = own
            return own
        rule = BY_TYPE.get(lenient_json.text(record, "type"))
        if not self._are_unique or (rule is not None and rule.means == "heartbeat"):
            return self._last
        own = _text(record.get("id"))
        self._are_unique = bool(own) and own not in self._seen
        self._last = own if self._are_unique else ""
        self._seen.add(self._last)
        return self._last


def _text(value: object) -> str:
    """Return an id, a string or a number, as text; "" for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
