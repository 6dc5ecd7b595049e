"""An agent's sandbox, and its ticket's MCP servers, which the agent starts or calls itself.

The sandbox is the ticket's, with the files that the agent itself needs.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lfgtui.errors import ProviderError, UsageError
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.lenient_json import JsonObject, child
from lfgtui.settings.agents import known_program, program_files, program_path
from lfgtui.settings.credentials import agent_environment, server_variables
from lfgtui.settings.mcp import CHANGING_TO, NO_SERVERS, McpServer
from lfgtui.settings.providers import ProviderConfig

_FOLDERS = ("_CONFIG_DIR", "_HOME")
"""Endings of variables that name the folder of an agent's settings, as in `CODEX_HOME`."""


def confined(
    config: ProviderConfig, confinement: Confinement, servers: Mapping[str, McpServer] = NO_SERVERS
) -> tuple[dict[str, str], Confinement]:
    """Return an agent's environment and its confinement. Blocks on the disk.

    The agent sees its program and the files that its command names, also those of its MCP
    `servers`. It may change the folders of its settings and its sign-in: those that lfg knows, and
    those configured by `writable` or in its `env`.
    """
    held = confinement.of_agent
    if held.wall is None:
        return agent_environment(config), held
    environment = held.wall.variables(agent_environment(config, is_walled=True))
    known = known_program(config.command)
    folders = [held.wall.home / name for name in (known.folders if known else ())]
    own = tuple(filter(None, known.keys)) if known else ()
    moved = (name for name in environment if name.startswith(own) and name.endswith(_FOLDERS))
    elsewhere = [Path(environment[name]) for name in moved]
    if folders and not folders[0].exists():  # or what it writes at its first start is lost
        folders[0].mkdir(mode=0o700, parents=True)
    named = [Path(value) for value in config.env.values() if value.startswith("/")]
    wall = held.wall.with_paths(
        readable=(
            *program_files(config.command, config.env),
            *visible_files(servers),
            *(path for path in named if path.is_file()),
        ),
        writable=(
            *(*folders, *elsewhere, *map(Path, config.writable)),
            *(path for path in named if path.is_dir()),
        ),
    )
    return environment | config.env, held._replace(wall=wall)


def session_servers(
    agent: str, servers: Mapping[str, McpServer], capabilities: JsonObject
) -> list[JsonObject]:
    """Return the servers for `session/new`; raises `ProviderError` if the agent cannot take one.

    All agents take programs, but only some take addresses
    (agentclientprotocol.com/protocol/v1/session-setup).
    """
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
    """Return one server; raises `UsageError` if a variable of it is missing."""
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
    """Yield the files that an agent in a sandbox has to see to start the servers."""
    for server in servers.values():
        yield from program_files(server.command, {}) if server.command else ()
