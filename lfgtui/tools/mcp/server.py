"""A ticket's side of one MCP server: connected when needed; a tool that changes is withdrawn.

The description and schema of a tool that the ticket's model saw first are the ones that count: if
the server changes them later (a "rug pull"), the tool is no longer offered or called. So a call is
always to the tool that the model chose and the person approved.
"""

import asyncio
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, cast

from lfgtui.errors import LfgError, ToolError
from lfgtui.settings.credentials import server_variables
from lfgtui.settings.mcp import INSTALL, McpServer
from lfgtui.tools.mcp.definitions import Definition, listing_of, shown
from lfgtui.tools.mcp.programs import Surroundings

_CONNECT = "lfgtui.tools.mcp.connection:connect"
"""Resolved by `_connect`, as the module is slow to import."""

START_SECONDS = 60.0
"""Seconds that a server has to introduce itself; some are installed on their first start."""

OnProgress: TypeAlias = Callable[[float, float | None, str], None]
"""Takes the progress of a call, its total if that is known, and a message."""


class McpError(LfgError):
    """An MCP server that a ticket needs cannot be used."""


class Connected(Protocol):
    """A connected server: `connection.Connection`, which explains it and is imported late."""

    about: str

    @property
    def must_list(self) -> bool: ...

    @property
    def is_over(self) -> bool: ...

    async def tools(self) -> Sequence[Mapping[str, object]]: ...

    async def call(
        self, tool: str, arguments: dict[str, object], on_progress: OnProgress
    ) -> Mapping[str, object]: ...

    async def aclose(self) -> None: ...


class Server:
    """One server of a ticket; `surroundings` is called when it starts.

    `on_remark` gets remarks, e.g. on tools that are left out, and `on_change` a message about each
    tool that was changed. `tools` are the tools to offer, by lfg's names; `has_listed` is True once
    the list was read.
    """

    def __init__(
        self,
        name: str,
        settings: McpServer,
        surroundings: Callable[[], Surroundings],
        *,
        on_remark: Callable[[str], None] = lambda _: None,
        on_change: Callable[[str], None] = lambda _: None,
        patience: float = START_SECONDS,
    ) -> None:
        self.name = name
        self.tools: Mapping[str, Definition] = {}
        self.has_listed = False
        self._settings = settings
        self._surroundings = surroundings
        self._patience = patience
        self._on_remark, self._on_change = on_remark, on_change
        self._shown: dict[str, Definition] = {}
        """The tools as the model saw them first, by lfg's names."""
        self._changed: set[str] = set()
        """Those that the server has changed since."""
        self._connection: Connected | None = None
        self._connecting = asyncio.Lock()

    @property
    def about(self) -> str:
        """The server's name for itself, and its version."""
        return shown(self._connection.about) if self._connection is not None else ""

    async def refresh(self) -> None:
        """Connect, and read the list of tools, if that is due; raises `McpError`."""
        async with self._connecting:
            connection = await self._connected()
            if connection.must_list:
                try:
                    self._take(await connection.tools())
                except ToolError as error:
                    raise McpError(f"the MCP server {error}") from None

    async def definition(self, name: str) -> Definition:
        """Return a tool as it was first shown; raises `ToolError` if it has changed."""
        try:
            await self.refresh()
        except McpError as error:
            raise ToolError(str(error)) from None
        if name in self._changed:
            raise ToolError(_changed(self.name, self._shown[name]))
        if name not in self.tools:
            raise ToolError(f"{self.name} no longer has a tool {shown(name)}")
        return self.tools[name]

    async def call(
        self, tool: Definition, arguments: dict[str, object], on_progress: OnProgress
    ) -> Mapping[str, object]:
        """Return the result; raises `ToolError`. `tool` is one that `definition` returned."""
        assert self._connection is not None
        return await self._connection.call(tool.title, arguments, on_progress)

    async def aclose(self) -> None:
        """End the server. If it is used again, its tools count as new ones."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._shown.clear()
            self._changed.clear()
            self.has_listed = False
            await connection.aclose()

    async def _connected(self) -> Connected:
        """Return the connection, made anew if there is none or it has ended."""
        if self._connection is not None:
            if not self._connection.is_over:
                return self._connection
            connection, self._connection = self._connection, None
            await connection.aclose()
        self._on_remark(f"connecting to the MCP server {self.name}")
        variables = server_variables(self.name, self._settings)
        connect = await asyncio.to_thread(_connect)
        self._connection = await connect(
            self.name, self._settings, variables, self._surroundings(), self._patience
        )
        return self._connection

    def _take(self, listed: Sequence[Mapping[str, object]]) -> None:
        """Take a list of tools; withdraw those that differ from what was shown first."""
        listing = listing_of(self.name, listed, self._settings.tools)
        for name, tool in listing.tools.items():
            if self._shown.setdefault(name, tool).digest != tool.digest:
                if name not in self._changed:
                    self._on_change(_changed(self.name, tool))
                self._changed.add(name)
        if not self.has_listed:
            for remark in listing.remarks:
                self._on_remark(remark)
        self.has_listed = True
        kept = listing.tools.items()
        self.tools = {name: tool for name, tool in kept if name not in self._changed}


def _changed(server: str, tool: Definition) -> str:
    return (
        f"{server} has changed its tool {shown(tool.title)} since it was first shown;"
        " lfg no longer calls it"
    )


_Connect: TypeAlias = Callable[
    [str, McpServer, Mapping[str, str], Surroundings, float], Awaitable[Connected]
]


def _connect() -> _Connect:
    try:
        return cast(_Connect, pkgutil.resolve_name(_CONNECT))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise McpError(f"MCP servers need a package that is not installed: {INSTALL}") from None
