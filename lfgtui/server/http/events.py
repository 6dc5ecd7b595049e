"""A run's entries as Server-Sent Events: `GET /runs/{run}/events`.

https://html.spec.whatwg.org/multipage/server-sent-events.html. The `id` of an event is its place
in the run, so a client that reconnects with the newest id gets the rest, each entry once: stored
ones from the history, and only new ones from the run. A slow reader is waited for here, at no cost
to the run; one that reads nothing for a minute is dropped (`connections`).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from lfgtui.errors import LfgError, NotFoundError, UsageError, did_you_mean
from lfgtui.model.event_json import EVENTS
from lfgtui.model.events import place_at
from lfgtui.processes.waiting import to_their_end, until_one_ends
from lfgtui.server.control.address import person
from lfgtui.server.control.client import BrokenError
from lfgtui.server.control.messages import Frame
from lfgtui.server.control.watching import Watching, watch
from lfgtui.server.http.found import read, run_named, whole_number

HEARTBEAT = 10.0
"""Seconds between comments that keep a connection alive; proxies cut a silent one after 60."""

_RETRY = 1000
"""Milliseconds after which a browser that was cut off connects again."""

FURTHEST = 1 << 62
"""The highest place that a run can have."""

HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    # Otherwise nginx keeps events back until its buffer is full.
    "X-Accel-Buffering": "no",
}
"""Headers of every stream of events; `probe` sends them, too."""

_TYPES = frozenset(str(event.__struct_config__.tag) for event in EVENTS)


class _EntryHead(msgspec.Struct):
    """The fields of an entry that decide if it is sent, and its time, which gives its place."""

    ticket: str
    at: float
    type: str


_head_decoder = msgspec.json.Decoder(_EntryHead)


class _Filter(msgspec.Struct, frozen=True):
    """The wanted tickets and types of event; all if none is named."""

    tickets: frozenset[str]
    types: frozenset[str]

    def wants(self, entry: _EntryHead) -> bool:
        return (not self.tickets or entry.ticket in self.tickets) and (
            not self.types or entry.type in self.types
        )


class _Events(StreamingResponse):
    """A response that closes its generator and leaves the run when it ends, whoever ends it."""

    def __init__(self, watching: Watching, wanted: _Filter) -> None:
        self._watching = watching
        self._blocks = _blocks(watching, wanted)
        super().__init__(self._blocks, media_type="text/event-stream", headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def streaming() -> None:
            async with aclosing(self._blocks):
                await self.stream_response(send)

        try:
            # Starlette would use a scope of anyio: once it is cancelled, closing cannot be awaited.
            await until_one_ends(streaming(), self.listen_for_disconnect(receive))
        finally:
            self._watching.close()


async def events(request: Request) -> Response:
    """Answer `GET /runs/{run}/events`."""
    run = await run_named(request.path_params["run"])
    wanted, after = _filter(request), _after(request)
    try:
        watching = await watch(run, after, person())
    except BrokenError as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from None
    except NotFoundError as error:  # deleted since it was found
        raise HTTPException(404, str(error)) from None
    except UsageError as error:
        raise HTTPException(502, str(error)) from None
    if not watching.hello.pid and after and after >= await read(lambda r: r.last_place(run)):
        return Response(status_code=204)  # tells a browser not to connect again
    return _Events(watching, wanted)


async def _blocks(watching: Watching, wanted: _Filter) -> AsyncGenerator[str, None]:
    """Yield blocks of the stream until the run's process ends or the connection to it breaks."""
    yield f"retry: {_RETRY}\n\n"
    place = watching.place
    frames = watching.frames()
    coming: asyncio.Task[Frame] | None = None
    clock = asyncio.get_running_loop().time
    due = clock() + HEARTBEAT
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(frames))
            done, _ = await asyncio.wait({coming}, timeout=max(0.0, due - clock()))
            # Also while frames come all the time, of which the filter wants nothing.
            if clock() >= due:
                # Thanks to the id, a browser that reconnects need not skip unwanted entries again.
                yield f": alive\nid: {place}\n\n"
                due = clock() + HEARTBEAT
            if not done:
                continue
            frame, coming = coming.result(), None
            place = frame.place or place
            if blocks := "".join(_wanted_blocks(frame, wanted)):
                yield blocks
                due = clock() + HEARTBEAT
            if frame.has_ended:
                yield f"id: {place}\nevent: end\ndata: {{}}\n\n"
                return
    except LfgError:  # the run cannot be read just now: the client reconnects with its last id
        return
    finally:
        if coming is not None:
            coming.cancel()
            await to_their_end(coming)
        await frames.aclose()


def _wanted_blocks(frame: Frame, wanted: _Filter) -> list[str]:
    blocks = []
    for raw in frame.entries:
        text = bytes(raw)
        head = _head_decoder.decode(text)
        if wanted.wants(head):
            blocks.append(f"id: {place_at(head.at)}\ndata: {text.decode()}\n\n")
    return blocks


def _after(request: Request) -> int:
    """Return the place to begin after: of `Last-Event-ID`, which wins, or of `after=`."""
    last_id = request.headers.get("last-event-id", "")
    if last_id.isascii() and last_id.isdigit():
        return min(int(last_id[:20]), FURTHEST)
    return whole_number(request, "after", 0, FURTHEST)


def _filter(request: Request) -> _Filter:
    """Return the filter of `ticket=` and `type=`, each given any number of times; raises 400."""
    types = request.query_params.getlist("type")
    for name in types:
        if name not in _TYPES:
            raise HTTPException(400, f'no event type "{name}"{did_you_mean(name, _TYPES)}')
    return _Filter(frozenset(request.query_params.getlist("ticket")), frozenset(types))
