"""Messages of the person to an agent server: into the response that is under way, or after it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.settings.providers import ProviderConfig, WireName
from tests.engine.harness import Room, room, ticket
from tests.engine.test_tell import SAID, SILENT, said, shown
from tests.providers.agent_server.agents import websocket_agent
from tests.providers.loopback import Answer, Loopback, Step

ACCEPTS = {"type": "accepts", "inputs": ["message"]}
ACCEPTS_CANCEL = {"type": "accepts", "inputs": ["cancel"]}
HALF = {"type": "token", "content": "Half "}
DONE = {"type": "done"}
Play = Callable[[ServerConnection, asyncio.Event], Awaitable[None]]


def agent_at(url: str) -> dict[str, ProviderConfig]:
    """A provider `agent` at this address."""
    wire: WireName = "agent-sse" if url.startswith("http") else "agent-websocket"
    return {"agent": ProviderConfig(wire=wire, base_url=url)}


async def test_an_agent_answers_it_in_the_response_that_is_under_way(tmp_path: Path) -> None:
    """The agent is silent for ever after its first words, unless it is told something."""
    mine = ticket("a", tmp_path, provider="agent", model="silent")
    async with room(tmp_path, [mine], scenarios={"silent": SILENT}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", SAID))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert (len(r.attempts("a")), len(r.events("a", e.RequestSent))) == (1, 1)
        prompt, before, message, after = shown(r)
        assert (prompt, before[:7], message) == ("Do a.", "I begin", SAID)
        assert after.startswith(f"## {SAID}")
        stored = await asyncio.to_thread(r.stored, "a")
        (sent,) = [x for x in stored if x.event == e.UserMessage(SAID, origin="person")]
        assert [x.event for x in stored if isinstance(x.event, e.MessageTaken)] == [
            e.MessageTaken(sent.seq)
        ]
        assert said(r) == [SAID]


async def sends(connection: ServerConnection, *events: Mapping[str, object]) -> None:
    for event in events:
        await connection.send(json.dumps(event))


async def reported(connection: ServerConnection, kind: str) -> None:
    """Take a message and report on it."""
    message = json.loads(await connection.recv())
    assert (message.pop("type"), message.pop("content")) == ("message", SAID)
    await sends(connection, {"type": kind, "content": "busy", **message})


async def refuses(connection: ServerConnection, _: asyncio.Event) -> None:
    await sends(connection, ACCEPTS, HALF)
    await reported(connection, "message_refused")
    await sends(connection, DONE)


async def ignores(connection: ServerConnection, _: asyncio.Event) -> None:
    await sends(connection, ACCEPTS, HALF)
    await connection.recv()
    await sends(connection, {"type": "message_taken", "message_id": "1"}, DONE)


async def accepts_none(connection: ServerConnection, is_told: asyncio.Event) -> None:
    await sends(connection, HALF)
    await is_told.wait()
    await sends(connection, DONE)


async def goes(connection: ServerConnection, is_told: asyncio.Event) -> None:
    await sends(connection, HALF)
    await is_told.wait()
    connection.transport.abort()


async def takes_and_goes(connection: ServerConnection, _: asyncio.Event) -> None:
    await sends(connection, ACCEPTS, HALF)
    await reported(connection, "message_taken")
    connection.transport.abort()


@pytest.mark.parametrize("play", [refuses, ignores, accepts_none, goes, takes_and_goes])
async def test_what_no_answer_took_is_in_the_next_request_once(tmp_path: Path, play: Play) -> None:
    is_told = asyncio.Event()
    mine = ticket("a", tmp_path, provider="agent", model="any")
    async with websocket_agent() as agent:

        async def act(connection: ServerConnection) -> None:
            if len(agent.asked) == 1:
                await play(connection, is_told)
            else:
                await sends(connection, {"type": "token", "content": "Whole."}, DONE)

        agent.act = act
        async with room(tmp_path, [mine], more=agent_at(agent.url)) as r:
            await tell_in_mid_response(r, is_told)
        assert said(r) == [SAID]
        assert [json.dumps(asked.body).count(SAID) for asked in agent.asked] == [0, 1]
        notes = [event.message for event in r.events("a", e.Status)]
        assert any("your message (busy); it goes with" in note for note in notes) == (
            play is refuses
        )


async def tell_in_mid_response(r: Room, is_told: asyncio.Event) -> None:
    await r.until_event("a", e.TextDelta)
    r.engine.send(c.Tell("a", SAID))
    await r.until(lambda: any(x.origin == "person" for x in r.events("a", e.UserMessage)))
    is_told.set()
    await r.engine.wait_idle()
    assert r.state("a") == "done"
    assert shown(r).count(SAID) == 1
    assert [event.text for event in r.events("a", e.UserMessage)] == ["Do a.", SAID]


async def test_over_http_it_is_a_follow_up(tmp_path: Path, server: Loopback) -> None:
    is_told = asyncio.Event()

    async def wait() -> None:
        await is_told.wait()

    answers: list[list[Step]] = [
        [b'data: {"type": "token", "content": "Half "}\n\n', wait, b"data: [DONE]\n\n"],
        [b"data: Whole.\n\n"],
    ]
    server.answering = lambda _: Answer(answers[len(server.asked) - 1])
    mine = ticket("a", tmp_path, provider="agent", model="any")
    async with room(tmp_path, [mine], more=agent_at(f"{server.url}/agent")) as r:
        await tell_in_mid_response(r, is_told)
    assert [json.dumps(asked.body).count(SAID) for asked in server.asked] == [0, 1]
    assert shown(r) == ["Do a.", "Half ", SAID, "Whole."]


STOPS = (c.Cancel("a"), c.Tell("a", SAID, stops=True))


@pytest.mark.parametrize("stop", STOPS, ids=("c", "S"))
@pytest.mark.parametrize("takes_it", [True, False])
async def test_an_agent_that_takes_a_cancel_gets_it_before_its_connection_is_closed(
    tmp_path: Path, stop: c.Command, takes_it: bool
) -> None:
    received: list[object] = []
    is_closed = asyncio.Event()

    async def act(connection: ServerConnection) -> None:
        if len(agent.asked) > 1:
            return await sends(connection, ACCEPTS_CANCEL, HALF, DONE)
        await sends(connection, ACCEPTS_CANCEL if takes_it else ACCEPTS, HALF)
        with suppress(ConnectionClosedError):  # lfg gives an error's code for what was stopped
            while True:
                received.append(json.loads(await connection.recv()))
        return is_closed.set()

    mine = ticket("a", tmp_path, provider="agent", model="any")
    async with websocket_agent() as agent:
        agent.act = act
        async with room(tmp_path, [mine], more=agent_at(agent.url)) as r:
            await r.until_event("a", e.TextDelta)
            r.engine.send(stop)
            await r.engine.wait_idle()
            await is_closed.wait()
            assert r.state("a") == ("cancelled" if isinstance(stop, c.Cancel) else "done")
    assert received == ([{"type": "cancel"}] if takes_it else [])
