"""The application of `lfg serve`: its routes (docs/server.md), and errors as one line of JSON."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from lfgtui import __version__
from lfgtui.errors import LfgError, NotFoundError
from lfgtui.server.http import runs
from lfgtui.server.http.access import Access, open_session
from lfgtui.server.http.events import HEADERS, events
from lfgtui.server.http.websocket import follow
from lfgtui.settings.config import Config
from lfgtui.text.redactor import Redactor

_EVENTS = 40
_PAUSE = 0.025
"""Events for `lfg doctor`, and the seconds between two: together as long as a short answer."""


def build_app(
    config: Config,
    redactor: Callable[[], Redactor | None],
    *,
    token: str | None = None,
    is_loopback: bool = False,
    pages: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application; `token` and `is_loopback`: see `Access`.

    `redactor` makes the redactor of one export, None to redact nothing; `pages` are for browsers.
    """
    app = Starlette(
        routes=[
            Route("/runs", runs.runs),
            Route("/runs", runs.start, methods=["POST"]),
            Route("/runs/{run}", runs.run),
            Route("/runs/{run}/events", events),
            Route("/runs/{run}/export", runs.exporting(config, redactor)),
            Route("/runs/{run}/commands", runs.command, methods=["POST"]),
            Route("/search", runs.search),
            Route("/probe", _probe),
            Route("/session", open_session, methods=["POST"]),
            WebSocketRoute("/ws", follow),
            *pages,
        ],
        middleware=[Middleware(Access, token=token, is_loopback=is_loopback)],
        exception_handlers={HTTPException: _http_error, LfgError: _lfg_error},
    )
    app.state.token = token
    return app


def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _lfg_error(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404 if isinstance(error, NotFoundError) else 500)


async def _probe(_request: Request) -> Response:
    """Answer `GET /probe`: events without content, of which `lfg doctor` measures the arrival."""
    return StreamingResponse(_events(), media_type="text/event-stream", headers=HEADERS)


async def _events() -> AsyncIterator[str]:
    for number in range(1, _EVENTS + 1):
        yield f'data: {{"lfg": "{__version__}", "event": {number}, "of": {_EVENTS}}}\n\n'
        await asyncio.sleep(_PAUSE)
