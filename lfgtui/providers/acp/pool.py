"""The processes of one agent, one for each ticket.

A process may be prepared before its ticket begins, so that nobody waits for its start. And it is
kept for a while after its response, so that a message to a ticket that has just ended reaches the
same agent; later a new process opens the session again.
"""

import asyncio
from asyncio import Task
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import ProviderError
from lfgtui.model.fold.conversation import Session
from lfgtui.processes.agents import AgentProcess, AgentProcesses
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.acp.connection import Connection
from lfgtui.providers.acp.handshake import connect, open_session
from lfgtui.providers.acp.prompts import last_asked
from lfgtui.providers.base import Request
from lfgtui.providers.transport.pace import Pace
from lfgtui.settings.mcp import NO_SERVERS, McpServer
from lfgtui.settings.providers import ProviderConfig

LINGER = 60.0
"""Seconds that an idle process is kept: an agent takes some hundreds of megabytes."""

PREPARED = 300.0
"""Seconds that a process is kept for a ticket that has not begun."""


class _Opened(NamedTuple):
    """An agent with an open session; `session` is the earlier one that it continues, or None."""

    connection: Connection
    process: AgentProcess
    session: Session | None


class _Spare(NamedTuple):
    """An idle agent. `request` is the one it was prepared for, None after a turn."""

    opened: _Opened
    request: Request | None
    timer: asyncio.TimerHandle


class Pool:
    """The processes of the named agent, which are also counted in `processes`.

    `servers` are all MCP servers of the config. A stream calls `take`, and `give_back` once it has
    ended; it also reads `name`, `config`, and `pace`, by which the output of all is read.
    """

    def __init__(
        self,
        name: str,
        config: ProviderConfig,
        processes: AgentProcesses,
        servers: Mapping[str, McpServer] = NO_SERVERS,
    ) -> None:
        self.name = name
        self.config = config
        self._servers = servers
        self.pace = Pace()
        self._processes = processes
        self._spare: dict[str, _Spare] = {}  # by ticket
        self._preparing: dict[str, Task[None]] = {}  # by ticket
        self._taken: dict[Connection, AgentProcess] = {}
        self._closing: set[Task[None]] = set()

    async def take(self, request: Request) -> tuple[Connection, Session | None]:
        """Return a connection with an open session, and the earlier session it continues, or None.

        Raises `ProviderError`.
        """
        opened = await self._prepared(request)
        if opened is None:
            process = self._processes.begin(self.name, request.ticket)
            opened = await self._open(request, process)
        self._taken[opened.connection] = opened.process
        return opened.connection, opened.session

    async def give_back(self, ticket: str, connection: Connection) -> None:
        """Take back a connection whose response is over; end it if it cannot be used again."""
        process = self._taken.pop(connection)
        if not connection.is_usable:
            await self._close(connection, process)
            return
        await self._processes.answered(process)
        self._keep(ticket, _Opened(connection, process, None), None)

    def prepare(self, request: Request) -> None:
        """Start an agent and open its session. See `base.Prepares`."""
        ticket = request.ticket
        if ticket not in self._spare and ticket not in self._preparing:
            process = self._processes.begin(self.name, ticket)
            task = asyncio.create_task(self._prepare(request, process))
            process.spare(task.cancel)
            self._preparing[ticket] = task
            task.add_done_callback(partial(self._is_prepared, process))

    async def aclose(self) -> None:
        """End all processes; streams have to be closed before."""
        for task in self._preparing.values():
            task.cancel()
        if self._preparing:
            await asyncio.wait(self._preparing.values())
        for ticket in list(self._spare):
            self._end_spare(ticket)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _prepared(self, request: Request) -> _Opened | None:
        """Return the ticket's agent, if one is prepared that fits the request."""
        if (task := self._preparing.get(request.ticket)) is not None:
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                task.cancel()
                raise
        spare = self._spare.pop(request.ticket, None)
        if spare is None:
            return None
        spare.timer.cancel()
        opened, prepared_for = spare.opened, spare.request
        connection, session = opened.connection, request.session
        if prepared_for is None:
            fits = session is not None and session.session_id == connection.session_id
            opened = opened._replace(session=session)
        else:
            fits = _needs(prepared_for) == _needs(request)
        if not (fits and connection.is_usable):
            self._end(opened)
            return None
        opened.process.spare(None)
        return opened

    async def _prepare(self, request: Request, process: AgentProcess) -> None:
        with suppress(ProviderError):  # the ticket's own request will meet it and report it
            opened = await self._open(request, process)
            self._keep(request.ticket, opened, request)

    async def _open(self, request: Request, process: AgentProcess) -> _Opened:
        """Start the agent and open its session; raises `ProviderError`."""
        workspace = Path(request.workspace)
        servers = {name: self._servers[name] for name in request.mcp if name in self._servers}
        place = (workspace, request.confinement, servers)
        try:
            connection = await connect(self.name, self.config, *place)
        except BaseException:
            self._processes.gone(process)
            raise
        process.root = connection.child.root
        try:
            session = await open_session(
                self.name, self.config, connection, workspace, request.session, request.model,
                last_asked(request), servers,
            )  # fmt: skip
        except BaseException:
            await self._close(connection, process)
            raise
        return _Opened(connection, process, session)

    def _is_prepared(self, process: AgentProcess, task: Task[None]) -> None:
        """Note that a task of `prepare` has ended."""
        del self._preparing[process.ticket]
        if task.cancelled():
            self._processes.gone(process)  # even if the task had not begun

    def _keep(self, ticket: str, opened: _Opened, request: Request | None) -> None:
        """Keep an idle agent for its ticket; `request` is what it is prepared for, if it is."""
        seconds = LINGER if request is None else PREPARED
        timer = asyncio.get_running_loop().call_later(seconds, self._end_spare, ticket)
        self._spare[ticket] = _Spare(opened, request, timer)
        opened.process.spare(lambda: self._end_spare(ticket))

    def _end_spare(self, ticket: str) -> None:
        spare = self._spare.pop(ticket)
        spare.timer.cancel()
        self._end(spare.opened)

    def _end(self, opened: _Opened) -> None:
        opened.process.is_ending = True
        task = asyncio.create_task(self._close(opened.connection, opened.process))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, connection: Connection, process: AgentProcess) -> None:
        try:
            with suppress(ProviderError):
                await connection.aclose()
        finally:
            self._processes.gone(process)


def _needs(request: Request) -> tuple[Session | None, str, str, Confinement]:
    """Return what has to be the same in the request that an agent was prepared for."""
    return request.session, request.model, request.workspace, request.confinement
