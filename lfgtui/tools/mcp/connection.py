"""A connection to an MCP server, by the official package: `pip install 'lfgtui[mcp]'`.

This module takes as long to import as an SDK, so `server` imports it by name when the first ticket
needs a server. The package refuses servers' requests for a model's answer (sampling) or a person's
(elicitation), since it gets no handler for them; the roots are the workspace.
"""

import asyncio
import logging
from asyncio import Event, Future
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx2
from jsonschema import Draft202012Validator
from mcp import Client, MCPError
from mcp.client import ClientRequestContext, IncomingMessage, Transport
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    REQUEST_TIMEOUT,
    Implementation,
    ListRootsResult,
    PaginatedRequestParams,
    Root,
    ToolListChangedNotification,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import FileUrl

from lfgtui import __version__
from lfgtui.errors import ToolError
from lfgtui.processes.child import ChildProcess, StartError, start_child
from lfgtui.processes.waiting import finish
from lfgtui.settings.mcp import McpServer
from lfgtui.tools.limits import one_line
from lfgtui.tools.mcp.definitions import shown
from lfgtui.tools.mcp.programs import Surroundings, program_of
from lfgtui.tools.mcp.server import McpError, OnProgress
from lfgtui.tools.mcp.transport import LARGEST_MESSAGE, LIMITS, Pipes, http_client

_GRACE = 0.5
"""Seconds for a goodbye, and as many again for the program to end by itself."""

_UNREAD = "Failed to parse JSON response: "
"""The package's words before the reason why a body was not read."""

_MOST_PAGES = 20
"""Most pages that are read of a server's list of tools."""

_MOST_ROUNDS = 3
"""Most times that the package answers one request's questions, about roots for example."""

for _name in ("mcp", "client"):  # the package's loggers; unhandled, they print on the terminal
    logging.getLogger(_name).addHandler(logging.NullHandler())

# The package checks results with it; without this, its files would be read during the first call.
Draft202012Validator.check_schema({})


async def connect(
    name: str,
    server: McpServer,
    variables: Mapping[str, str],
    surroundings: Surroundings,
    patience: float,
) -> "Connection":
    """Return the connection once the server has introduced itself.

    Raises `McpError` if it has not done so within `patience` seconds. The `variables` are the
    headers for a server with an address, otherwise a part of its environment.
    """
    workspace = Path(surroundings.workspace)
    if server.url is not None:
        client = await asyncio.to_thread(http_client, variables)
        address = streamable_http_client(
            server.url, http_client=client, max_sse_event_size=LARGEST_MESSAGE
        )
        connection = Connection(name, server, workspace, address, http=client)
    else:
        program = await asyncio.to_thread(program_of, server, variables, surroundings)
        given = (program.command, program.folder, program.environment)
        try:
            child = await start_child(*given, LIMITS, program.confinement)
        except StartError as error:
            raise McpError(f"the MCP server {name} cannot be started: {error}") from None
        pipes = Pipes(child)
        connection = Connection(name, server, workspace, pipes.streams(), child=child, pipes=pipes)
    try:
        await connection.begin(patience)
    except BaseException:
        await connection.aclose()
        raise
    return connection


