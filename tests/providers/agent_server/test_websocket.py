"""The wire `agent-websocket` against the library's own server on loopback."""

import asyncio
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.protocol import Event

from lfgtui.model.events import Heartbeat, ResponseFinished, Status, TextDelta, Usage
from lfgtui.providers import limits
from lfgtui.providers.agent_server import websocket
from lfgtui.providers.agent_server.websocket import AgentWebSocketProvider
from lfgtui.providers.transport import reading, websocket_client
from tests.hostile.wires import AgentWebSocket
from tests.providers.agent_server.agents import (
    HELLO,
    KEY,
    events_of,
    failure_of,
    request,
    text,
)
from tests.providers.transport.test_probe import tls_contexts
from tests.providers.virtual_time import pausing

Json = dict[str, object]
Play = Callable[[ServerConnection], Awaitable[None]]
Connect = Callable[..., AgentWebSocketProvider]


def token(text: str, **more: object) -> str:
    return json.dumps({"type": "token", "content": text} | more)


@dataclass
class Agent:
    """A server that plays `plays` in turn, the last one again and again."""

    plays: list[Play] = field(default_factory=list)
    asked: list[Json] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: Response | None = None
    url: str = ""

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.headers.append(connection.request.headers)
        self.asked.append(json.loads(await connection.recv()))
        await self.plays[min(len(self.asked), len(self.plays)) - 1](connection)

    def handshake(self, connection: ServerConnection, request: Handshake) -> Response | None:
        return self.refusal

    def says(self, *messages: str | bytes, code: int = 1000, reason: str = "") -> Play:
        """Sends the messages and closes, or breaks the connection for the code 1006."""

        async def play(connection: ServerConnection) -> None:
            for message in messages:
                await connection.send(message)
            if code == 1006:
                connection.transport.abort()
            else:
                await connection.close(code, reason)

        return play

    def stalls(self, *messages: str) -> Play:
        """Sends the messages and then nothing until the client goes."""

        async def play(connection: ServerConnection) -> None:
            for message in messages:
                await connection.send(message)
            await connection.wait_closed()
            self.left.set()

        return play


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    server: Server
    async with serve(
        agent.serve, "127.0.0.1", 0, process_request=agent.handshake, ping_interval=None
    ) as server:
        port = server.sockets[0].getsockname()[1]
        agent.url = f"ws://127.0.0.1:{port}/agents/plan"
        yield agent


@pytest.fixture
def connect(agent: Agent) -> Connect:
    def connect(
        url: str = "", *, key: str | None = KEY, body: Json | None = None, **more: str
    ) -> AgentWebSocketProvider:
        return AgentWebSocketProvider(
            base_url=url or agent.url, api_key=key, headers=more, body=body
        )

    return connect


async def test_the_request_is_the_first_message(agent: Agent, connect: Connect) -> None:
    agent.plays = [agent.says(token("Hel"), token("lo"), '{"type": "done"}')]
    assert text(await events_of(connect(agent.url.replace("ws:", "http:")))) == "Hello"
    asked = agent.asked[0]
    assert len(str(asked.pop("run_id"))) == 36
    assert asked == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }
    assert agent.headers[0]["Authorization"] == f"Bearer {KEY}"
    await events_of(connect(body={"q": "{prompt}"}, authorization="Basic mine"))
    assert agent.asked[1] == {"q": "Hi"}
    assert agent.headers[1]["Authorization"] == "Basic mine"


async def test_a_message_is_one_event_or_an_array_of_them_or_text(
    agent: Agent, connect: Connect
) -> None:
    pair = json.dumps([{"type": "token", "content": "e"}, {"type": "token", "content": "l"}])
    agent.plays = [agent.says(token("H"), pair, token("l").encode(), "[DONE]")]
    assert text(await events_of(connect())) == "Hell"
    agent.plays = [agent.says("Hello", " ", b"\xf0\x9f\x90\x8d", "42")]
    assert text(await events_of(connect())) == "Hello 🐍42"


