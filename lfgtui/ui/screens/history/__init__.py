"""Past runs: the list, the search, a look at what is under the cursor."""

from lfgtui.ui.screens.history.screen import History

__all__ = ["History"]
