"""`GET /ws`: a run over a WebSocket, with each line of `control.messages` as a text message.

The first message is a `Hello`, the next ones are `Frame`s; a browser or a program sends
`FromViewer`, and the `Frame` that answers a command has its number.
"""

from contextlib import aclosing, suppress

import msgspec
from starlette.exceptions import HTTPException, WebSocketException
from starlette.websockets import WebSocket, WebSocketDisconnect

from lfgtui.errors import LfgError
from lfgtui.processes.waiting import until_one_ends
from lfgtui.server.control.address import person
from lfgtui.server.control.client import BrokenError
from lfgtui.server.control.messages import Frame, number_of, viewer_decoder, without_rule
from lfgtui.server.control.watching import Watching, watch
from lfgtui.server.http.events import FURTHEST
from lfgtui.server.http.found import run_named, whole_number

# Close codes: https://www.iana.org/assignments/websocket

_COME_BACK = 1012
"""Service restart: the client should connect again."""

_REFUSED = 1008
"""Policy violation: connecting again would not help."""

_NOT_TEXT = 1003
"""Unsupported data."""


async def follow(websocket: WebSocket) -> None:
    """Answer `GET /ws` with the `run` of the query after its place `after`."""
    await websocket.accept()
    try:
        run = await run_named(websocket.query_params.get("run", "last"))
        watching = await watch(run, whole_number(websocket, "after", 0, FURTHEST), person())
    except BrokenError as error:
        await _close(websocket, _COME_BACK, str(error))
    except HTTPException as error:
        await _close(websocket, _REFUSED, error.detail)
    except LfgError as error:
        await _close(websocket, _REFUSED, str(error))
    else:
        try:
            await _follow(websocket, watching)
        finally:
            watching.close()


async def _follow(websocket: WebSocket, watching: Watching) -> None:
    """Pass messages both ways, then close with the code that says how it ended."""
    try:
        await until_one_ends(_show(websocket, watching), _obey(websocket, watching))
    except WebSocketDisconnect:
        pass
    except WebSocketException as error:
        await _close(websocket, error.code, error.reason)
    except LfgError as error:
        await _close(websocket, _COME_BACK, str(error))
    else:
        await _close(websocket, 1000)


async def _show(websocket: WebSocket, watching: Watching) -> None:
    """Send what is new until the run's process ends."""
    await _send(websocket, watching.hello)
    async with aclosing(watching.frames()) as frames:
        async for frame in frames:
            await _send(websocket, frame)


async def _obey(websocket: WebSocket, watching: Watching) -> None:
    """Pass messages on until the other side leaves."""
    while True:
        try:
            sent = await websocket.receive_text()
        except KeyError:  # Starlette's error for a binary message
            raise WebSocketException(_NOT_TEXT, "expected a text message") from None
        try:
            message = viewer_decoder.decode(sent)
        except msgspec.MsgspecError as error:
            await _send(websocket, Frame(answer=number_of(sent), error=f"unknown: {error}"))
        else:
            if message.command is not None:
                message = msgspec.structs.replace(message, command=without_rule(message.command))
            await watching.hand_on(message)


async def _send(websocket: WebSocket, message: msgspec.Struct) -> None:
    await websocket.send_text(msgspec.json.encode(message).decode())


async def _close(websocket: WebSocket, code: int, why: str = "") -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # it has left
        await websocket.close(code, why.encode()[:120].decode(errors="ignore"))
