"""The server: reads a request, finds its turn, plays it, on loopback only."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from email.utils import formatdate

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from lfgtui.errors import UsageError
from lfgtui.output import print_line
from lfgtui.simulator.asked import Refused
from lfgtui.simulator.performance import compose, pace_of, perform
from lfgtui.simulator.playing import Performance
from lfgtui.simulator.stage import Settings, Stage
from lfgtui.simulator.wires.anthropic import AnthropicWire
from lfgtui.simulator.wires.base import Wire
from lfgtui.simulator.wires.chat import ChatWire
from lfgtui.simulator.wires.responses import ResponsesWire

__all__ = ["Settings", "build_app", "listening", "running", "serve"]

_WIRES: tuple[Wire, ...] = (AnthropicWire(), ResponsesWire(), ChatWire())


def build_app(settings: Settings) -> Starlette:
    """The ASGI application; its `state.stage` is the `Stage`. Reads the bundled scenarios."""
    stage = Stage(settings)
    routes = [Route(wire.path, _endpoint(stage, wire), methods=["POST"]) for wire in _WIRES]
    routes.append(Route("/v1/models", _models(stage), methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})
    app.state.stage = stage
    return app


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """A simulator in this loop, for as long as the context lasts; gives its root URL."""
    async with listening(await asyncio.to_thread(build_app, settings)) as url:
        yield url


@contextlib.asynccontextmanager
async def listening(app: Starlette, port: int = 0) -> AsyncIterator[str]:
    """The application on a port of loopback (0: any that is free); gives its root URL.

    Raises `UsageError` where the port is taken.
    """
    bound = _bind(port)
    server = _Server(
        uvicorn.Config(
            _dated(app),
            date_header=False,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            http=_Connection,
            ws="none",
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await server.listening.wait()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.stopping.set()
        await serving
        await app.state.stage.idle.wait()


async def serve(settings: Settings, *, port: int) -> int:
    """Serve until a signal, or the end of stdin, says to stop; gives the exit code.

    Prints one line, `simulator: URL`, once it listens. Raises `UsageError`
    where the port is taken.
    """
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, 128 + number)
    if settings.exit_on_stdin_eof:
        _watch_stdin(lambda: loop.call_soon_threadsafe(stop, 0))
    async with listening(await asyncio.to_thread(build_app, settings), port) as url:
        print_line(f"simulator: {url}")
        return await stopped


class _Server(uvicorn.Server):
    """uvicorn's server under our own control.

    No signal handlers, events instead of polling, and a shutdown that ends
    replies at once and waits for nothing else.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        replies = list(self.server_state.tasks)
        for reply in replies:
            reply.cancel()
        await asyncio.gather(*replies, return_exceptions=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _dated(app: ASGIApp) -> ASGIApp:
    """The application with the time of each response; uvicorn's is that of its last tick."""

    async def dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", formatdate(usegmt=True).encode())
                message = {**message, "headers": [date, *message["headers"]]}
            await send(message)

        await app(scope, receive, send_dated)

    return dated


class _Connection(H11Protocol):
    """Hands its transport to the application, which may want to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        bound.close()
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot listen on port {port}: {why}; --port 0 takes any") from None
    return bound


def _watch_stdin(ended: Callable[[], object]) -> None:
    """Call `ended` when stdin closes: the parent has gone, however it went."""

    def watch() -> None:
        # os.read takes no lock that the interpreter would wait for at its end.
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        with contextlib.suppress(RuntimeError):
            ended()

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def _endpoint(stage: Stage, wire: Wire) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        request_id = stage.next_request_id()
        try:
            if stage.settings.require_key is not None:
                wire.authorise(request.headers, stage.settings.require_key)
            question = wire.read(await request.body(), request.headers, stage.mint)
            asked = question.asked
            scenario, turn = stage.find(asked)
            stage.trip(asked, turn)
        except Refused as refused:
            error = wire.refuse(refused, request_id)
            kind = {"content-type": "application/json"}
            return Response(error.body, error.status, {**error.headers, **kind})
        lines = turn.lines(failed=asked.failed)
        reply = compose(asked, lines, turn.split, stage.mint, play=stage.play(asked))
        rng = random.Random(f"{stage.settings.seed} {reply.nonce}")
        pace = pace_of(scenario, turn, cut_due=stage.cut_due(asked, turn))
        return Performance(
            stage,
            question.writer(reply),
            perform(reply, pace, rng),
            wire.headers(request_id),
            stream=asked.stream,
        )

    return answer


def _models(stage: Stage) -> Callable[[Request], Awaitable[Response]]:
    async def models(request: Request) -> Response:
        names = sorted(stage.scenarios)
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


async def _not_found(request: Request, _: Exception) -> Response:
    if "anthropic-version" in request.headers:
        error: dict[str, object] = {"type": "not_found_error", "message": "Not found"}
        return JSONResponse({"type": "error", "error": error}, 404)
    message = f"Invalid URL ({request.method} {request.url.path})"
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    return JSONResponse({"error": error}, 404)
