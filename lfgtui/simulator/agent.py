"""A simulated agent server, which takes messages and a cancel while it works.

It speaks the wire `agent-websocket` in the common event form (`providers/agent_server`), and plays
the scenario that the request's `model` names, without its calls and faults; at a cut it falls
silent. A message interrupts the answer, and is answered as by a model that has no scenario.
"""

import asyncio
import random
from contextlib import suppress
from typing import Literal

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lfgtui.simulator.playback import Break, Pause, Piece, compose, steps_of
from lfgtui.simulator.request import Entry, Request, read_conversation
from lfgtui.simulator.state import SimulatorState
from lfgtui.simulator.wires.base import bearer

PATH = "/agent"  # below the simulator's root URL


class _Message(msgspec.Struct):
    """A message of the conversation so far."""

    role: str
    content: str | None = None


class _Start(msgspec.Struct):
    """The request that begins a run."""

    model: str
    messages: list[_Message]


class _Input(msgspec.Struct):
    """A message that a client may send while the agent works."""

    type: Literal["message", "cancel"]
    message_id: str = ""
    content: str = ""


def agent_route(state: SimulatorState) -> WebSocketRoute:
    """Return the route of the agent, at `PATH`."""

    async def serve(socket: WebSocket) -> None:
        if state.settings.require_key not in (None, bearer(socket.headers)):
            await socket.close()  # not accepted yet, so this is an HTTP 403
            return
        await socket.accept()
        run = _Run(state, socket)
        with suppress(WebSocketDisconnect):
            try:
                await run.work()
            except msgspec.MsgspecError as error:
                await run.send("error", message=f"not understood: {error}")
            await socket.close()

    return WebSocketRoute(PATH, serve)


class _Run:
    """One run: its conversation so far, the text of the present answer, and the connection."""

    def __init__(self, state: SimulatorState, socket: WebSocket) -> None:
        self._state = state
        self._socket = socket
        self._entries: list[Entry] = []
        self._text = ""

    async def work(self) -> None:
        """Answer the request, and every message that comes before the answer is over."""
        start = msgspec.json.decode(await self._socket.receive_text(), type=_Start)
        self._entries = [Entry(one.role, one.content or "") for one in start.messages]
        await self.send("accepts", inputs=["message", "cancel"])
        model = start.model
        while message := await self._until_message(model):
            await self.send("message_taken", message_id=message.message_id)
            self._entries += [Entry("assistant", self._text), Entry("user", message.content)]
            model = ""  # the generic answer
        await self.send("done")

    async def send(self, kind: str, **fields: object) -> None:
        """Send an event; raise `WebSocketDisconnect` if the client has gone."""
        await self._socket.send_json({"type": kind, **fields})

    async def _until_message(self, model: str) -> _Input | None:
        """Play a turn until it ends or is interrupted; return the message that does so, if any."""
        playing = asyncio.ensure_future(self._play(model))
        receiving = asyncio.ensure_future(self._socket.receive_text())
        try:
            await asyncio.wait({playing, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                received = msgspec.json.decode(receiving.result(), type=_Input)
                return received if received.type == "message" else None
            return playing.result()
        finally:
            playing.cancel()
            receiving.cancel()
            await asyncio.gather(playing, receiving, return_exceptions=True)

    async def _play(self, model: str) -> None:
        """Answer the conversation, as a model of that name does."""
        self._text, state = "", self._state
        conversation = read_conversation(self._entries, "chat", state.ids)
        request = Request(model, True, conversation, None, True, frozenset(), 0, 0)
        scenario, turn = state.find(request)
        reply = compose(request, turn, turn.split, state.ids)
        rng = random.Random(f"{state.settings.seed} {reply.nonce}")
        for step in steps_of(reply, scenario, turn, rng, is_cut=state.use_cut(request, turn)):
            match step:
                case Pause(seconds):
                    speed = state.settings.speed
                    await asyncio.sleep(seconds / speed if speed else 0.0)
                case Piece(segment, text) if segment.kind == "reasoning":
                    await self.send("reasoning", content=text)
                case Piece(_, text):
                    await self.send("token", content=text)
                    self._text += text
                case Break():
                    await asyncio.Event().wait()  # until `_until_message` cancels it
                case _:
                    pass
