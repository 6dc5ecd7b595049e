"""The filter that keeps leaked tool markup and reasoning out of the visible text."""

from lfgtui.agent.leakage.filter import LeakageFilter

__all__ = ["LeakageFilter"]
