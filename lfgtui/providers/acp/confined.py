"""An agent's wall: the ticket's, with the files that the agent itself needs."""

from collections.abc import Mapping
from pathlib import Path

from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.acp.servers import visible_files
from lfgtui.settings.agents import known_program, program_files
from lfgtui.settings.credentials import agent_environment
from lfgtui.settings.mcp import NO_SERVERS, McpServer
from lfgtui.settings.providers import ProviderConfig

_FOLDERS = ("_CONFIG_DIR", "_HOME")
"""Endings of variables that name the folder of an agent's settings."""


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
    if folders and not folders[0].exists():  # so that files of its first start stay
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
