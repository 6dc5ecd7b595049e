"""Which view draws which item."""

from lfgtui.transcript import (
    Attempt,
    HostedItem,
    Item,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.ui.items.cards import ToolView
from lfgtui.ui.items.hosted import HostedView
from lfgtui.ui.items.remarks import NoteView, PromptView, ReasoningView, RuleView
from lfgtui.ui.items.sources import SourcesView
from lfgtui.ui.items.text import TextView
from lfgtui.ui.items.view import ItemView


def view_of(item: Item, attempt: Attempt) -> ItemView:
    """The view that draws the item."""
    match item:
        case TextItem():
            return TextView(item)
        case ReasoningItem():
            return ReasoningView(item)
        case ToolItem():
            return ToolView(item, attempt)
        case HostedItem():
            return HostedView(item, attempt)
        case SourcesItem():
            return SourcesView(item)
        case PromptItem():
            return PromptView(item)
        case NoteItem():
            return NoteView(item)


def rule_of(attempt: Attempt) -> ItemView:
    """The line that parts an attempt from the one before."""
    return RuleView(attempt)
