"""The six tools an agent has, confined to its workspace as far as files go."""

from lfgtui.tools.arguments import TOOLS, Tool, is_well_formed
from lfgtui.tools.command import Channel, OnOutput
from lfgtui.tools.limits import ToolLimits, ToolOutcome
from lfgtui.tools.run import run_tool, summary

__all__ = [
    "TOOLS",
    "Channel",
    "OnOutput",
    "Tool",
    "ToolLimits",
    "ToolOutcome",
    "is_well_formed",
    "run_tool",
    "summary",
]
