"""The wire `agent-websocket` against the library's own server on loopback."""

import asyncio
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.protocol import Event

from lfgtui.model.events import Heartbeat, MessageTaken, ResponseFinished, TextDelta, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server import websocket
from lfgtui.providers.base import TakesMessages
from lfgtui.providers.transport import reading, websocket_client
from tests.hostile.wires import AgentWebSocket
from tests.providers.agent_server.agents import KEY, WebSocketAgent, failure_of, text
from tests.providers.loopback import CUT, Step
from tests.providers.sdk_wires import HELLO, events_of, request
from tests.providers.tls import tls_contexts
from tests.providers.virtual_time import pausing

Play = Callable[[ServerConnection], Awaitable[None]]
DONE = b'{"type": "done"}'


def token(text: str, **more: object) -> bytes:
    return json.dumps({"type": "token", "content": text} | more).encode()


@pytest.fixture
def agent(websocket: WebSocketAgent) -> WebSocketAgent:
    return websocket


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_message_is_an_event_or_some_or_text(agent: WebSocketAgent, as_text: bool) -> None:
    pair = json.dumps([{"type": "token", "content": "e"}, {"type": "token", "content": "l"}])
    agent.plays = [
        [token("H"), pair.encode(), token("l"), b"[DONE]"],
        [b"Hello", b" ", "🐍".encode(), b"42"],
    ]
    agent.as_text = as_text
    url = agent.url.replace("ws:", "http:")
    assert text(await events_of(agent.provider(url))) == "Hell"
    assert text(await events_of(agent.provider())) == "Hello 🐍42"


async def test_pings_are_heartbeats_and_keep_an_idle_stream_alive(
    agent: WebSocketAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = pausing(monkeypatch, 5)

    async def play(connection: ServerConnection) -> None:
        await connection.send(token("Hel").decode())
        for _ in range(3):
            await pause()
            await connection.ping()
        await connection.send('{"type": "heartbeat"}')
        await connection.send(token("lo").decode())

    agent.act = play
    events = await events_of(agent.provider(), request(idle_timeout=8))
    assert text(events) == "Hello"
    assert events.count(Heartbeat()) >= 3


async def test_a_long_one_is_alive(agent: WebSocketAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = pausing(monkeypatch, 5)

    async def pieces() -> AsyncIterator[str]:
        yield '{"type": "token", "content": "'
        for letter in "lo!":
            await pause()
            yield letter
        yield '"}'

    async def play(connection: ServerConnection) -> None:
        await connection.send(token("Hel").decode())
        await connection.send(pieces())

    agent.act = play
    assert text(await events_of(agent.provider(), request(idle_timeout=8))) == "Hello!"


# ends


async def test_after_the_last_word_any_close_is_fine(agent: WebSocketAgent) -> None:
    agent.plays, agent.code = [[token("Hello"), DONE]], 1011
    assert await events_of(agent.provider()) == HELLO


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1008, "bad key", "auth"),
        (1011, "Boom", "server"),
        (3000, "", "auth"),
        (4403, "", "auth"),
        (4429, "Slow down", "rate_limit"),
    ],
)
async def test_a_close_says_why(agent: WebSocketAgent, code: int, reason: str, kind: str) -> None:
    agent.plays, agent.code, agent.reason = [[token("Hel")]], code, reason
    failure, before = await failure_of(agent.provider())
    assert (failure.kind, before) == (kind, "Hel")
    assert reason in failure.message
    assert len(agent.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (404, "not_found"), (429, "rate_limit"), (200, "protocol")]
)
async def test_a_refused_handshake_is_clear(agent: WebSocketAgent, status: int, kind: str) -> None:
    agent.refusal = Response(status, "No", Headers(), f"No, {KEY}".encode())
    failure, _ = await failure_of(agent.provider())
    assert failure.kind == kind
    assert KEY not in failure.message
    assert str(status) in failure.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_takes_no_header_anywhere(agent: WebSocketAgent, status: int) -> None:
    asked: list[Handshake] = []

    def note(connection: ServerConnection, request: Handshake) -> Response:
        asked.append(request)
        return Response(404, "No", Headers(), b"")

    async def serves(connection: ServerConnection) -> None: ...

    async with serve(serves, "127.0.0.1", 0, process_request=note) as other:
        url = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}/steal"
        agent.refusal = Response(status, "Here", Headers({"Location": f"{url}?a=b"}), b"")
        failure, _ = await failure_of(agent.provider(headers={"x-secret": "very"}))
    assert asked == []
    assert failure.kind == "invalid_request"
    assert failure.message.startswith(
        f"the server redirects to {url} (HTTP {status}); set base_url"
    )


