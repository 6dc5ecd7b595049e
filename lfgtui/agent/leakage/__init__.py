"""Tool markup and reasoning that leaked into the visible text, and how it is kept out of it."""

from lfgtui.agent.leakage.filter import LeakageFilter

__all__ = ["LeakageFilter"]
