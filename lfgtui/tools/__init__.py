"""An agent's tools: lfg's six, whose files are confined to its workspace, and others."""

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