class Connection:
    """A conversation with one server, in a task of its own, as the package requires.

    `begin` it first, `aclose` it in the end. `about` is the server's name for itself, with its
    version; escape it before showing it. `must_list` is True when the server's list of tools may
    have changed since `tools` was called.
    """

    def __init__(
        self,
        name: str,
        server: McpServer,
        workspace: Path,
        transport: Transport,
        *,
        child: ChildProcess | None = None,
        pipes: Pipes | None = None,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self.about = ""
        self._name, self._server, self._workspace = name, server, workspace
        self._child, self._pipes, self._http = child, pipes, http
        self._has_changed = True
        self._announces_changes = True
        self._ready: Future[None] = asyncio.get_running_loop().create_future()
        self._closing = Event()
        self._client = Client(
            transport,
            cache=None,
            client_info=Implementation(name="lfg", version=__version__),
            list_roots_callback=self._roots,
            message_handler=self._noted,
            input_required_max_rounds=_MOST_ROUNDS,
        )
        self._task = asyncio.create_task(self._run(), name=f"mcp {name}")

    @property
    def must_list(self) -> bool:
        return self._has_changed or not self._announces_changes

    @property
    def is_over(self) -> bool:
        """True once the conversation has ended."""
        return self._task.done() or (self._pipes is not None and self._pipes.is_over)

    async def begin(self, patience: float) -> None:
        """Wait until the server takes requests; raises `McpError`."""
        await asyncio.wait(
            {self._task, self._ready}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        if self._ready.done():
            return
        if not self.is_over:
            reason = f"no answer within {patience:g} s"
        else:
            await self._ended()
            reason = self._fault() or one_line(_innermost(self._task.exception()))
        raise McpError(f"the MCP server {self._name} cannot be used: {reason}{self._last_words()}")

    async def tools(self) -> Sequence[Mapping[str, object]]:
        """Return the server's list of tools, as in JSON; raises `ToolError`."""
        self._has_changed = False
        listed: list[Mapping[str, object]] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            params = PaginatedRequestParams(cursor=cursor)
            try:
                async with asyncio.timeout(self._server.timeout):
                    page = await self._client.session.list_tools(params=params)
            except Exception as error:
                raise await self._failure("tools/list", error) from None
            listed += [
                tool.model_dump(mode="json", by_alias=True, exclude_none=True)
                for tool in page.tools
            ]
            if (cursor := page.next_cursor) is None:
                break
        return listed

    async def call(
        self, tool: str, arguments: dict[str, object], on_progress: OnProgress
    ) -> Mapping[str, object]:
        """Return the tool's result, as in JSON; raises `ToolError`.

        If the call is cancelled or times out, the server is sent a cancellation.
        """

        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            on_progress(progress, total, message or "")

        seconds = self._server.timeout
        try:
            result = await self._client.call_tool(
                tool, arguments, read_timeout_seconds=seconds, progress_callback=progressed
            )
        except Exception as error:
            raise await self._failure(tool, error) from None
        dumped: Mapping[str, object] = result.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        return dumped

    async def aclose(self) -> None:
        """End the conversation, and the program with all that it started."""
        await finish(self._close())

    async def _close(self) -> None:
        self._closing.set()
        done, _ = await asyncio.wait({self._task}, timeout=_GRACE if self._ready.done() else 0)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # whoever asked got this error already
        if self._child is not None:
            await self._child.terminate(_GRACE)
        if self._http is not None:
            await self._http.aclose()

    async def _ended(self) -> None:
        """Wait a moment for the program's exit, so that a message can say how it ended.

        The exit is known a little after the last output.
        """
        await asyncio.wait({self._task}, timeout=0 if self._ready.done() else _GRACE)
        if self._child is not None and not self._fault():
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await self._child.wait()

    async def _run(self) -> None:
        """Hold the conversation until `_closing`: the package wants one task to enter and leave."""
        async with self._client as client:
            info, version = client.server_info, client.protocol_version
            self.about = "" if info is None else f"{info.name} {info.version}"
            self._announces_changes = version in HANDSHAKE_PROTOCOL_VERSIONS
            self._ready.set_result(None)
            await self._closing.wait()

    async def _roots(self, context: ClientRequestContext) -> ListRootsResult:
        return ListRootsResult(
            roots=[Root(uri=FileUrl(self._workspace.as_uri()), name=self._workspace.name)]
        )

    async def _noted(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._has_changed = True

    async def _failure(self, asked: str, error: Exception) -> ToolError:
        """Return the error for the model; `asked` is the tool or request that failed."""
        if self.is_over:
            await self._ended()
            fault = self._fault() or "the connection has ended"
            return ToolError(one_line(f"{self._name}: {fault}{self._last_words()}"))
        timed_out = isinstance(error, TimeoutError)
        if timed_out or (isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT):
            seconds = f"{self._server.timeout:g} s"
            reason = f"no answer to {asked} within {seconds}; it was cancelled"
            return ToolError(one_line(f"{self._name}: {reason}"))
        return ToolError(one_line(f"{self._name}: {_innermost(error)}"))

    def _fault(self) -> str:
        """Return why the program's conversation ended; "" if that is not known, or not so."""
        if self._pipes is not None and self._pipes.fault:
            return self._pipes.fault
        if self._child is not None and self._child.ending:
            return f"it has ended ({self._child.ending})"
        return ""

    def _last_words(self) -> str:
        """Return the program's last line on standard error, as the end of a message."""
        lines = self._child.stderr.strip().splitlines() if self._child is not None else []
        return f"; it printed: {shown(lines[-1].strip())}" if lines else ""


def _innermost(error: BaseException | None) -> str:
    """Return the message of the first error: the package's tasks put it into groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).removeprefix(_UNREAD) or type(error).__name__
