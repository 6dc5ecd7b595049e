"""A stream of events without content: `lfg doctor` measures how they arrive."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lfgtui import __version__
from lfgtui.server.http.events import HEADERS

EVENTS = 40

_REST = 0.025
"""Seconds between two events: together they take as long as a short answer."""


async def probe(_request: Request) -> Response:
    """Answer `GET /probe`."""
    return StreamingResponse(_events(), media_type="text/event-stream", headers=HEADERS)


async def _events() -> AsyncIterator[str]:
    for number in range(1, EVENTS + 1):
        yield f'data: {{"lfg": "{__version__}", "event": {number}, "of": {EVENTS}}}\n\n'
        await asyncio.sleep(_REST)
