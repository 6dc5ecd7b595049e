"""Readers that are slow, and readers that stand still, on the connections of the real server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import unix_connect

from lfgtui.model import events as e
from lfgtui.server.http import connections
from lfgtui.server.http.app import build_app
from lfgtui.server.http.listen import Server, own_socket, socket_path
from lfgtui.settings.config import Config
from tests.engine.harness import Room
from tests.server.control.test_listening import at_work
from tests.server.http.stand import stream
from tests.server.http.test_events import as_stored, stored

A_CONNECTION = 1 << 19
"""Bytes: more than is on its way between the two ends of a Unix socket."""


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with own_socket() as listening:
        yield listening


@asynccontextmanager
async def served_on(listener: socket.socket) -> AsyncIterator[httpx.AsyncClient]:
    ready = asyncio.Event()
    server = Server(build_app(Config(), lambda: None), ready.set, is_own=True)
    serving = asyncio.create_task(server.serve([listener]))
    await ready.wait()
    transport = httpx.AsyncHTTPTransport(uds=str(socket_path()))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://lfg", timeout=60
        ) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


async def request(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the path was asked for, and that takes little of the answer unread."""
    reader, writer = await asyncio.open_unix_connection(socket_path(), limit=1)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: lfg\r\n\r\n".encode())
    return reader, writer


async def half_a_request() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(socket_path())
    writer.write(b"GET /runs HTTP/1.1\r\nHost: lfg\r\n")
    return reader, writer


async def pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(1 << 16):
        yield piece


async def written(r: Room, *texts: str) -> None:
    for at, text in enumerate(texts):
        r.recorder.submit(r.engine.run, "a", 1, float(at), e.TextDelta(text))
        r.recorder.submit(r.engine.run, "a", 1, float(at), e.Status(str(at)))
    await r.recorder.settle()


async def test_a_request_that_does_not_come_whole_is_given_up_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    monkeypatch.setattr(connections, "HEAD", 0.2)
    async with at_work(tmp_path) as r, served_on(listener) as client:
        await r.until_event("a", e.TextDelta)
        path = f"/runs/{r.engine.run}/events"
        async with (
            stream(client, path) as events,
            unix_connect(str(socket_path()), f"ws://lfg/ws?run={r.engine.run}") as websocket,
        ):
            await websocket.recv()
            kept, again = await asyncio.open_unix_connection(socket_path())
            again.write(b"GET /nothing HTTP/1.1\r\nHost: lfg\r\n\r\n")
            assert b"404" in await kept.readuntil(b"}")
            reader, writer = await half_a_request()  # the last one, so its time ends last
            async with asyncio.timeout(20):
                assert await reader.read() == b""
            again.write(b"GET /nothing HTTP/1.1\r\nHost: lfg\r\n\r\n")
            assert b"404" in await kept.readuntil(b"}")
            again.write(b"GET /runs HTTP/1.1\r\nHost: lfg\r\n")
            async with asyncio.timeout(20):
                assert await kept.read() == b""
            await written(r, "the end")
            await events.up_to("status")
            await websocket.send('{"id": 1, "command": {"type": "Dance"}}')
            async with asyncio.timeout(60):
                while b'"answer":1' not in await websocket.recv(decode=False):
                    pass
        writer.close()
        again.close()


async def test_a_reader_that_takes_nothing_is_let_go_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    cut, look = asyncio.Event(), connections.HttpConnection._check_progress

    def noted(self: connections.HttpConnection, before: int) -> None:
        look(self, before)
        if self.transport.is_closing():
            cut.set()

    monkeypatch.setattr(connections.HttpConnection, "_check_progress", noted)
    monkeypatch.setattr(connections, "STALLED", 0.2)
    async with at_work(tmp_path) as r, served_on(listener) as client:
        await r.until_event("a", e.TextDelta)
        path = f"/runs/{r.engine.run}/events"
        reader, writer = await request(path)
        async with stream(client, path) as brisk:
            await written(r, *["x" * 100_000] * 20)
            due = stored(r)
            await brisk.until(lambda: len(brisk.entries) >= len(due))
            assert as_stored(brisk.entries)[: len(due)] == due
        async with asyncio.timeout(60):
            await cut.wait()
            got = b"".join([piece async for piece in pieces(reader)])
        assert b'"text":"xxx' in got and not got.endswith(b"0\r\n\r\n")  # in the middle
        writer.close()


async def test_a_reader_that_takes_a_little_is_never_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    due = dict[connections.HttpConnection, int]()

    def note(self: connections.HttpConnection) -> None:
        due[self] = self.transport.get_write_buffer_size()

    monkeypatch.setattr(connections.HttpConnection, "_check_later", note)
    async with at_work(tmp_path) as r, served_on(listener):
        await r.until_event("a", e.TextDelta)
        await written(r, "x" * 4_000_000, "the end")
        reader, writer = await request(f"/runs/{r.engine.run}/events")
        async with asyncio.timeout(60):
            got = b""
            for _ in range(6):  # its only event is larger
                got += await reader.readexactly(A_CONNECTION)
                ((connection, waiting),) = due.items()
                connection._check_progress(waiting)
            async for part in pieces(reader):
                got += part
                if b"the end" in got:
                    break
        writer.close()
        assert b"x" * 4_000_000 in got