async def test_compression_that_was_not_asked_for_is_refused(agent: WebSocketAgent) -> None:
    async def zipped(connection: ServerConnection) -> None:
        message = connection.protocol
        message.writes.append(b"\xc1\x7e\x04\x00" + b"\0" * 1024)  # reserved bit: deflated
        connection.send_data()

    agent.act = zipped
    failure, _ = await failure_of(agent.provider())
    assert failure.kind == "protocol"
    assert "reserved bits" in failure.message


# floods


@asynccontextmanager
async def counted_rounds() -> AsyncIterator[list[None]]:
    """A list that grows with each round of the event loop while something else is read."""
    rounds: list[None] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(0)
            rounds.append(None)

    ticking = asyncio.create_task(tick())
    yield rounds
    ticking.cancel()


def flood(frame: bytes, count: int) -> Play:
    """The same frame over and over, many in one packet, and then the end."""

    async def play(connection: ServerConnection) -> None:
        for _ in range(count // 1000):
            connection.transport.write(frame * 1000)
            await connection.drain()
        await connection.send('{"type": "done"}')

    return play


async def test_messages_without_end_leave_the_loop_to_others(
    agent: WebSocketAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TURN_SECONDS", 0.0)
    agent.act = flood(b"\x81\x02{}", 1000)
    async with counted_rounds() as rounds:
        await events_of(agent.provider())
    assert len(rounds) >= 1000


async def test_a_flood_of_pings_is_parsed_in_steps_and_is_one_sign_of_life_each(
    agent: WebSocketAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.act = flood(b"\x89\x01x", 5_000)
    async with counted_rounds() as rounds:
        events = await events_of(agent.provider())
    assert 0 < events.count(Heartbeat()) < len(rounds)
    assert len(rounds) > 5_000 * 3 / 4096
    assert not [record for record in caplog.records if record.exc_info]


async def test_what_a_server_says_before_it_is_asked_is_read(agent: WebSocketAgent) -> None:
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
        assert text(await events_of(agent.provider(f"ws://127.0.0.1:{port}/"))) == "Hello"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_what_arrives_together_with_the_end_of_tls_is_read(
    agent: WebSocketAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_client, "LAST_STEP", 60.0)
    count = 3000  # many steps of parsing

    async def sends_and_is_gone(connection: ServerConnection) -> None:
        for number in range(count):
            connection.protocol.send_text(token(f"{number} "))
        connection.protocol.send_close(1000)
        connection.transport.write(b"".join(connection.protocol.data_to_send()))
        connection.transport.close()

    agent.act = sends_and_is_gone
    _, theirs = await asyncio.to_thread(tls_contexts, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    async with serve(agent.serve, "127.0.0.1", 0, ssl=theirs) as server:
        port = server.sockets[0].getsockname()[1]
        events = await events_of(agent.provider(f"wss://127.0.0.1:{port}"))
    assert text(events) == "".join(f"{number} " for number in range(count))
    assert events[-1] == ResponseFinished(1, "end")


@pytest.mark.parametrize("frame", [b"\x81\x02{}", b"\x89\x00", b"\x82\x00"])
async def test_what_never_says_anything_is_given_up(
    agent: WebSocketAgent, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUIET_RECORDS", 1000)
    agent.act = flood(frame, 1_000_000)
    failure, _ = await failure_of(agent.provider())
    assert failure.kind == "protocol"
    assert failure.message.startswith("more than 1,000 records in a row without content")


async def test_a_server_that_pings_and_does_not_read_is_not_read_any_more(
    agent: WebSocketAgent, monkeypatch: pytest.MonkeyPatch
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
    agent.act = deaf
    failure, _ = await failure_of(agent.provider(), request(first_token_timeout=2.0))
    assert failure.kind == "timeout"
    assert 0 < most < 200_000


async def test_an_endless_one_fails(agent: WebSocketAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORD_BYTES", 100)
    agent.plays = [[token("Hel"), token("x" * 200)]]
    failure, before = await failure_of(agent.provider())
    assert (failure.kind, before) == ("protocol", "Hel")
    assert "too long" in failure.message


# messages while the run is under way


async def test_a_message_waits_for_the_agent_and_a_connection(agent: WebSocketAgent) -> None:
    received: list[str] = []

    async def play(connection: ServerConnection) -> None:
        if len(agent.asked) == 1:
            await connection.send(token("Hel", id=1))
            connection.transport.abort()
            return
        await connection.send(token("l", id=2))
        await connection.send('{"type": "accepts", "inputs": ["message"], "id": 3}')
        received.append(str(await connection.recv()))
        for number in ("8", "7", "7"):  # never sent; sent; reported already
            record = {"type": "message_taken", "message_id": number}
            await connection.send(json.dumps(record))
        await connection.send(token("o"))
        await connection.send(DONE)

    agent.act = play
    events: list[WireEvent] = []
    async with aclosing(agent.provider().stream(request())) as stream:
        assert isinstance(stream, TakesMessages)
        async for event in stream:
            if not events:
                stream.tell(7, "Ö")
            events.append(event)
    assert [json.loads(one) for one in received] == [
        {"type": "message", "message_id": "7", "content": "Ö"}
    ]
    assert [event for event in events if isinstance(event, MessageTaken)] == [MessageTaken(7)]
    assert events.index(MessageTaken(7)) < events.index(TextDelta("o"))


# resuming what broke off


@pytest.mark.parametrize("name", ["event_id", "eventId"])
async def test_events_may_be_numbered_by_another_field(agent: WebSocketAgent, name: str) -> None:
    tokens = [token(text, **{name: n}) for n, text in enumerate(["H", "e", "l", "l", "o"])]
    agent.plays = [[*tokens[:2], CUT], [*tokens[2:], b"[DONE]"]]
    assert text(await events_of(agent.provider())) == "Hello"
    assert agent.asked[1].body["last_event_id"] == "1"


@pytest.mark.parametrize(
    "steps",
    [
        [token("Hel", id="0"), token("lo", id="0"), CUT],
        [token("Hel"), b'{"type": "tool_call", "id": "c1", "name": "search"}', CUT],
    ],
    ids=["comes twice", "only some have"],
)
async def test_an_id_of_another_resumes_nothing(agent: WebSocketAgent, steps: list[Step]) -> None:
    agent.plays = [steps]
    failure, before = await failure_of(agent.provider())
    assert failure.kind == "cut"
    assert before in ("Hello", "Hel")
    assert len(agent.asked) == 1


async def test_a_refusal_to_resume_is_the_end_of_it(agent: WebSocketAgent) -> None:
    agent.plays = [[token("Hel", id=1), token("lo", id=2), CUT], []]
    agent.code, agent.reason = 4404, "no such run"
    failure, before = await failure_of(agent.provider())
    assert (failure.kind, before) == ("cut", "Hello")
    assert "resuming failed: no such run" in failure.message
    assert len(agent.asked) == 2
