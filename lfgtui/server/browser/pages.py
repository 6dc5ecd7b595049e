"""The pages for browsers, and the WebSocket of the screen."""

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from lfgtui.server.browser.screen import attach_command, show

_RUN = re.compile(r"\d{8}-[0-9a-z-]+")
"""A run's complete id, which begins with its date and time: `20260131-120000-…`."""

_ASSETS = Path(__file__).with_name("assets")


def routes() -> list[BaseRoute]:
    """Return the routes: `/` for a phone, `/screen` for the real screen."""
    return [
        _page("/", "index.html"),
        _page("/screen", "screen.html"),
        WebSocketRoute("/screen/terminal", _screen),
        Mount("/assets", StaticFiles(directory=_ASSETS, check_dir=False)),
    ]


def _page(path: str, name: str) -> Route:
    def page(_request: Request) -> Response:
        return FileResponse(_ASSETS / name, headers={"Cache-Control": "no-cache"})

    return Route(path, page)


async def _screen(websocket: WebSocket) -> None:
    """Serve the screen of the `run` of the query or, without one, the runs at work."""
    run = websocket.query_params.get("run", "")
    if run and not _RUN.fullmatch(run):  # `lfg attach` takes other words as a host or an option
        await websocket.accept()  # a browser is shown the reason only of an accepted one
        await websocket.close(1008, "no run of that name")
        return
    await show(websocket, attach_command(run))
