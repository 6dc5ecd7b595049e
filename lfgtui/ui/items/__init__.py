"""How each item of a transcript is drawn: a view an item, lines out."""

from lfgtui.transcript import (
    Attempt,
    HostedItem,
    Item,
    NoteItem,
    PromptItem,
    ReasoningItem,
    ToolItem,
)
from lfgtui.ui.items.cards import HostedView, ToolView
from lfgtui.ui.items.remarks import NoteView, PromptView, ReasoningView, RuleView
from lfgtui.ui.items.view import Context, ItemView, Kind, Piece, Summarise

__all__ = ["Context", "ItemView", "Kind", "Piece", "RuleView", "Summarise", "preload", "view_of"]


def preload() -> None:
    """Import what the first text will need, once the first frame is out."""
    import lfgtui.ui.items.text  # noqa: F401  # imported for its effect


def view_of(item: Item, attempt: Attempt) -> ItemView:
    """The view that draws the item."""
    match item:
        case ReasoningItem():
            return ReasoningView(item)
        case ToolItem():
            return ToolView(item, attempt)
        case HostedItem():
            return HostedView(item, attempt)
        case PromptItem():
            return PromptView(item)
        case NoteItem():
            return NoteView(item)
        case _:
            # Deferred: the Markdown parser is not needed for the first frame.
            from lfgtui.ui.items.text import TextView

            return TextView(item)
