"""Views of a transcript's items: each makes the rows of one item of the fold, in chunks.

The views themselves, with the Markdown parser and the highlighter, are imported with
the first item, not for the first frame. A new item needs a view in `registry.py`.
"""

from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import Item
from lfgtui.ui.items.base import UNCHANGED, Context, ItemView, Kind, LineChunk

__all__ = [
    "UNCHANGED",
    "Context",
    "ItemView",
    "Kind",
    "LineChunk",
    "preload",
    "view_of",
]


def preload() -> None:
    """Import the views; called once the first frame is on the screen."""
    import lfgtui.ui.items.registry  # noqa: F401  # imported for its effect


def view_of(item: Item | Attempt, attempt: Attempt) -> ItemView:
    """Return the view that draws the item or, for an attempt, the rule above it."""
    from lfgtui.ui.items import registry

    return registry.view_of(item, attempt)
