"""WebSockets that an agent server closes too early, through a real engine and a real history."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from lfgtui.errors import ErrorKind
from lfgtui.model import events as e
from lfgtui.settings.config import ProviderConfig, RetryPolicy
from tests.engine.harness import room, ticket

PARTIAL = "Příliš žluť"
ABNORMAL = 1006
"""No close at all: the connection is dropped."""


@asynccontextmanager
async def closing(code: int, free: asyncio.Event) -> AsyncIterator[str]:
    """An agent that closes on the model `broken`, and goes on with any other once it is `free`."""

    async def play(connection: ServerConnection) -> None:
        asked = json.loads(await connection.recv())
        await connection.send(json.dumps({"type": "token", "content": PARTIAL}))
        if asked["model"] != "broken":
            await free.wait()
            await connection.send(json.dumps({"type": "token", "content": "oučký"}))
            await connection.send(json.dumps({"type": "done"}))
        elif code == ABNORMAL:
            connection.transport.abort()
        else:
            await connection.close(code, "so it is")

    async with serve(play, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/run"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1001, "cut"),
        (ABNORMAL, "cut"),
        (1008, "auth"),
        (1011, "server"),
        (1012, "cut"),
        (1013, "overloaded"),
        (4401, "auth"),
        (4404, "not_found"),
        (4429, "rate_limit"),
    ],
)
async def test_a_close_keeps_the_partial_says_why_and_disturbs_nobody(
    tmp_path: Path, code: int, kind: ErrorKind
) -> None:
    free = asyncio.Event()
    tickets = [ticket(name, tmp_path, provider="socket") for name in ("broken", "healthy")]
    async with closing(code, free) as url:
        socket = {"socket": ProviderConfig(wire="agent-websocket", base_url=url)}
        async with room(tmp_path, tickets, more=socket, retry=RetryPolicy(attempts=1)) as r:
            await r.until_event("healthy", e.TextDelta)
            await r.until(lambda: r.engine.unfinished == ["healthy"])
            assert r.state("healthy") == "streaming"
            free.set()
            await r.engine.wait_idle()
            assert r.engine.transcript("healthy").answer == f"{PARTIAL}oučký"
            assert r.state("healthy") == "done"
            stored = [entry.event for entry in await asyncio.to_thread(r.stored, "broken")]
    assert e.TextDelta(PARTIAL) in stored
    failed = stored[-1]
    assert isinstance(failed, e.TicketFailed)
    assert failed.kind == kind
    assert ("so it is" in failed.message) == (code != ABNORMAL)
