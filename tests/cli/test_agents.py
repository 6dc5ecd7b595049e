"""Tickets that are worked by agent servers, from the command line to the history."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from websockets.asyncio.server import ServerConnection, serve

from lfgtui.__main__ import main
from tests.cli.conftest import configure
from tests.providers.loopback import CUT, Answer, Asked, Loopback

EVENTS: list[dict[str, object]] = [
    {"type": "status", "message": "Looking"},
    {"type": "reasoning", "content": "Hm."},
    {"type": "tool_call", "tool_call_id": "c", "name": "search", "input": {"q": "cats"}},
    {"type": "tool_output", "tool_call_id": "c", "content": "9 c"},
    {"type": "tool_result", "tool_call_id": "c", "content": "9 cats"},
    {"type": "token", "content": "Nine "},
    {"type": "token", "content": "cats."},
    {"type": "done", "usage": {"input_tokens": 7, "output_tokens": 3}},
]


def over_http(asked: Asked) -> Answer:
    """Breaks off after half of the events, and goes on where it is asked to."""
    last = asked.headers.get("last-event-id")
    blocks = [f"id: {n}\ndata: {json.dumps(event)}\n\n".encode() for n, event in enumerate(EVENTS)]
    return Answer([*blocks[:4], CUT]) if last is None else Answer(blocks[int(last) + 1 :])


async def over_a_socket(connection: ServerConnection) -> None:
    """The same, half of them in each connection."""
    asked = json.loads(await connection.recv())
    last = asked.get("last_event_id")
    start, stop = (0, 4) if last is None else (int(last) + 1, len(EVENTS))
    for number in range(start, stop):
        await connection.send(json.dumps(EVENTS[number] | {"id": number}))
    if last is None:
        connection.transport.abort()


@pytest.fixture
def agents() -> Iterator[tuple[str, str]]:
    """The addresses of two agents that run in another thread."""
    addresses: list[str] = []
    ready, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def run() -> None:
        http = Loopback()
        http.answering = over_http
        await http.start()
        async with serve(over_a_socket, "127.0.0.1", 0) as sockets:
            port = sockets.sockets[0].getsockname()[1]
            addresses.extend([f"{http.url}/agent", f"ws://127.0.0.1:{port}/agent"])
            ready.set()
            await over.wait()
        await http.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    ready.wait()
    yield addresses[0], addresses[1]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


def test_an_agents_run_is_told_whole_though_its_connection_broke(
    agents: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(
        f'[providers.http]\nwire = "agent-sse"\nbase_url = "{agents[0]}"\n'
        f'[providers.socket]\nwire = "agent-websocket"\nbase_url = "{agents[1]}"\n'
    )
    for provider in ("http", "socket"):
        assert main(["run", "-p", "How many?", "--provider", provider, "--model", "any"]) == 0
        assert "Nine cats." in capsys.readouterr().out
        assert main(["history", "--json", "--limit", "1"]) == 0
        run = json.loads(capsys.readouterr().out)[0]["run"]
        assert main(["show", run, "--json"]) == 0
        [ticket] = json.loads(capsys.readouterr().out)["tickets"]
        [attempt] = ticket["attempts"]
        assert (ticket["state"], attempt["text"]) == ("done", "Nine cats.")
        assert attempt["reasoning"] == "Hm."
        [tool] = attempt["hosted_tools"]
        assert (tool["name"], tool["input"], tool["output"]) == ("search", '{"q":"cats"}', "9 cats")
        assert (attempt["usage"]["input"], attempt["usage"]["output"]) == (7, 3)
