"""The run's side of its socket, in the process that works on the run.

A client sends one request and gets its `Reply`, or stays as a viewer (`messages`). Only the owner's
processes, and root's, are served.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import msgspec

from lfgtui import __version__
from lfgtui.engine.engine import Engine
from lfgtui.errors import HistoryError
from lfgtui.model.clock import now
from lfgtui.model.tickets import Ticket
from lfgtui.server.control import address
from lfgtui.server.control.answers import Answers, Check
from lfgtui.server.control.feed import Feed, Viewer, raw_tickets
from lfgtui.server.control.messages import (
    LONGEST,
    PROTOCOL,
    Frame,
    Hello,
    Reply,
    Watch,
    line,
    number_of,
    request_decoder,
    sender_of,
    viewer_decoder,
)
from lfgtui.settings.config import Config, routes_of
from lfgtui.settings.providers import SIMULATED

_LAST_WORDS = 0.5
"""Seconds that viewers have to read the rest when the run ends; the history has it, too."""

_NEWS = 1.0
"""Seconds between two looks at the run's status, for changes that no entry announces."""

HEARTBEAT = 5
"""Looks after which viewers get the status even if unchanged: a sign that the run is alive.

`remote_run.SILENCE` has to be longer.
"""

_GONE: tuple[type[Exception], ...] = (OSError, ValueError, asyncio.IncompleteReadError)
"""Errors of a client that left, or that sends too long a line."""


@asynccontextmanager
async def listening(engine: Engine, check: Check) -> AsyncIterator[None]:
    """Take requests and viewers while the body runs; do nothing if a socket is impossible.

    `check` checks tickets that are to be added.
    """
    listener = _Listener(engine, check)
    path = address.socket_path(engine.run)
    server = None
    try:
        await asyncio.to_thread(address.prepare, path)
        with address.short_address(path) as short:
            server = await asyncio.start_unix_server(listener.serve, short, limit=LONGEST)
            await asyncio.to_thread(path.chmod, 0o600)
    except OSError:  # a file system without sockets: the run goes on without
        pass
    telling = asyncio.create_task(listener.tell())
    try:
        yield
    finally:
        telling.cancel()
        if server is not None:
            server.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)
        await listener.close()


class _Listener:
    """The clients of one run, each served by a task; `_viewing` are those of viewers."""

    def __init__(self, engine: Engine, check: Check) -> None:
        self._engine = engine
        self._answers = Answers(engine, check)
        self._feed = Feed(engine)
        self._serving: set[asyncio.Task[object]] = set()
        self._viewing: set[asyncio.Task[object]] = set()

    async def tell(self) -> None:
        """Send viewers the status whenever it has changed, and now and then if it has not."""
        looks = 0
        while True:
            await asyncio.sleep(_NEWS)
            looks += 1
            self._feed.tell_news(is_due=looks % HEARTBEAT == 0)

    async def close(self) -> None:
        """Let viewers read to the end for a moment, then drop all clients."""
        self._feed.end()
        if self._viewing:
            await asyncio.wait(self._viewing, timeout=_LAST_WORDS)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        with _noted(self._serving):
            try:
                with suppress(*_GONE):
                    if address.is_owner(writer.get_extra_info("socket")):
                        await self._serve(await reader.readline(), reader, writer)
                    writer.close()
                    await writer.wait_closed()
            finally:
                writer.transport.abort()

    async def _serve(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the `first` line of a client, or show it the run."""
        try:
            request = request_decoder.decode(first)
        except msgspec.MsgspecError as error:
            writer.write(line(Reply(f"not a request: {error}")))
            await writer.drain()
            return
        if isinstance(request, Watch):
            with _noted(self._viewing):
                await self._show(request.viewer, reader, writer)
            return
        reply = await self._settled(self._answers.reply_to(request, sender_of(first)))
        writer.write(line(reply))
        await writer.drain()

    async def _settled(self, reply: Reply) -> Reply:
        """Return the reply once its effect is saved, or with the reason why it cannot be."""
        with suppress(HistoryError):  # the history has been closed: the run is ending
            await self._engine.settle()
        behind = self._engine.health.behind
        unsaved = "" if behind is None or behind.is_saved else behind.reason
        return msgspec.structs.replace(reply, unsaved=unsaved)

    # Viewers

    async def _show(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Show the run to the viewer called `name` until it leaves or the run ends."""
        viewer = self._feed.join()
        writer.write(line(self._hello()))
        tasks = {
            asyncio.create_task(viewer.write_to(writer)),
            asyncio.create_task(self._obey(viewer, name, reader)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.viewers.discard(viewer)
            self._engine.watch((), viewer)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hello(self) -> Hello:
        engine = self._engine
        return Hello(
            PROTOCOL,
            __version__,
            engine.run,
            engine.title,
            os.getpid(),
            now(),
            self._feed.place,
            str(engine.recorder.file.path),
            raw_tickets(engine.tickets),
            self._feed.status(),
            is_simulated=any(_is_simulated(engine.config, one) for one in engine.tickets),
        )

    async def _obey(self, viewer: Viewer, name: str, reader: asyncio.StreamReader) -> None:
        """Carry out the viewer's commands, one after the other, until it leaves."""
        while sent := await reader.readline():
            try:
                message = viewer_decoder.decode(sent)
            except msgspec.MsgspecError as error:
                await viewer.answer(line(Frame(answer=number_of(sent), error=f"unknown: {error}")))
                continue
            if message.in_view is not None:
                self._engine.watch(message.in_view, viewer)
            if message.command is not None:
                reply = await self._settled(self._answers.carry_out(message.command, name))
                await viewer.answer(line(Frame(answer=message.id, error=reply.error)))


def _is_simulated(config: Config, ticket: Ticket) -> bool:
    return any(route.provider in SIMULATED for route in routes_of(config, ticket))


@contextmanager
def _noted(tasks: set[asyncio.Task[object]]) -> Iterator[None]:
    """Keep the current task in `tasks` during the body."""
    task = asyncio.current_task()
    assert task is not None
    tasks.add(task)
    try:
        yield
    finally:
        tasks.discard(task)
