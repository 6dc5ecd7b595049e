"""A simulated agent server, which takes messages and a cancel while it works.

It speaks the wire `agent-websocket` in the common event form, and plays the scenario that the
request's `model` names, without its calls and faults; a cut is silence. A message stops what is
being said, and is answered as by a model that has no scenario.
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

PATH = "/agent"


class _Said(msgspec.Struct):
    role: str
    content: str | None = None


class _Start(msgspec.Struct):
    model: str
    messages: list[_Said]


class _Heard(msgspec.Struct):
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
    """One run: what was said so far, and the connection."""

    def __init__(self, state: SimulatorState, socket: WebSocket) -> None:
        self._state = state
        self._socket = socket
        self._entries: list[Entry] = []
        self._text = ""

    async def work(self) -> None:
        """Answer the request, and every message that comes before the answer is over."""
        start = msgspec.json.decode(await self._socket.receive_text(), type=_Start)
        self._entries = [Entry(said.role, said.content or "") for said in start.messages]
        await self.send("accepts", inputs=["message", "cancel"])
        model = start.model
        while message := await self._until_message(model):
            await self.send("message_taken", message_id=message.message_id)
            self._entries += [Entry("assistant", self._text), Entry("user", message.content)]
            model = ""  # no scenario's
        await self.send("done")

    async def send(self, kind: str, **fields: object) -> None:
        """Send an event; raise `WebSocketDisconnect` where the client has gone."""
        await self._socket.send_json({"type": kind, **fields})

    async def _until_message(self, model: str) -> _Heard | None:
        """Play a turn to its end, or until a message or a cancel comes."""
        playing = asyncio.ensure_future(self._play(model))
        hearing = asyncio.ensure_future(self._socket.receive_text())
        try:
            await asyncio.wait({playing, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                heard = msgspec.json.decode(hearing.result(), type=_Heard)
                return heard if heard.type == "message" else None
            return playing.result()
        finally:
            playing.cancel()
            hearing.cancel()
            await asyncio.gather(playing, hearing, return_exceptions=True)

    async def _play(self, model: str) -> None:
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
                    await asyncio.Event().wait()  # until a message comes, or the client has gone
                case _:
                    pass
