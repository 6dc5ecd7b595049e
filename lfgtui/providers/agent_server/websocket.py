"""The wire `agent-websocket`: an agent server that is spoken to over a WebSocket.

The request is the first message; each message that comes is one event, an
array several. A stream is taken up where the server numbers its events, in
`event_id`, or in an `id` that every message has and no two share (an `id` that
comes twice is that of a message or a call, and says nothing of where the
stream stands). The new connection then names the last one, in the header
`Last-Event-ID` and as `last_event_id` in the request.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from lfgtui.providers import lenient_json, limits
from lfgtui.providers.agent_server.dialects import BY_TYPE
from lfgtui.providers.agent_server.provider import AgentProvider
from lfgtui.providers.agent_server.resume import Arrival, Item
from lfgtui.providers.errors.mapping import unreachable
from lfgtui.providers.lenient_json import NO_UTF8, JsonObject
from lfgtui.providers.transport.pump import local_host
from lfgtui.providers.transport.sse import Comment, Position
from lfgtui.providers.transport.websocket_client import SILENT, Connecting, Connection
from lfgtui.providers.wire.decoder import unreadable

_SCHEMES = {"http": "ws", "https": "wss"}
_PING_INTERVAL = 20.0  # seconds; a connection that does not answer for as long is dead
_CLOSE_TIMEOUT = 0.5
_TOGETHER = 100  # events of one message that are handed on in one step
_FINE = (CloseCode.NORMAL_CLOSURE, CloseCode.NO_STATUS_RCVD)


class AgentWebSocketProvider(AgentProvider):
    """One agent server, a WebSocket a run."""

    wire = "agent-websocket"

    def _link(self, body: dict[str, object]) -> "_SocketLink":
        parts = urlsplit(self._base_url)
        url = urlunsplit(parts._replace(scheme=_SCHEMES.get(parts.scheme, parts.scheme)))
        return _SocketLink(url, self._headers, body, self._connect_timeout)


connect = AgentWebSocketProvider
"""Opened by `registry`."""


class _SocketLink:
    """One run over WebSockets. See `agent_pump.Link`."""

    def __init__(
        self, url: str, headers: Mapping[str, str], body: dict[str, object], connect_timeout: float
    ) -> None:
        self.retry: float | None = None
        self._url = url
        self._headers = headers
        self._body = body
        self._connect_timeout = connect_timeout
        self._length = 0

    @asynccontextmanager
    async def open(
        self, last_id: str, on_activity: Callable[[], None]
    ) -> AsyncIterator[AsyncGenerator[Sequence[Item], None]]:
        """Open the first connection, or the one after `last_id`."""
        # The request says it in any case; a header takes no line ends and the like.
        sayable = bool(last_id) and last_id.isascii() and last_id.isprintable()
        resuming = {"Last-Event-ID": last_id} if sayable else {}
        parts = urlsplit(self._url)
        connecting = Connecting(
            self._url,
            additional_headers={**self._headers, **resuming},
            proxy=None if local_host(parts.hostname or "") else True,
            create_connection=Connection,
            compression=None,
            open_timeout=self._connect_timeout,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_INTERVAL,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=limits.RECORD_BYTES,
            logger=SILENT,
        )
        try:
            connection = await connecting
        except OSError as error:
            why = str(error) or type(error).__name__
            raise unreachable(parts.netloc.rpartition("@")[2], why) from error
        assert isinstance(connection, Connection)
        connection.on_activity = on_activity
        code = CloseCode.INTERNAL_ERROR
        try:
            request = self._body | ({"last_event_id": last_id} if last_id else {})
            with suppress(ConnectionClosed):  # raised again once all that came before it is read
                await connection.send(lenient_json.compact(request))
            yield self._items(connection)
            code = CloseCode.NORMAL_CLOSURE
        finally:
            await connection.leave(code, 2 * _CLOSE_TIMEOUT)

    async def _items(self, connection: Connection) -> AsyncGenerator[Sequence[Item], None]:
        ids = _Ids()
        while True:
            try:
                message = await connection.next_message()
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in _FINE:
                    return
                raise
            if message is None:
                yield [Comment("ping")]
                continue
            self._length += len(message)
            if self._length > limits.BODY_BYTES:
                raise limits.too_long("the response", limits.BODY_BYTES, limits.KEPT)
            try:
                text = message.decode() if isinstance(message, bytes) else message
            except UnicodeDecodeError as error:
                raise unreadable(NO_UTF8) from error
            limits.refuse_crowds(text)
            items = ids.read(text)
            while some := list(islice(items, _TOGETHER)):
                yield some


class _Ids:
    """Reads the events of one connection, with the ids that mark positions in the stream."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._are_unique = True

    def read(self, text: str) -> Iterator[Item]:
        """Yield the events of one message."""
        try:
            value = lenient_json.parse(text)
        except ValueError:
            value = None
        if not isinstance(value, list):
            yield from self._event(text, lenient_json.as_object(value))
            return
        for item in value:
            data = item if isinstance(item, str) else lenient_json.compact(item)
            yield from self._event(data, lenient_json.as_object(item))

    def _event(self, data: str, record: JsonObject | None) -> Iterator[Item]:
        fields = record or {}
        if own := _text(fields.get("event_id")) or _text(fields.get("eventId")):
            yield Arrival("", data, own)
            return
        rule = BY_TYPE.get(lenient_json.text(fields, "type"))
        if not self._are_unique or (rule is not None and rule.means == "heartbeat"):
            yield Arrival("", data)
            return
        own = _text(fields.get("id"))
        if own and own not in self._seen:
            self._seen.add(own)
            yield Arrival("", data, own)
            return
        self._are_unique = False
        if self._seen:
            yield Position("", "")
        yield Arrival("", data)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
