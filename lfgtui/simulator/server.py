"""The simulator's HTTP server: reads a request, finds its turn, plays it. On loopback only."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from lfgtui.errors import UsageError
from lfgtui.simulator.agent import agent_route
from lfgtui.simulator.playback import compose, steps_of
from lfgtui.simulator.player import Playback
from lfgtui.simulator.request import Refused, Request
from lfgtui.simulator.state import Settings, SimulatorState
from lfgtui.simulator.wires.anthropic import AnthropicWire
from lfgtui.simulator.wires.base import Json, Wire
from lfgtui.simulator.wires.chat import ChatWire
from lfgtui.simulator.wires.responses import ResponsesWire
from lfgtui.simulator.wires.shapes import find_fault, load_shape
from lfgtui.text.output import print_line

__all__ = ["Settings", "build_app", "listening", "running", "serve"]

_WIRES: tuple[Wire, ...] = (AnthropicWire(), ResponsesWire(), ChatWire())


def build_app(settings: Settings) -> Starlette:
    """Return the ASGI application. It reads the bundled scenarios: call it in a thread."""
    state = SimulatorState(settings)
    routes = [Route(wire.path, _endpoint(state, wire), methods=["POST"]) for wire in _WIRES]
    routes.append(Route("/v1/models", _models(state), methods=["GET"]))
    return Starlette(
        routes=[*routes, agent_route(state)], exception_handlers={404: _not_found, 405: _not_found}
    )


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """Serve in this event loop during the body; yield the root URL. For tests."""
    async with listening(await asyncio.to_thread(build_app, settings)) as url:
        yield url


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve the application on a port of loopback (0: any free one); yield its root URL.

    Raises `UsageError` if the port is taken.
    """
    config = uvicorn.Config(
        app,
        date_header=False,
        log_config=None,
        log_level="critical",
        access_log=False,
        http=H11Protocol,
        ws="websockets-sansio",
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_server(
            lambda: _Connection(config, state, {}), "127.0.0.1", port
        )
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise UsageError(f"cannot listen on port {port}: {why}; --port 0 takes any") from None
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:  # cancel replies that are not complete
        listener.close()
        for connection in list(state.connections):
            connection.shutdown()
        for reply in (replies := list(state.tasks)):
            reply.cancel()
        await asyncio.gather(*replies, return_exceptions=True)


async def serve(settings: Settings, *, port: int) -> int:
    """Serve until a signal or, if embedded, the end of stdin; return the exit code.

    Prints one line, `simulator: URL`, once it listens, which `SubprocessServer`
    reads. Raises `UsageError` if the port is taken.
    """
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    def watch_parent() -> None:
        if not os.read(0, 1024):  # the parent, which holds the other end, has ended
            loop.remove_reader(0)
            stop(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, 128 + number)
    if settings.is_embedded:
        loop.add_reader(0, watch_parent)
    async with listening(await asyncio.to_thread(build_app, settings), port) as url:
        print_line(f"simulator: {url}")
        return await stopped


class _Connection(H11Protocol):
    """A connection that the application can break: its transport is `http.state.transport`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def data_received(self, data: bytes) -> None:
        """Read a request; its response gets the present date, not that of uvicorn's last tick."""
        date = (b"date", formatdate(usegmt=True).encode())
        self.server_state.default_headers = [date, *self.config.encoded_headers]
        super().data_received(data)


def _endpoint(state: SimulatorState, wire: Wire) -> Callable[[HttpRequest], Awaitable[Response]]:
    """Return the endpoint that answers a wire's requests."""

    async def answer(http: HttpRequest) -> Response:
        request_id = state.next_request_id()
        headers = {wire.id_header: request_id}
        try:
            request, body = await _read(state, wire, http)
            scenario, turn = state.find(request)
            state.use_fault(request, turn)
            if wire.keeps_marked:
                request = state.with_cache(request, body)
        except Refused as refused:
            if refused.retry_after is not None:
                headers["retry-after"] = f"{refused.retry_after:g}"
            status, error = wire.refuse(refused, request_id)
            return JSONResponse(error, status, headers)
        content = turn.content(failed=request.conversation.has_failed)
        count = state.count("reply", request)
        reply = compose(request, content, turn.split, state.ids, count=count)
        settings, transport = state.settings, http.state.transport
        rng = random.Random(f"{settings.seed} {reply.nonce}")
        steps = steps_of(reply, scenario, turn, rng, is_cut=state.use_cut(request, turn))
        writer = wire.writer(reply, state.ids, body)
        return Playback(
            writer, steps, headers, transport, speed=settings.speed, stream=request.stream
        )

    return answer


async def _read(state: SimulatorState, wire: Wire, http: HttpRequest) -> tuple[Request, Json]:
    """Check a request's key, shape and rules, in this order; raises `Refused`.

    An embedded simulator does not check the shape, which would import the SDKs.
    """
    wire.authorise(http.headers, state.settings.require_key)
    try:
        body = msgspec.json.decode(await http.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("json") from None
    if not state.settings.is_embedded:
        shape = await asyncio.to_thread(load_shape, wire.params)
        if (fault := find_fault(shape, body)) is not None:
            raise wire.misshapen(fault)
    return wire.read(body, state.ids), body


def _models(state: SimulatorState) -> Callable[[HttpRequest], Awaitable[Response]]:
    """Return the endpoint that lists the models, in Anthropic's or OpenAI's form."""

    async def models(request: HttpRequest) -> Response:
        names = sorted(state.scenarios)
        if "anthropic-version" in request.headers:
            created = "2025-01-01T00:00:00Z"
            data = [
                {"type": "model", "id": name, "display_name": name, "created_at": created}
                for name in names
            ]
            ends = {"first_id": names[0], "last_id": names[-1], "has_more": False}
            return JSONResponse({"data": data, **ends})
        owned = {"object": "model", "created": 1_735_689_600, "owned_by": "simulator"}
        return JSONResponse({"object": "list", "data": [{"id": name, **owned} for name in names]})

    return models


async def _not_found(request: HttpRequest, _: Exception) -> Response:
    if "anthropic-version" in request.headers:
        error: dict[str, object] = {"type": "not_found_error", "message": "Not found"}
        return JSONResponse({"type": "error", "error": error}, 404)
    message = f"Invalid URL ({request.method} {request.url.path})"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": error}, 404)
