"""The probe on the SDKs' own clients, over a real loopback server."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import httpx2
import pytest

from lfgtui.doctor.examine import LookupTimingLoop
from lfgtui.errors import ProviderError
from lfgtui.providers.transport.probe import Exchange, Probe, Watchable, timed
from tests.providers.loopback import CUT, Answer, Loopback
from tests.providers.sdk_wires import FIRST, LAST, events_of, open_wire
from tests.providers.tls import tls_contexts


async def watched(server: Loopback, wire: str, answer: Answer) -> tuple[Probe, Exchange]:
    """One response under a probe."""
    server.answer = answer
    provider = await open_wire(wire, server.url)
    probe = Probe()
    assert isinstance(provider, Watchable)
    provider.watch(probe)
    with contextlib.suppress(ProviderError):
        await events_of(provider)
    await provider.aclose()
    return probe, probe.exchanges[0]


async def test_a_body_is_noted_piece_by_piece(wire: str, server: Loopback) -> None:
    steps = [*FIRST[wire], *LAST[wire]]
    _, seen = await watched(server, wire, Answer(steps, headers={"x-mark": "here"}))
    assert sum(piece.size for piece in seen.pieces) == len(b"".join(steps))
    assert seen.complete
    assert seen.status == 200
    assert ("x-mark", "here") in seen.headers
    assert seen.url.startswith(server.url)
    assert seen.peer == server.url.removeprefix("http://")
    assert (seen.tls, seen.lookup) == (None, None)
    assert seen.connect is not None
    moments = [seen.begun, seen.sent, seen.answered, *(p.at for p in seen.pieces), seen.ended]
    known = [moment for moment in moments if moment is not None]
    assert len(known) == len(moments)
    assert known == sorted(known)


async def test_a_broken_body_and_a_refusal_are_noted_as_such(wire: str, server: Loopback) -> None:
    _, seen = await watched(server, wire, Answer([*FIRST[wire], CUT]))
    assert not seen.complete
    assert seen.ended is not None
    answer = Answer([b'{"error": {"message": "no"}}'], 401, "application/json")
    _, seen = await watched(server, wire, answer)
    assert seen.status == 401


async def test_records_that_no_decoder_knows_are_counted(wire: str, server: Loopback) -> None:
    shiny = b'event: shiny\ndata: {"type": "shiny"}\n\n'
    probe, _ = await watched(server, wire, Answer([shiny, *FIRST[wire], *LAST[wire]]))
    if wire != "openai-chat":  # its records have no type
        assert probe.unknown == {"shiny": 1}


async def test_a_value_that_is_there_already_is_not_waited_for() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)
    assert await timed(queue.get()) == (1, 0.0)
    asyncio.get_running_loop().call_later(0.01, queue.put_nowait, 2)
    arrived, waited = await timed(queue.get())
    assert arrived == 2
    assert waited > 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_the_handshake_of_an_encrypted_connection_is_timed(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    ours, theirs = await asyncio.to_thread(tls_contexts, tmp_path)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=theirs)
    port = server.sockets[0].getsockname()[1]
    probe = Probe()
    async with httpx2.AsyncClient(trust_env=False, verify=ours) as client:
        probe.watch(client)
        await client.get(f"https://127.0.0.1:{port}/")
    server.close()
    await server.wait_closed()
    (seen,) = probe.exchanges
    assert seen.connect is not None
    assert seen.tls is not None
    assert seen.tls > 0


def test_a_look_up_is_timed_and_not_counted_as_connecting() -> None:
    async def ask() -> Exchange:
        server = Loopback()
        await server.start()
        server.answer = Answer([*FIRST["openai-chat"], *LAST["openai-chat"]])
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LookupTimingLoop)
        url = server.url.replace("127.0.0.1", "localhost")
        provider = await open_wire("openai-chat", url)
        probe = Probe(loop.lookups)
        provider.watch(probe)
        await events_of(provider)
        await provider.aclose()
        await server.stop()
        return probe.exchanges[0]

    with asyncio.Runner(loop_factory=LookupTimingLoop) as runner:
        seen = runner.run(ask())
    assert seen.lookup is not None
    assert seen.lookup > 0
    assert seen.connect is not None
    assert seen.connect > 0
