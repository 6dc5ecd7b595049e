"""The one fold: entries in, what a ticket looks like out."""

from lfgtui.transcript.alone import AttemptTranscript
from lfgtui.transcript.attempt import Attempt, AttemptError, UsageTotals
from lfgtui.transcript.call_ids import call_id
from lfgtui.transcript.conversation import (
    CallPart,
    Conversation,
    ItemPart,
    Message,
    ModelTurn,
    Part,
    ReasoningPart,
    TextPart,
    ToolResult,
    UserTurn,
)
from lfgtui.transcript.fold import Transcript
from lfgtui.transcript.items import (
    HostedItem,
    Item,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.transcript.states import ENDED, RUNNING, State, StateMachine, next_state
from lfgtui.transcript.wire_ids import with_wire_ids

__all__ = [
    "ENDED",
    "RUNNING",
    "Attempt",
    "AttemptError",
    "AttemptTranscript",
    "CallPart",
    "Conversation",
    "HostedItem",
    "Item",
    "ItemPart",
    "Message",
    "ModelTurn",
    "NoteItem",
    "Part",
    "PromptItem",
    "ReasoningItem",
    "ReasoningPart",
    "SourcesItem",
    "State",
    "StateMachine",
    "TextItem",
    "TextPart",
    "ToolItem",
    "ToolResult",
    "Transcript",
    "UsageTotals",
    "UserTurn",
    "call_id",
    "next_state",
    "with_wire_ids",
]
