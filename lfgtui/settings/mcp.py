"""MCP servers as configured: programs that lfg starts, or addresses, with tools for tickets."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from lfgtui.model.ticket_keys.on_end import is_address
from lfgtui.settings.providers import Seconds

INSTALL = "pip install 'lfgtui[mcp]'"
"""The command that installs the package `mcp`, an extra."""

CHANGING_TO = ("/bin/sh", "-c", 'cd "$0" && exec "$@"')
"""A command to put before a folder and a program, if there is no other way to set the folder."""

_NAME = r"(?!.*__)[A-Za-z0-9][A-Za-z0-9_-]{0,23}(?<!_)"
"""A server's name, as `my-server`. It is part of its tools' names (`tools/mcp/definitions.py`),
which may have 64 characters; so it is short, and has no "__"."""

# Fields that only servers with a `command`, and only those with a `url`, may have.
_OF_PROGRAMS, _OF_ADDRESSES = ("env", "cwd", "network", "writable"), ("headers",)


class McpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server of tools: a program (`command`) that speaks over its pipes, or a `url`.

    `${VAR}` in `env` and `headers` is taken from the environment. `timeout` is for a call, in
    seconds. A program's sandbox is that of the ticket's commands; `network` and `writable` folders
    are added. `tools` are the tools that tickets get, by the server's own names, None for all.
    """

    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str | None = None
    network: bool = False
    writable: tuple[str, ...] = ()
    url: str | None = None
    headers: dict[str, str] = {}
    timeout: Seconds = 120.0
    tools: tuple[str, ...] | None = None


NO_SERVERS: Mapping[str, McpServer] = MappingProxyType({})  # a default for parameters


def server_misfits(name: str, server: McpServer) -> Iterator[tuple[str, str]]:
    """Yield mistakes that the types do not find: the field, "" for the table, and the reason."""
    if not re.fullmatch(_NAME, name):
        yield "", f'MCP server "{name}": a name has up to 24 letters, digits, "-" and single "_"'
    if bool(server.command) == (server.url is not None):
        has = "both" if server.url is not None else "neither"
        yield "", f'MCP server "{name}" has {has} "command" and "url"; give it one of them'
        return
    kind, other = ("command", "url") if server.command else ("url", "command")
    for field in _OF_ADDRESSES if server.command else _OF_PROGRAMS:
        if getattr(server, field):
            yield field, f'"{field}" belongs to a server with "{other}", not with "{kind}"'
    if server.command and not server.command[0]:
        yield "command", "command: the program name is empty"
    if server.url is not None and not is_address(server.url):
        yield "url", f'url "{server.url}" must begin with http:// or https:// and a host'


def server_at(folder: Path, server: McpServer) -> McpServer:
    """Return the server with absolute paths; `folder`, that of the config, is where they start."""
    if server.command and "/" in server.command[0]:
        program = str(folder.absolute() / Path(server.command[0]).expanduser())
        server = msgspec.structs.replace(server, command=(program, *server.command[1:]))
    if server.cwd is not None:
        server = msgspec.structs.replace(
            server, cwd=str(folder.absolute() / Path(server.cwd).expanduser())
        )
    return server
