"""The tools of a ticket's MCP servers, as a `Toolbox` (`tools/toolbox.py`)."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from lfgtui.errors import ToolError, did_you_mean
from lfgtui.model.call_summary import call_summary
from lfgtui.model.events import ToolArguments
from lfgtui.model.ticket_keys.approvals import server_prefix
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools.arguments import Tool
from lfgtui.tools.command import OnOutput
from lfgtui.tools.limits import HeadAndTail, ToolLimits, ToolOutcome, cut_line, one_line, sendable
from lfgtui.tools.mcp.definitions import Definition, shown
from lfgtui.tools.mcp.server import McpError, Server
from lfgtui.tools.preview import Preview

_LIMITS = ToolLimits()
_LONGEST_PROGRESS = 400  # characters of a server's message
_FAILED = "the tool reported an error"  # where a server gives no text


class McpTools:
    """The tools of all servers that a ticket names. `Toolbox` describes the methods.

    Servers are connected when their tools are first asked for, also after `aclose`. `run` ignores
    `approved`: the previews here have no version.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers: Mapping[str, Server] = {server_prefix(one.name): one for one in servers}

    async def offered(self) -> Sequence[Tool]:
        """Return the tools; raises `McpError` if a server cannot be connected the first time.

        If a server is lost later, its tools stay, and calls to them fail.
        """
        servers = list(self._servers.values())
        refreshing = (server.refresh() for server in servers)
        ended = await asyncio.gather(*refreshing, return_exceptions=True)
        for server, fault in zip(servers, ended, strict=True):
            if fault is not None and not (server.has_listed and isinstance(fault, McpError)):
                raise fault
        return [tool for server in servers for tool in server.tools.values()]

    def owns(self, name: str) -> bool:
        # "mcp__": a call to a server that the ticket does not name is to fail here, in `_tool`.
        return name.startswith(server_prefix("")[:-2])

    def offers(self, name: str) -> bool:
        server = self._of(name)
        return server is not None and name in server.tools

    def is_well_formed(self, name: str, arguments: ToolArguments) -> bool:
        return isinstance(arguments, dict) or not arguments.strip()

    async def preview(self, name: str, arguments: ToolArguments) -> Preview:
        server, tool = await self._tool(name)
        line = f"{server.name}: {shown(tool.title)} {call_summary(arguments)}".rstrip()
        return Preview(cut_line(line, 600), definition=tool.digest)

    async def run(
        self, name: str, arguments: ToolArguments, approved: str, on_output: OnOutput
    ) -> ToolOutcome:
        progress = _Progress(on_output)
        try:
            if isinstance(arguments, str) and arguments.strip():
                raise ToolError(f"{name}: the arguments are not a JSON object")
            server, tool = await self._tool(name)
            given = arguments if isinstance(arguments, dict) else {}
            result = await server.call(tool, given, progress.show)
        except ToolError as error:
            line = one_line(str(error))
            return ToolOutcome(line, line)
        return _outcome_of(result, _LIMITS.output_characters)

    async def aclose(self) -> None:
        """End all servers."""
        await asyncio.gather(*(server.aclose() for server in self._servers.values()))

    def _of(self, name: str) -> Server | None:
        servers = self._servers.items()
        return next((server for prefix, server in servers if name.startswith(prefix)), None)

    async def _tool(self, name: str) -> tuple[Server, Definition]:
        if (server := self._of(name)) is None:
            known = [tool for one in self._servers.values() for tool in one.tools]
            raise ToolError(f'there is no tool "{shown(name)}"{did_you_mean(name, known)}')
        return server, await server.definition(name)


class _Progress:
    """The progress of a call as live output, up to a bound."""

    def __init__(self, on_output: OnOutput) -> None:
        self._left = _LIMITS.live_characters
        self._on_output = on_output

    def show(self, progress: float, total: float | None, message: str) -> None:
        figures = f"{progress:g}" if total is None else f"{progress:g} of {total:g}"
        words = cut_line(escaped(message), _LONGEST_PROGRESS)
        line = ": ".join(filter(None, (figures, words))) + "\n"
        self._left -= len(line)
        self._on_output("stdout", line if self._left >= 0 else "")


def _outcome_of(result: Mapping[str, object], most_characters: int) -> ToolOutcome:
    """Return the outcome of a `CallToolResult`, given as in JSON.

    It is text. Pictures, sounds and other bytes become a remark with their size: not every wire
    takes them in the result of a call. Structured content counts only without text, since servers
    repeat it as text.
    """
    content = result.get("content")
    blocks = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    structured = result.get("structuredContent")
    parts = [_in_words(block) for block in blocks]
    if structured is not None and not any(block.get("type") == "text" for block in blocks):
        parts.append(msgspec.json.encode(structured).decode())
    kept = HeadAndTail(most_characters)
    for place, part in enumerate(parts):
        kept.add(f"\n{part}" if place else part)
    output = sendable(str(kept))
    if result.get("isError") is not True:
        return ToolOutcome(output)
    return ToolOutcome(output or _FAILED, one_line(output) or _FAILED)


def _in_words(block: Mapping[str, object]) -> str:
    """Return a content block of a result as text."""
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "resource", "resource": {"text": str(text), "uri": str(uri)}}:
            return f"[resource {shown(uri)}]\n{text}"
        case {"type": "resource", "resource": {"blob": str(data), "uri": str(uri)}}:
            return f"[resource {shown(uri)}, {_size(data)}; not shown]"
        case {"type": "resource_link", "uri": str(uri)}:
            return f"[link to the resource {shown(uri)}]"
        case {"type": str(kind), "data": str(data), "mimeType": str(mime)}:
            return f"[{shown(kind)} {shown(mime)}, {_size(data)}; not shown]"
        case {"type": str(kind)}:
            return f"[{shown(kind)}; not shown]"
        case _:
            return "[content of no known kind]"


def _size(base64: str) -> str:
    return f"{len(base64.rstrip('=')) * 3 // 4:,} bytes"
