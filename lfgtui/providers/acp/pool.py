"""The processes of one agent, one a ticket.

A process outlives its response for a while, so that a message to a ticket that has just ended
finds the agent as it was. After that the session is opened again by a new process.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from lfgtui.errors import ProviderError
from lfgtui.model.conversation import Session
from lfgtui.providers.acp.connection import Connection
from lfgtui.providers.acp.handshake import connect, open_session
from lfgtui.providers.base import Request
from lfgtui.settings.providers import ProviderConfig

LINGER = 60.0
"""Seconds that a process without a turn is kept: an agent takes some hundreds of megabytes."""


class Pool:
    """The processes of the agent of that name."""

    def __init__(self, name: str, config: ProviderConfig) -> None:
        self.name = name
        self.config = config
        self._idle: dict[str, tuple[Connection, asyncio.TimerHandle]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self, request: Request) -> tuple[Connection, Session | None]:
        """Return a connection with an open session, and which one it goes on in, None for a new.

        Raises `ProviderError`.
        """
        session, workspace = request.session, Path(request.workspace)
        connection, timer = self._idle.pop(request.ticket, (None, None))
        if connection is not None and timer is not None:
            timer.cancel()
            same = session is not None and session.session_id == connection.session_id
            if connection.is_usable and same:
                return connection, session
            self._end(connection)
        connection = await connect(self.name, self.config, workspace)
        try:
            opened = await open_session(
                self.name, self.config, connection, workspace, session, request.model
            )
        except BaseException:
            await connection.aclose()
            raise
        return connection, opened

    async def give_back(self, ticket: str, connection: Connection) -> None:
        """Take back a connection whose response is over; one that is of no more use is ended."""
        if not connection.is_usable:
            await connection.aclose()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(LINGER, self._end_idle, ticket)
        self._idle[ticket] = (connection, timer)

    async def aclose(self) -> None:
        """End all processes."""
        for ticket in list(self._idle):
            self._end_idle(ticket)
        if self._closing:
            await asyncio.wait(self._closing)

    def _end_idle(self, ticket: str) -> None:
        connection, timer = self._idle.pop(ticket)
        timer.cancel()
        self._end(connection)

    def _end(self, connection: Connection) -> None:
        async def close() -> None:
            with suppress(ProviderError):
                await connection.aclose()

        task = asyncio.create_task(close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
