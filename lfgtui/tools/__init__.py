"""The tools of lfg's own agents: six that work in a ticket's workspace, and those of MCP servers.

`run_tool` carries out a call of the six; a `Toolbox` is a source of tools for the agent.
"""

from lfgtui.tools.arguments import TOOLS, Tool, is_well_formed
from lfgtui.tools.command import Channel, OnOutput
from lfgtui.tools.files import CHANGED
from lfgtui.tools.limits import ToolLimits, ToolOutcome
from lfgtui.tools.preview import Preview, preview
from lfgtui.tools.run import run_tool
from lfgtui.tools.toolbox import Toolbox, Toolboxes, WorkspaceTools

__all__ = [
    "CHANGED",
    "TOOLS",
    "Channel",
    "OnOutput",
    "Preview",
    "Tool",
    "ToolLimits",
    "ToolOutcome",
    "Toolbox",
    "Toolboxes",
    "WorkspaceTools",
    "is_well_formed",
    "preview",
    "run_tool",
]
