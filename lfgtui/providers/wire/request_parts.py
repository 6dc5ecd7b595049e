"""Parts that the translations of requests share."""

from collections.abc import Sequence
from typing import Literal

from lfgtui.model.conversation import ItemPart, Message, ModelTurn, ToolResult
from lfgtui.model.events import ToolArguments
from lfgtui.model.tickets import Reasoning
from lfgtui.providers import lenient_json

BUDGETS: dict[Literal["low", "medium", "high"], int] = {
    "low": 2048,
    "medium": 8192,
    "high": 16384,
}
"""Budget of each effort, in tokens of thinking."""


def budget_of(reasoning: Reasoning) -> int:
    """Return the thinking budget in tokens."""
    return reasoning if isinstance(reasoning, int) else BUDGETS[reasoning]


def effort_of(reasoning: Reasoning) -> Literal["low", "medium", "high"]:
    """Return the effort; for a number of tokens, the one whose budget is nearest."""
    if not isinstance(reasoning, int):
        return reasoning
    budget = reasoning
    return min(BUDGETS, key=lambda effort: abs(BUDGETS[effort] - budget))


def arguments_json(arguments: ToolArguments) -> str:
    """Return a call's arguments as the JSON text that the OpenAI wires carry."""
    return arguments if isinstance(arguments, str) else lenient_json.compact(arguments)


def items_of(turn: ModelTurn, wire: str) -> list[dict[str, object]]:
    """Return the opaque items of a turn that belong to this wire."""
    return [p.item for p in turn.parts if isinstance(p, ItemPart) and p.wire == wire]


def open_tool_turn(messages: Sequence[Message]) -> ModelTurn | None:
    """Return the turn whose tool results end the conversation; None outside a tool loop."""
    if not messages or not isinstance(messages[-1], ToolResult):
        return None
    return next((m for m in reversed(messages) if isinstance(m, ModelTurn)), None)
