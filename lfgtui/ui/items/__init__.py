"""How each item of a transcript is drawn: a view an item, lines out.

The views themselves, and the Markdown parser and the highlighter they bring
along, are imported with the first item, not for the first frame.
"""

from lfgtui.model.attempt import Attempt
from lfgtui.model.items import Item
from lfgtui.ui.items.base import UNCHANGED, Context, ItemView, Kind, LineChunk, Summarise

__all__ = [
    "UNCHANGED",
    "Context",
    "ItemView",
    "Kind",
    "LineChunk",
    "Summarise",
    "preload",
    "rule_of",
    "view_of",
]


def preload() -> None:
    """Import what the first item will need, once the first frame is out."""
    import lfgtui.ui.items.registry  # noqa: F401  # imported for its effect


def view_of(item: Item, attempt: Attempt) -> ItemView:
    """The view that draws the item."""
    from lfgtui.ui.items import registry

    return registry.view_of(item, attempt)


def rule_of(attempt: Attempt) -> ItemView:
    """The line that parts an attempt from the one before."""
    from lfgtui.ui.items import registry

    return registry.rule_of(attempt)
