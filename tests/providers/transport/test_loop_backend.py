"""Connections that the loop reads, under httpx2's own client and over real sockets."""

import asyncio
import select
import shutil
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anthropic
import httpx2
import openai
import pytest

from lfgtui.providers.transport import pace
from lfgtui.providers.transport.loop_backend import (
    LoopBackend,
    close_ahead,
    open_ahead,
    read_by_loop,
)
from tests.providers.loopback import Answer, Loopback
from tests.providers.tls import tls_contexts

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server's host and port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    host, port = server.sockets[0].getsockname()[:2]
    yield f"{host}:{port}"
    server.close()
    await server.wait_closed()


def client(
    verify: ssl.SSLContext | bool = False, timeout: httpx2.Timeout | None = None
) -> httpx2.AsyncClient:
    http = httpx2.AsyncClient(trust_env=False, verify=verify, timeout=timeout)
    read_by_loop(http)
    return http


def is_read_by_loop(response: httpx2.Response) -> bool:
    return type(response.extensions["network_stream"]).__module__ == LoopBackend.__module__


@pytest.mark.parametrize(
    "make", [openai.DefaultAsyncHttpxClient, anthropic.DefaultAsyncHttpxClient, httpx2.AsyncClient]
)
async def test_every_connection_of_a_client_is_read_by_the_loop_and_used_again(
    make: Callable[[], httpx2.AsyncClient], server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = Answer([b"{}"])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HTTP_PROXY", server.url)
    async with make() as http:
        read_by_loop(http)
        for url in (server.url, server.url, "http://behind.a.proxy/", "http://behind.a.proxy/"):
            assert is_read_by_loop(await http.get(url))
    assert server.connections == 2


async def test_what_came_before_a_cut_is_handed_out_however_late_it_is_read() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for word in (b"one ", b"two ", b"three"):
            writer.write(b"%x\r\n%s\r\n" % (len(word), word))
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        gone.set()

    got = b""
    async with serving(serve) as host, client() as http, http.stream("GET", f"http://{host}") as it:
        await gone.wait()
        with pytest.raises(httpx2.RemoteProtocolError, match="incomplete chunked read"):
            async for part in it.aiter_raw():
                got += part
    assert got == b"one two three"


async def test_a_server_that_nobody_reads_has_to_wait() -> None:
    block, blocks = bytes(1 << 20), 64
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: %d\r\n\r\n" % (blocks * len(block)))
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()
            sent += 1

    async with serving(serve) as host, client() as http, http.stream("GET", f"http://{host}") as it:
        before, quiet = -1, 0
        while quiet < 1000:
            quiet = quiet + 1 if sent == before else 0
            before = sent
            await asyncio.sleep(0)
        assert sent < blocks / 2
        length = 0
        async for part in it.aiter_raw():
            length += len(part)
    assert length == blocks * len(block)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with serving(serve) as host, client() as http:
        for _ in range(3):
            gone.clear()
            assert (await http.post(f"http://{host}", content=b"x")).text == "{}"
            await gone.wait()


async def test_an_idle_connection_is_looked_at_once_in_a_turn_of_the_loop(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[select.poll]()

    def poll() -> select.poll:
        looks.append(make_poll())
        return looks[-1]

    make_poll = select.poll
    monkeypatch.setattr(select, "poll", poll)
    server.answer = Answer([b"{}"])
    async with client() as http:
        connection = (await http.get(server.url)).extensions["network_stream"]
        for _ in range(2):
            await asyncio.sleep(0)
            looks.clear()
            assert not any(connection.get_extra_info("is_readable") for _ in range(9))
            assert len(looks) == 1


async def test_an_answer_that_comes_before_the_question_is_whole_is_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read()

    async with serving(serve) as host, client() as http:
        response = await http.post(f"http://{host}", content=bytes(16 << 20))
    assert (response.status_code, response.text) == (413, "no")


async def test_a_server_that_does_neither_read_nor_answer_is_a_timeout() -> None:
    over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await over.wait()

    timeout = httpx2.Timeout(None, read=0.01)
    async with serving(serve) as host, client(timeout=timeout) as http:
        for body in (b"", bytes(64 << 20)):
            with pytest.raises(httpx2.ReadTimeout):
                await http.post(f"http://{host}", content=body)
        over.set()


async def test_a_server_that_is_not_there_is_called_so() -> None:
    async def serve(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        pass

    async with serving(serve) as host:
        pass
    async with client() as http:
        with pytest.raises(httpx2.ConnectError, match=r"^Connection refused$"):
            await http.get(f"http://{host}")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
class TestEncrypted:
    @pytest.fixture
    def contexts(self, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        return tls_contexts(tmp_path)

    async def test_a_body_comes_through_also_a_cut_one(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:
        ours, theirs = contexts
        body = bytes(range(256)) * 4096

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for missing in (0, 1):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(HEAD + b"content-length: %d\r\n\r\n" % (len(body) + missing))
                writer.write(body)
                await writer.drain()

        got = b""
        async with serving(serve, theirs) as host, client(ours) as http:
            response = await http.get(f"https://{host}")
            assert response.content == body
            assert is_read_by_loop(response)
            async with http.stream("GET", f"https://{host}") as cut:
                with pytest.raises(httpx2.RemoteProtocolError, match="received"):
                    async for part in cut.aiter_raw():
                        got += part
        assert got == body

    @pytest.mark.parametrize("writes", [1, 2, 3])
    async def test_a_connection_takes_one_request_after_the_other(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext], writes: int
    ) -> None:
        ours, theirs = contexts
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(6)
                answer = HEAD + b"content-length: 6\r\n\r\nanswer"
                for at in range(writes):
                    writer.write(answer[at * len(answer) // writes :][: len(answer) // writes])
                    await writer.drain()
                writer.write(answer[len(answer) // writes * writes :])

        async def body() -> AsyncIterator[bytes]:
            for piece in (b"on", b"e ", b"=1"):
                yield piece

        timeout = httpx2.Timeout(30)
        async with serving(serve, theirs) as host, client(ours, timeout) as http:
            for _ in range(5):
                length = {"content-length": "6"}
                response = await http.post(f"https://{host}", content=body(), headers=length)
                assert response.text == "answer"
        assert connections == 1

    async def test_what_came_before_a_reset_is_handed_out_also_to_a_stream_that_rests(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "FEW", 0)
        monkeypatch.setattr(pace, "REST_PER_STREAM", 0.1)
        ours, theirs = contexts
        is_resting = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"content-length: 99\r\n\r\nfirst ")
            await is_resting.wait()
            for word in (b"second ", b"third ", b"last"):
                writer.write(word)
                await writer.drain()
            its = writer.get_extra_info("socket")
            its.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        got = b""
        async with (
            serving(serve, theirs) as host,
            client(ours) as http,
            http.stream("GET", f"https://{host}") as cut,
        ):
            with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
                async for part in cut.aiter_raw():
                    got += part
                    is_resting.set()
        assert got == b"first second third last"

    async def test_a_certificate_of_nobody_and_a_handshake_that_breaks_off_say_so(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:
        async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read(10)

        async with serving(serve, contexts[1]) as host, client(verify=True) as http:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(f"https://{host}")
        async with serving(serve) as host, client(contexts[0]) as http:
            with pytest.raises(httpx2.ConnectError, match=r"TLS handshake|reset by peer"):
                await http.get(f"https://{host}")


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "TLS"])
async def test_a_connection_opened_ahead_is_used_by_the_next_request(
    tmp_path: Path, is_secure: bool
) -> None:
    peers, served, goes = list[object](), asyncio.Queue[object](), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername"))
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(HEAD + b"content-length: 2\r\n\r\n{}")
            served.put_nowait(writer.get_extra_info("peername"))
            if goes.is_set():
                break

    ours, theirs = await asyncio.to_thread(tls_contexts, tmp_path)
    scheme, context = ("https", theirs) if is_secure else ("http", None)
    async with serving(serve, context) as host, client(ours) as http:
        url = httpx2.URL(f"{scheme}://{host}/")
        await open_ahead(http, url, 5.0)
        await open_ahead(http, url, 5.0)  # one is enough
        assert (await http.get(url)).text == "{}"
        await open_ahead(http, url, 5.0)  # the idle one will do
        goes.set()
        assert (await http.get(url)).text == "{}"
        assert peers == [served.get_nowait()] and peers == [served.get_nowait()]


async def test_a_connection_opened_ahead_that_the_server_closed_is_replaced() -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not closed.is_set():
            writer.close()
            await writer.wait_closed()
            closed.set()
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: 2\r\n\r\n{}")

    async with serving(serve) as host, client() as http:
        await open_ahead(http, httpx2.URL(f"http://{host}/"), 5.0)
        await closed.wait()
        assert (await http.get(f"http://{host}/")).text == "{}"


async def test_no_connection_is_opened_ahead_past_a_proxy(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with httpx2.AsyncClient() as http:
        read_by_loop(http)
        await open_ahead(http, httpx2.URL(server.url), 5.0)
    assert server.connections == 0


async def test_connections_that_nobody_used_are_closed_with_the_client() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()

    async with serving(serve) as host, client() as http:
        await open_ahead(http, httpx2.URL(f"http://{host}/"), 5.0)
        await close_ahead(http)
        await ended.wait()
