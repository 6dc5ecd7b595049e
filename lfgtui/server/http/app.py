"""The application: its routes, and errors as one line of JSON."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from lfgtui.errors import LfgError, NotFoundError
from lfgtui.server.http import runs
from lfgtui.server.http.access import Access, open_session
from lfgtui.server.http.events import events
from lfgtui.server.http.probe import probe
from lfgtui.server.http.starting import start
from lfgtui.server.http.websocket import follow
from lfgtui.settings.config import Config
from lfgtui.text.redactor import Redactor


def build_app(
    config: Config,
    redactor: Callable[[], Redactor | None],
    *,
    token: str | None = None,
    is_loopback: bool = False,
    pages: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. `redactor` makes one for an export; `pages` are for browsers."""
    app = Starlette(
        routes=[
            Route("/runs", runs.runs),
            Route("/runs", start, methods=["POST"]),
            Route("/runs/{run}", runs.run),
            Route("/runs/{run}/events", events),
            Route("/runs/{run}/export", runs.exporting(config, redactor)),
            Route("/runs/{run}/commands", runs.command, methods=["POST"]),
            Route("/search", runs.search),
            Route("/probe", probe),
            Route("/session", open_session, methods=["POST"]),
            WebSocketRoute("/ws", follow),
            *pages,
        ],
        middleware=[Middleware(Access, token=token, is_loopback=is_loopback)],
        exception_handlers={HTTPException: _tell, LfgError: _tell_lfg_error},
    )
    app.state.token = token
    return app


def _tell(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _tell_lfg_error(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404 if isinstance(error, NotFoundError) else 500)
