"""The six tools an agent has, confined to its workspace as far as files go."""

from lfgtui.tools.arguments import TOOLS, Tool, is_well_formed
from lfgtui.tools.command import Channel, OnOutput
from lfgtui.tools.files import CHANGED
from lfgtui.tools.limits import ToolLimits, ToolOutcome
from lfgtui.tools.preview import Preview, preview
from lfgtui.tools.run import run_tool

__all__ = [
    "CHANGED",
    "TOOLS",
    "Channel",
    "OnOutput",
    "Preview",
    "Tool",
    "ToolLimits",
    "ToolOutcome",
    "is_well_formed",
    "preview",
    "run_tool",
]
