"""A `Request` as the body of a chat completions request.

The body keeps to what every server takes. Three hosts are known to differ:
OpenAI's own wants `max_completion_tokens`; Mistral refuses `stream_options`
(it reports usage unasked) and reasoning fields; OpenRouter takes its own
`reasoning` object.
"""

from collections.abc import Sequence

from lfgtui.model.conversation import (
    CallPart,
    ItemPart,
    Message,
    ModelTurn,
    Part,
    ReasoningPart,
    ToolResult,
    UserTurn,
)
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat.decoder import WIRE
from lfgtui.providers.wire.request_parts import arguments_json, effort_of, items_of

ChatMessage = dict[str, object]

_DEEPSEEK_FIELD = "reasoning_content"
"""Its server refuses a tool loop in which one message lacks it; empty will do."""

_LIMITS = ("max_tokens", "max_completion_tokens")


def request_body(request: Request, host: str) -> dict[str, object]:
    """Return the JSON body, `extra` included. `host` is the server's name."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": chat_messages(request.system, request.messages, host),
        "stream": request.stream,
    }
    if not any(limit in request.extra for limit in _LIMITS):
        official = host == "api.openai.com" or host.endswith(".openai.azure.com")
        body[_LIMITS[official]] = request.max_output_tokens
    if request.stream and not _is_mistral(host):
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
    if request.reasoning is not None:
        if host == "openrouter.ai":
            is_budget = isinstance(request.reasoning, int)
            body["reasoning"] = (
                {"max_tokens": request.reasoning} if is_budget else {"effort": request.reasoning}
            )
        else:
            body["reasoning_effort"] = effort_of(request.reasoning)
    return body | request.extra


def chat_messages(
    system: str | None, messages: Sequence[Message], host: str = ""
) -> list[ChatMessage]:
    """Return the conversation as chat messages."""
    chat: list[ChatMessage] = [{"role": "system", "content": system}] if system else []
    for number, message in enumerate(messages):
        match message:
            case UserTurn(text):
                chat.append({"role": "user", "content": text})
            case ToolResult(call_id, output):
                chat.append({"role": "tool", "tool_call_id": call_id, "content": output})
            case ModelTurn():
                loop = [] if _is_mistral(host) else _tool_loop(messages, number)
                chat += _assistant(message, loop, is_deepseek=host == "api.deepseek.com")
    return chat


def _assistant(
    turn: ModelTurn, loop: Sequence[ModelTurn], *, is_deepseek: bool
) -> list[ChatMessage]:
    text = turn.text
    calls = turn.calls
    if not text and not calls:
        return []
    message: ChatMessage = {"role": "assistant", "content": text}
    items = items_of(turn, WIRE)
    if calls:
        after = (*turn.parts[1:], None)
        message["tool_calls"] = [
            _call(call, _extra(next_part))
            for call, next_part in zip(turn.parts, after, strict=True)
            if isinstance(call, CallPart)
        ]
    for item in items:
        if "message_extra_content" in item:
            message["extra_content"] = item["message_extra_content"]
    if loop:
        message |= _reasoning(turn, items)
    owes = any(_owes_reasoning(other) for other in loop) or (is_deepseek and loop)
    if _DEEPSEEK_FIELD not in message and owes:
        message[_DEEPSEEK_FIELD] = ""
    return [message]


def _extra(part: Part | None) -> object:
    """The fields of the server's own that stand behind a call."""
    if isinstance(part, ItemPart) and part.wire == WIRE and "tool_call_id" in part.item:
        return part.item.get("extra_content")
    return None


def _call(call: CallPart, extra: object) -> dict[str, object]:
    function = {"name": call.name, "arguments": arguments_json(call.arguments)}
    entry: dict[str, object] = {"id": call.call_id, "type": "function", "function": function}
    return entry | {"extra_content": extra} if extra else entry


def _reasoning(turn: ModelTurn, items: list[dict[str, object]]) -> dict[str, object]:
    """The reasoning under the names it came by."""
    words = "".join(part.text for part in turn.parts if isinstance(part, ReasoningPart))
    fields: dict[str, object] = {}
    for item in items:
        if whole := item.keys() & {"reasoning_details", "thinking_blocks"}:
            fields |= {name: item[name] for name in whole}
        elif isinstance(name := item.get("reasoning_field"), str) and words:
            fields[name] = words
    return fields


def _owes_reasoning(turn: ModelTurn) -> bool:
    return any(item.get("reasoning_field") == _DEEPSEEK_FIELD for item in items_of(turn, WIRE))


def _tool_loop(messages: Sequence[Message], number: int) -> list[ModelTurn]:
    """Return the model's turns between the user messages around this one, if they call tools.

    Only there do servers want reasoning back, and there in every message;
    elsewhere some refuse it.
    """
    first, last = number, number
    while first > 0 and not isinstance(messages[first - 1], UserTurn):
        first -= 1
    while last + 1 < len(messages) and not isinstance(messages[last + 1], UserTurn):
        last += 1
    turns = [m for m in messages[first : last + 1] if isinstance(m, ModelTurn)]
    return turns if any(turn.calls for turn in turns) else []


def _is_mistral(host: str) -> bool:
    return host == "api.mistral.ai" or host.endswith(".mistral.ai")