async def test_a_whole_answer_ends_a_run_without_streaming(agent: Agent, connect: Connect) -> None:
    body = {"content": "Hello", "usage": {"input_tokens": 7, "output_tokens": 3}}
    agent.plays = [agent.stalls(json.dumps(body))]
    events = await events_of(connect(), request(stream=False))
    assert events == [TextDelta("Hello"), Usage(7, 3), ResponseFinished(1, "end")]
    assert agent.asked[0]["stream"] is False


async def test_pings_are_heartbeats_and_keep_an_idle_stream_alive(
    agent: Agent, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = pausing(monkeypatch, 5)

    async def play(connection: ServerConnection) -> None:
        await connection.send(token("Hel"))
        for _ in range(3):
            await pause()
            await connection.ping()
        await connection.send('{"type": "heartbeat"}')
        await connection.send(token("lo"))

    agent.plays = [play]
    events = await events_of(connect(), request(idle_timeout=8))
    assert text(events) == "Hello"
    assert events.count(Heartbeat()) >= 3


async def test_a_long_message_in_pieces_is_no_silence(
    agent: Agent, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = pausing(monkeypatch, 5)

    async def pieces() -> AsyncIterator[str]:
        yield '{"type": "token", "content": "'
        for letter in "lo!":
            await pause()
            yield letter
        yield '"}'

    async def play(connection: ServerConnection) -> None:
        await connection.send(token("Hel"))
        await connection.send(pieces())

    agent.plays = [play]
    assert text(await events_of(connect(), request(idle_timeout=8))) == "Hello!"


# ends


@pytest.mark.parametrize("code", [1000, 1006, 1011])
async def test_after_the_last_word_any_close_is_fine(
    agent: Agent, connect: Connect, code: int
) -> None:
    agent.plays = [agent.says(token("Hello"), '{"type": "done"}', code=code)]
    assert await events_of(connect()) == HELLO


async def test_a_plain_close_is_the_end_where_no_other_was_announced(
    agent: Agent, connect: Connect
) -> None:
    agent.plays = [agent.says(token("Hello"))]
    assert await events_of(connect()) == HELLO
    agent.plays = [agent.says('{"type": "RUN_STARTED"}', token("Hello"))]
    failure, before = await failure_of(connect())
    assert (failure.kind, before) == ("cut", "Hello")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1006, "", "cut"),
        (1008, "bad key", "auth"),
        (1011, "Boom", "server"),
        (3000, "", "auth"),
        (4403, "", "auth"),
        (4429, "Slow down", "rate_limit"),
    ],
)
async def test_a_close_before_that_says_why(
    agent: Agent, connect: Connect, code: int, reason: str, kind: str
) -> None:
    agent.plays = [agent.says(token("Hel"), code=code, reason=reason)]
    failure, before = await failure_of(connect())
    assert (failure.kind, before) == (kind, "Hel")
    assert reason in failure.message
    assert len(agent.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (404, "not_found"), (429, "rate_limit"), (200, "protocol")]
)
async def test_a_refused_handshake_is_one_clear_error(
    agent: Agent, connect: Connect, status: int, kind: str
) -> None:
    agent.refusal = Response(status, "No", Headers(), f"No, {KEY}".encode())
    failure, _ = await failure_of(connect())
    assert failure.kind == kind
    assert KEY not in failure.message
    assert str(status) in failure.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_takes_no_header_anywhere(
    agent: Agent, connect: Connect, status: int
) -> None:
    asked: list[Handshake] = []

    def note(connection: ServerConnection, request: Handshake) -> Response:
        asked.append(request)
        return Response(404, "No", Headers(), b"")

    async def serves(connection: ServerConnection) -> None: ...

    async with serve(serves, "127.0.0.1", 0, process_request=note) as other:
        url = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}/steal"
        agent.refusal = Response(status, "Here", Headers({"Location": f"{url}?a=b"}), b"")
        failure, _ = await failure_of(connect(x_secret="very"))
    assert asked == []
    assert failure.kind == "invalid_request"
    assert failure.message.startswith(
        f"the server redirects to {url} (HTTP {status}); set base_url"
    )


