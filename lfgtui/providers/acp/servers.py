"""The ticket's MCP servers, which an agent starts itself, as a session gets them.

All agents take programs, but only some take addresses
(agentclientprotocol.com/protocol/v1/session-setup).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lfgtui.errors import ProviderError, UsageError
from lfgtui.providers.lenient_json import JsonObject, child
from lfgtui.settings.agents import program_files, program_path
from lfgtui.settings.credentials import server_variables
from lfgtui.settings.mcp import CHANGING_TO, McpServer


def session_servers(
    agent: str, servers: Mapping[str, McpServer], capabilities: JsonObject
) -> list[JsonObject]:
    """Return the servers for `session/new`; raises `ProviderError` if the agent cannot take one."""
    takes_addresses = child(capabilities, "mcpCapabilities").get("http") is True
    for name, server in servers.items():
        if server.url is not None and not takes_addresses:
            message = f"{agent} does not support MCP servers with a url; remove {name} from `mcp`"
            raise ProviderError("invalid_request", message)
    try:
        return [_entry(name, server) for name, server in servers.items()]
    except UsageError as error:
        raise ProviderError("invalid_request", str(error)) from None


def _entry(name: str, server: McpServer) -> JsonObject:
    given = server_variables(name, server)
    variables: list[object] = [{"name": key, "value": value} for key, value in given.items()]
    if server.url is not None:
        return {"type": "http", "name": name, "url": server.url, "headers": variables}
    program = program_path(server.command, given) or server.command[0]
    words = [program, *server.command[1:]]
    if server.cwd is not None:
        words = [*CHANGING_TO, server.cwd, *words]
    arguments: list[object] = [*words[1:]]
    return {"name": name, "command": words[0], "args": arguments, "env": variables}


def visible_files(servers: Mapping[str, McpServer]) -> Iterator[Path]:
    """Yield the files that an agent behind a wall has to see to start the servers."""
    for server in servers.values():
        yield from program_files(server.command, {}) if server.command else ()
