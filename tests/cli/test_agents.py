"""Tickets that are worked by agent servers, from the command line to the history."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from tests.cli.conftest import Lfg, configure, in_background
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


@asynccontextmanager
async def agents() -> AsyncIterator[dict[str, str]]:
    """The addresses of two agents, by the wire that each speaks."""
    http = Loopback()
    http.answering = over_http
    await http.start()
    async with serve(over_a_socket, "127.0.0.1", 0) as sockets:
        port = sockets.sockets[0].getsockname()[1]
        yield {"agent-sse": f"{http.url}/agent", "agent-websocket": f"ws://127.0.0.1:{port}/agent"}
    await http.stop()


def test_an_agents_run_is_told_whole_though_its_connection_broke(lfg: Lfg) -> None:
    with in_background(agents()) as addresses:
        for wire, address in addresses.items():
            configure(f'[providers.mine]\nwire = "{wire}"\nbase_url = "{address}"\n')
            printed = lfg("run", "-p", "How many?", "--provider", "mine", "--model", "any")
            assert printed == (0, "Nine cats.\n", "")
            [ticket] = lfg("show", "last", "--json").json["tickets"]
            [attempt] = ticket["attempts"]
            [tool] = attempt["hosted_tools"]
            assert (ticket["state"], attempt["text"]) == ("done", "Nine cats.")
            assert attempt["reasoning"] == "Hm."
            said = (tool["name"], tool["input"], tool["output"])
            assert said == ("search", '{"q":"cats"}', "9 cats")
            assert (attempt["usage"]["input"], attempt["usage"]["output"]) == (7, 3)
