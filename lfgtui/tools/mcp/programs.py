"""The program of an MCP server as it is started for a ticket: its environment and its sandbox."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.settings.agents import program_files
from lfgtui.settings.mcp import CHANGING_TO, McpServer
from lfgtui.tools.programs import command_environment


class Surroundings(NamedTuple):
    """A server's workspace and confinement. `secrets` names variables that it does not get."""

    workspace: str
    secrets: frozenset[str] = frozenset()
    confinement: Confinement = UNCONFINED


class Program(NamedTuple):
    """A program about to be started."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    confinement: Confinement


def program_of(
    server: McpServer, variables: Mapping[str, str], surroundings: Surroundings
) -> Program:
    """Return a server's program, with the `variables` in its environment. Blocks on the disk.

    It is confined as the ticket's commands are, but with the limits of an agent, since it lives as
    long as the ticket's work. It also sees its own files, and those that the config lists.
    """
    folder = Path(server.cwd or surroundings.workspace)
    wall, limits = surroundings.confinement.wall, surroundings.confinement.of_agent.limits
    if wall is None:
        environment = command_environment(os.environ, variables, surroundings.secrets)
        return Program(server.command, folder, environment, Confinement(limits=limits))
    inherited = wall.variables(os.environ)
    environment = command_environment(inherited, variables, surroundings.secrets)
    own = [Path(server.cwd)] if server.cwd is not None else []
    listed = [Path(name).expanduser() for name in server.writable]
    wall = wall.with_paths(program_files(server.command, environment), [*own, *listed])
    wall = replace(wall, network=wall.network or server.network)
    words = server.command if server.cwd is None else (*CHANGING_TO, str(folder), *server.command)
    return Program(
        words, Path(surroundings.workspace), environment, Confinement(wall, limits=limits)
    )