async def test_compression_that_was_not_asked_for_is_refused(
    agent: Agent, connect: Connect
) -> None:
    async def zipped(connection: ServerConnection) -> None:
        message = connection.protocol
        message.writes.append(b"\xc1\x7e\x04\x00" + b"\0" * 1024)  # reserved bit: deflated
        connection.send_data()

    agent.plays = [zipped]
    failure, _ = await failure_of(connect())
    assert failure.kind == "protocol"
    assert "reserved bits" in failure.message


# floods


class Ticker:
    """Counts the rounds of the event loop while something else is read."""

    def __init__(self) -> None:
        self.rounds = 0

    async def __aenter__(self) -> "Ticker":
        self._task = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.rounds += 1


def flood(frame: bytes, count: int) -> Play:
    """The same frame over and over, many in one packet, and then the end."""

    async def play(connection: ServerConnection) -> None:
        for _ in range(count // 1000):
            connection.transport.write(frame * 1000)
            await connection.drain()
        await connection.send('{"type": "done"}')

    return play


async def test_messages_without_end_leave_the_loop_to_others(
    agent: Agent, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TURN_SECONDS", 0.0)
    agent.plays = [flood(b"\x81\x02{}", 1000)]
    async with Ticker() as ticker:
        await events_of(connect())
    assert ticker.rounds >= 1000


async def test_a_flood_of_pings_is_parsed_in_steps_and_is_one_sign_of_life_each(
    agent: Agent, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    agent.plays = [flood(b"\x89\x01x", 5_000)]
    async with Ticker() as ticker:
        events = await events_of(connect())
    assert 0 < events.count(Heartbeat()) < ticker.rounds
    assert ticker.rounds > 5_000 * 3 / 4096
    assert not [record for record in caplog.records if record.exc_info]


async def test_what_a_server_says_before_it_is_asked_is_read(connect: Connect) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (key,) = re.findall("(?i)sec-websocket-key: (.*)\r", head)
        wire = AgentWebSocket(websocket_key=key)
        writer.write(wire.begin() + wire.text("Hello") + wire.finish())  # the close frame too
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert text(await events_of(connect(f"ws://127.0.0.1:{port}/"))) == "Hello"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_what_arrives_together_with_the_end_of_tls_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_client, "LAST_STEP", 60.0)
    agent, count = Agent(), 3000  # many steps of parsing

    async def tells_and_is_gone(connection: ServerConnection) -> None:
        for number in range(count):
            connection.protocol.send_text(token(f"{number} ").encode())
        connection.protocol.send_close(1000)
        connection.transport.write(b"".join(connection.protocol.data_to_send()))
        connection.transport.close()

    agent.plays = [tells_and_is_gone]
    _, theirs = await asyncio.to_thread(tls_contexts, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    async with serve(agent.serve, "127.0.0.1", 0, ssl=theirs) as server:
        port = server.sockets[0].getsockname()[1]
        provider = AgentWebSocketProvider(
            base_url=f"wss://127.0.0.1:{port}", api_key=None, headers={}
        )
        events = await events_of(provider)
    assert text(events) == "".join(f"{number} " for number in range(count))
    assert events[-1] == ResponseFinished(1, "end")


@pytest.mark.parametrize("frame", [b"\x81\x02{}", b"\x89\x00", b"\x82\x00"])
async def test_what_never_says_anything_is_given_up(
    agent: Agent, connect: Connect, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUIET_RECORDS", 1000)
    agent.plays = [flood(frame, 1_000_000)]
    failure, _ = await failure_of(connect())
    assert failure.kind == "protocol"
    assert failure.message.startswith("more than 1,000 records in a row without content")


async def test_a_server_that_pings_and_does_not_read_is_not_read_any_more(
    agent: Agent, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_client, "UNSENT", 100_000)
    most = 0

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        bound = connection.transport.get_extra_info("socket")
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(ConnectionClosed, ConnectionError):
            while not connection.transport.is_closing():
                connection.transport.write((b"\x89\x7d" + b"x" * 125) * 100)
                await connection.drain()
        connection.transport.abort()

    class Watched(websocket_client.Connection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            bound = transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        def process_event(self, event: Event) -> None:
            nonlocal most
            super().process_event(event)
            most = max(most, self.transport.get_write_buffer_size())

    monkeypatch.setattr(websocket, "Connection", Watched)
    agent.plays = [deaf]
    failure, _ = await failure_of(connect(), request(first_token_timeout=2.0))
    assert failure.kind == "timeout"
    assert 0 < most < 200_000


async def test_nobody_there_is_said_with_the_address(connect: Connect) -> None:
    failure, _ = await failure_of(connect("ws://127.0.0.1:1/agent"))
    assert failure.kind == "connection"
    assert failure.message.startswith("cannot reach 127.0.0.1:1: ")


async def test_a_message_without_end_is_refused(
    agent: Agent, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORD_BYTES", 100)
    agent.plays = [agent.says(token("Hel"), token("x" * 200))]
    failure, before = await failure_of(connect())
    assert (failure.kind, before) == ("protocol", "Hel")
    assert "too long" in failure.message
    monkeypatch.setattr(limits, "BODY_BYTES", 300)
    agent.plays = [agent.says(*[token("Hello")] * 20)]
    assert (await failure_of(connect()))[0].kind == "protocol"


async def test_silence_is_a_timeout(agent: Agent, connect: Connect) -> None:
    for messages, told in (((), "no response"), ((token("x"),), "no data")):
        agent.plays = [agent.stalls(*messages)]
        asked = request(first_token_timeout=0.2, idle_timeout=0.2)
        failure, _ = await failure_of(connect(), asked)
        assert failure.kind == "timeout"
        assert told in failure.message
        await agent.left.wait()
        agent.left.clear()


async def test_cancelling_closes_the_connection_at_once(agent: Agent, connect: Connect) -> None:
    agent.plays = [agent.stalls(token("x"))]
    stream = connect().stream(request())
    assert await anext(stream) == TextDelta("x")
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await agent.left.wait()


# taking up what broke off


@pytest.mark.parametrize("name", ["id", "event_id", "eventId"])
@pytest.mark.parametrize("starts_over", [False, True])
async def test_a_broken_connection_is_taken_up_where_it_stopped(
    agent: Agent, connect: Connect, name: str, starts_over: bool
) -> None:
    tokens = [token(text, **{name: n}) for n, text in enumerate(["H", "e", "l", "l", "o"])]
    again = tokens if starts_over else tokens[2:]
    agent.plays = [agent.says(*tokens[:2], code=1006), agent.says(*again, "[DONE]")]
    events = await events_of(connect())
    assert text(events) == "Hello"
    assert sum(isinstance(event, Status) for event in events) == 1
    first, second = agent.asked
    assert second.pop("last_event_id") == "1"
    assert second == first
    assert agent.headers[1]["Last-Event-ID"] == "1"


@pytest.mark.parametrize(
    "second",
    [token("lo", id="0"), '{"type": "tool_call", "id": "c1", "name": "search"}'],
    ids=["comes twice", "only some have"],
)
async def test_an_id_that_is_not_the_events_own_takes_up_nothing(
    agent: Agent, connect: Connect, second: str
) -> None:
    first = token("Hel", id="0") if "token" in second else token("Hel")
    agent.plays = [agent.says(first, second, code=1006)]
    failure, before = await failure_of(connect())
    assert failure.kind == "cut"
    assert before in ("Hello", "Hel")
    assert len(agent.asked) == 1


async def test_a_refusal_to_take_up_is_the_end_of_it(agent: Agent, connect: Connect) -> None:
    agent.plays = [
        agent.says(token("Hel", id=1), token("lo", id=2), code=1012),
        agent.says(code=4404, reason="no such run"),
    ]
    failure, before = await failure_of(connect())
    assert (failure.kind, before) == ("cut", "Hello")
    assert "resuming failed: no such run" in failure.message
    assert len(agent.asked) == 2
