"""`lfg serve` as a program: killed and started again under viewers, and ended by a signal."""

import asyncio
import json
import os
import signal
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import unix_connect

from lfgtui.engine.commands import Cancel
from lfgtui.model import events as e
from lfgtui.server.control import feed
from lfgtui.server.http.listen import socket_path
from tests.engine.harness import Room
from tests.helpers.terminal import LFG
from tests.helpers.waiting import is_alive, until
from tests.server.control.test_listening import at_work
from tests.server.http.stand import stream
from tests.server.http.test_events import as_stored, stored

_MANY = httpx.Limits(max_connections=None)


@asynccontextmanager
async def serve() -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Start it; yield it and a client on its socket."""
    process = await asyncio.create_subprocess_exec(*LFG, "serve", stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        path = (await process.stdout.readline()).decode().removeprefix("serve: ").strip()
        transport = httpx.AsyncHTTPTransport(uds=path, limits=_MANY)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://lfg", timeout=60
        ) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def test_it_can_be_left_without_a_terminal(tmp_path: Path) -> None:
    started = subprocess.run(
        [*LFG, "serve", "--detach"], capture_output=True, text=True, check=True
    )
    pid = int(started.stderr.split("process ")[1].partition(";")[0])
    transport = httpx.HTTPTransport(uds=started.stdout.removeprefix("serve: ").strip())
    with httpx.Client(transport=transport, base_url="http://lfg") as client:
        assert client.get("/runs").json() == []
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid))


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What a viewer was told who had fallen behind: up to where to look in the history."""
    told, left_out = list[bytes](), feed.Feed.left_out

    def noted(self: feed.Feed) -> bytes:
        told.append(left_out(self))
        return told[-1]

    monkeypatch.setattr(feed.Feed, "left_out", noted)
    return told


async def written(r: Room) -> AsyncIterator[int]:
    """Write more than everything between a run and a viewer can hold, and end the ticket."""
    await r.until_event("a", e.TextDelta)
    for at in range(40):
        r.recorder.submit(r.engine.run, "a", 1, float(at), e.TextDelta("x" * 200_000))
        await r.recorder.settle()
        yield at
    r.engine.send(Cancel("a"))
    await r.until_event("a", e.TicketCancelled)


async def test_a_viewer_who_reads_a_kilobyte_at_a_time_gets_all_and_slows_nothing(
    tmp_path: Path, cuts: list[bytes]
) -> None:
    async with at_work(tmp_path) as r, serve():
        reader, writer = await asyncio.open_unix_connection(socket_path(), limit=1)
        path = f"/runs/{r.engine.run}/events"
        writer.write(f"GET {path} HTTP/1.0\r\nHost: lfg\r\n\r\n".encode())
        got = b""
        async for _ in written(r):
            got += await reader.readexactly(1000)
        last = f"id: {r.seen[-1].place}\n".encode()
        async with asyncio.timeout(60):
            while last not in got[-2000:] or not got.endswith(b"\n\n"):
                got += await reader.read(1 << 20)
        writer.close()
        lines = got.decode().splitlines()
        sent = [json.loads(one.removeprefix("data: ")) for one in lines if one.startswith("data: ")]
        assert as_stored(sent) == stored(r)
        assert cuts


async def test_a_websocket_that_is_not_read_gets_all_later_and_slows_nothing(
    tmp_path: Path, cuts: list[bytes]
) -> None:
    async with at_work(tmp_path) as r, serve():
        url = f"ws://lfg/ws?run={r.engine.run}"
        socket = unix_connect(
            str(socket_path()), url, compression=None, max_queue=1, max_size=None, ping_timeout=None
        )
        async with socket as viewer:
            await viewer.recv()  # the run's tickets
            async for _ in written(r):
                pass
            sent: list[dict[str, object]] = []
            async with asyncio.timeout(60):
                while len(sent) < len(r.seen):
                    sent += json.loads(await viewer.recv()).get("entries", ())
        assert as_stored(sent) == stored(r)
        assert cuts


async def test_a_viewer_misses_nothing_of_a_server_that_is_killed(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r:  # its ticket waits in the middle of its answer
        path = f"/runs/{r.engine.run}/events"
        async with serve() as (process, client), stream(client, path) as first:
            await first.until(lambda: len(first.entries) > 5)
            process.kill()
            await process.wait()
        for at in range(20):  # more than a connection holds that nobody reads
            r.recorder.submit(r.engine.run, "a", 1, float(at), e.TextDelta("x" * 200_000))
        r.engine.send(Cancel("a"))
        await r.until_event("a", e.TicketCancelled)
        async with (
            serve() as (process, client),
            stream(client, path, **{"Last-Event-ID": first.events[-1].id}) as second,
        ):
            _, idle = await asyncio.open_unix_connection(socket_path(), limit=1)
            idle.write(f"GET {path} HTTP/1.1\r\nHost: lfg\r\n\r\n".encode())
            unread = await unix_connect(
                str(socket_path()), f"ws://lfg/ws?run={r.engine.run}", compression=None, max_queue=1
            )
            await second.up_to("ticket_cancelled")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                _, complaints = await process.communicate()
            assert (process.returncode, complaints) == (0, b"")
            idle.close()
            unread.transport.abort()
        entries = first.entries + second.entries
        assert [entry["seq"] for entry in entries] == list(range(1, len(r.seen) + 1))


async def test_a_hundred_viewers_get_the_same_though_half_of_them_leave(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, serve() as (process, client), AsyncExitStack() as staying:
        path = f"/runs/{r.engine.run}/events"
        async with AsyncExitStack() as leaving:
            stacks = [leaving, staying] * 50
            viewers = [await one.enter_async_context(stream(client, path)) for one in stacks]
            for seen in viewers:
                await seen.up_to("text_delta")
        for at in range(20):
            r.recorder.submit(r.engine.run, "a", 1, float(at), e.TextDelta(f"more {at} "))
        r.engine.send(Cancel("a"))
        await r.until_event("a", e.TicketCancelled)
        await r.engine.shutdown()
        for seen in viewers[1::2]:
            await seen.up_to("ticket_cancelled")
            assert as_stored(seen.entries) == stored(r)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            _, complaints = await process.communicate()
        assert (process.returncode, complaints) == (0, b"")
