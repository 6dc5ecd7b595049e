"""MCP servers before a run: what would keep one from starting is said before there is a screen."""

import shlex
from importlib.util import find_spec

from lfgtui.errors import UsageError
from lfgtui.model.tickets import Ticket
from lfgtui.settings.agents import program_path
from lfgtui.settings.config import Config, route_of
from lfgtui.settings.credentials import server_variables
from lfgtui.settings.mcp import INSTALL


def check_servers(config: Config, ticket: Ticket) -> None:
    """Raise `UsageError` where a server, its program, a variable or the package is missing."""
    is_agents = config.provider(route_of(config, ticket).provider).is_agent
    if ticket.mcp and not is_agents and find_spec("mcp") is None:
        raise UsageError(f'ticket "{ticket.id}" uses MCP servers, which need {INSTALL}')
    for name in ticket.mcp:
        server = config.mcp_server(name)
        variables = server_variables(name, server)
        if server.command and program_path(server.command, variables) is None:
            program = shlex.quote(server.command[0])
            fix = "install it, or check `command` and the PATH"
            raise UsageError(f'mcp server "{name}": {program} is not installed; {fix}')
