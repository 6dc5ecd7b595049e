"""The view of each item. Imported lazily, by `ui/items`: it brings all views along."""

from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import (
    HostedItem,
    Item,
    NoteItem,
    PlanItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.ui.items.base import ItemView
from lfgtui.ui.items.cards import HostedView, PlanView, SourcesView
from lfgtui.ui.items.notes import NoteView, PromptView, ReasoningView, RuleView
from lfgtui.ui.items.text import TextView
from lfgtui.ui.items.tool_call import ToolView


def view_of(item: Item | Attempt, attempt: Attempt) -> ItemView:
    """Return the view that draws the item or, for an attempt, the rule above it."""
    match item:
        case TextItem():
            return TextView(item)
        case ReasoningItem():
            return ReasoningView(item)
        case ToolItem():
            return ToolView(item)
        case HostedItem():
            return HostedView(item, attempt)
        case SourcesItem():
            return SourcesView(item)
        case PlanItem():
            return PlanView(item)
        case PromptItem():
            return PromptView(item)
        case NoteItem():
            return NoteView(item)
        case Attempt():
            return RuleView(item)
