"""A run both ways over a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from starlette.types import Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lfgtui.engine.commands import Approve, Cancel
from lfgtui.model import events as e
from lfgtui.model.event_json import read_entry
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.server.control.messages import Frame, FromViewer, read_frame, read_hello
from lfgtui.server.http.app import build_app
from lfgtui.settings.config import Config
from tests.engine.harness import says, ticket
from tests.helpers.generators import abandoned
from tests.server.control.slow_run import LARGE, slow
from tests.server.control.test_listening import WORDS, WRITES, at_work
from tests.server.http.stand import served


@asynccontextmanager
async def followed(query: str) -> AsyncIterator[ClientConnection]:
    async with (
        served() as client,
        connect(f"{str(client.base_url).replace('http', 'ws')}/ws?{query}") as connection,
    ):
        yield connection


async def frame_with(connection: ClientConnection, number: int) -> Frame:
    """Return the answer to the command of that number."""
    async with asyncio.timeout(60):
        while (frame := read_frame(bytes(await connection.recv(decode=False)))).answer != number:
            pass
    return frame


def message(number: int, command: Approve | Cancel) -> str:
    return msgspec.json.encode(FromViewer(number, command)).decode()


async def test_entries_come_and_commands_are_answered_by_their_numbers(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with at_work(tmp_path, mine, writes=WRITES) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        async with followed(f"run={r.engine.run}") as connection:
            assert connection.protocol.extensions  # permessage-deflate
            hello = read_hello(bytes(await connection.recv(decode=False)))
            assert hello.run == r.engine.run
            await connection.send('{"id": 7, "command": {"type": "Dance"}}')
            assert "unknown" in (await frame_with(connection, 7)).error
            await connection.send(message(8, Cancel("b")))
            assert 'no ticket "b"' in (await frame_with(connection, 8)).error
            await connection.send(message(9, Approve("a", asked.call_id)))
            assert not (await frame_with(connection, 9)).error
        await r.engine.wait_idle()
        assert (tmp_path / "x").exists()


async def test_a_command_gives_no_rule_of_approval(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="writes"), writes=WRITES) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        async with followed(f"run={r.engine.run}") as connection:
            rule = ApprovalRule("write_file", "tool", scope="run")
            await connection.send(message(1, Approve("a", asked.call_id, rule)))
            assert not (await frame_with(connection, 1)).error
        given = await r.until_event("a", e.ApprovalGiven)
        assert not given.grants


async def test_a_run_that_is_over_comes_from_the_history_to_its_end(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
    after = r.seen[3].place
    async with followed(f"run=last&after={after}") as connection:
        frames = [json.loads(await connection.recv())]
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                frames.append(read_frame(bytes(await connection.recv(decode=False))))
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
        entries = [read_entry(raw) for frame in frames[1:] for raw in frame.entries]
        assert entries == [
            msgspec.structs.replace(x, saved=True) for x in r.seen if x.place > after
        ]
        assert frames[-1].has_ended


async def test_all_is_closed_behind_a_viewer_that_stops_in_the_middle(tmp_path: Path) -> None:
    stalled, gone = asyncio.Event(), asyncio.Event()
    received: list[Message] = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        if received:
            return received.pop()
        await gone.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message: Message) -> None:
        if '"entries"' in message.get("text", ""):
            stalled.set()
            await asyncio.Event().wait()

    async with at_work(tmp_path) as r:
        await r.until_event("a", e.TextDelta)
        query = f"run={r.engine.run}".encode()
        scope = {"type": "websocket", "path": "/ws", "query_string": query, "headers": []}
        with abandoned() as left:
            following = asyncio.ensure_future(
                build_app(Config(), lambda: None)(scope, receive, send)
            )
            await stalled.wait()
            gone.set()
            await following
        assert left == []


async def test_commands_are_taken_no_faster_than_the_run_takes_them(tmp_path: Path) -> None:
    taken, gone = 0, asyncio.Event()
    large = msgspec.json.encode(LARGE).decode()

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        if taken == 1:
            return {"type": "websocket.connect"}
        if taken <= 10:
            return {"type": "websocket.receive", "text": large}
        await gone.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        """Take what comes."""

    async with at_work(tmp_path) as r, slow(r) as run:
        query = f"run={r.engine.run}".encode()
        scope = {"type": "websocket", "path": "/ws", "query_string": query, "headers": []}
        app = build_app(Config(), lambda: None)
        following = asyncio.ensure_future(app(scope, receive, send))
        for number in range(1, 9):
            await run.take()
            assert taken <= 1 + number + 1
        await run.take()
        gone.set()
        await following


async def test_a_message_that_is_no_text_is_refused_in_the_closing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, followed(f"run={r.engine.run}") as connection:
        await connection.send(b"{}")
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(60):
                while True:
                    await connection.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, "text" in closed.value.rcvd.reason) == (1003, True)


async def test_no_such_run_is_said_in_the_closing(tmp_path: Path) -> None:
    async with followed("run=nope") as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, 'no run "nope"' in closed.value.rcvd.reason) == (1008, True)
