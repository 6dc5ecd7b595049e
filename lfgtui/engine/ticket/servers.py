"""The MCP servers of a ticket, and the events that they cause.

Each ticket has its own servers, which work in its workspace: they start with its first request,
and end when its work does, however that ends.
"""

from lfgtui.agent.context import AgentContext
from lfgtui.model import events as e
from lfgtui.settings.config import Config
from lfgtui.tools.mcp.programs import Surroundings
from lfgtui.tools.mcp.server import Server
from lfgtui.tools.mcp.toolbox import McpTools


def tools_of_servers(context: AgentContext, config: Config) -> McpTools:
    """Return the tools of the servers that the ticket names."""
    return McpTools(
        [
            Server(
                name,
                config.mcp[name],
                lambda: Surroundings(
                    context.transcript.workspace, context.secrets, context.confinement
                ),
                on_remark=lambda text: context.emit(e.Status(text)),
                on_change=lambda text: context.emit(e.GuardTripped("mcp", text)),
            )
            for name in context.ticket.mcp
            if name in config.mcp  # true for all: the config is checked before a run
        ]
    )
