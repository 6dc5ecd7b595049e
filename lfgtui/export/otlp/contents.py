"""Prompts, answers and calls as span attributes, in the JSON of the semantic conventions.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/ has the schemas
(gen-ai-input-messages.json and its like).
"""

from collections.abc import Iterator

import msgspec

from lfgtui.export.otlp.encoding import Value
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import PromptItem, ReasoningItem, TextItem, ToolItem
from lfgtui.model.tickets import Ticket

_FINISHED = {
    "end": "stop",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
}


def finish_reason(reason: str) -> str:
    """Return the conventions' name of a stop reason, or the reason itself if they have none."""
    return _FINISHED.get(reason, reason)


def messages(ticket: Ticket, attempt: Attempt) -> dict[str, Value]:
    """Return the attempt's prompts and its answer; calls are spans of their own."""
    asked = [
        {"role": "user", "parts": [_part("text", item.whole)]}
        for item in attempt.items
        if isinstance(item, PromptItem)
    ]
    answer = {
        "role": "assistant",
        "parts": list(_said(attempt)),
        "finish_reason": finish_reason(attempt.stop_reason or "error"),
    }
    attributes: dict[str, Value] = {
        "gen_ai.input.messages": _json(asked),
        "gen_ai.output.messages": _json([answer]),
    }
    if ticket.system is not None:
        attributes["gen_ai.system_instructions"] = _json([_part("text", ticket.system)])
    return attributes


def call_contents(call: ToolItem) -> dict[str, Value]:
    """Return the arguments and the result of a call."""
    given = call.given if isinstance(call.given, str) else _json(call.given)
    return {
        "gen_ai.tool.call.arguments": given,
        "gen_ai.tool.call.result": call.output or str(call.live),
    }


def _said(attempt: Attempt) -> Iterator[dict[str, str]]:
    for item in attempt.items:
        if isinstance(item, TextItem | ReasoningItem):
            yield _part("text" if isinstance(item, TextItem) else "reasoning", item.text)


def _part(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "content": text}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
