"""A `Request` as the body of a chat completions request.

The body has only what every server takes. Three hosts are known to differ:
OpenAI's own wants `max_completion_tokens`; Mistral refuses `stream_options`
(it reports usage unasked), reasoning fields and a user's message right after
a tool's; OpenRouter takes its own `reasoning` object.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise

from msgspec import structs

from lfgtui.model.fold.conversation import (
    CallPart,
    ItemPart,
    Message,
    ModelTurn,
    Part,
    ReasoningPart,
    ToolResult,
    UserTurn,
)
from lfgtui.providers.base import Request, effort_of
from lfgtui.providers.openai_chat.decoder import WIRE
from lfgtui.providers.wire.openai_cache import MARK, cache_key, caches_by_key, takes_marks
from lfgtui.providers.wire.tool_calls import arguments_text

ChatMessage = dict[str, object]

_DEEPSEEK_FIELD = "reasoning_content"
"""DeepSeek refuses a tool loop in which a message lacks this field; it may be empty."""

_REASONING_LISTS = frozenset({"reasoning_details", "thinking_blocks"})
"""Fields of structured reasoning, sent back as they came."""

_LIMITS = ("max_tokens", "max_completion_tokens")
"""The field for the limit of output tokens: of other servers, and of OpenAI's own."""


def request_body(request: Request, host: str) -> dict[str, object]:
    """Return the JSON body, `extra` included. `host` is the server's name."""
    messages = chat_messages(request.system, request.messages, host)
    if takes_marks(request, host):
        _mark_files(messages, request.messages)
    body: dict[str, object] = {
        "model": request.model,
        "messages": messages,
        "stream": request.stream,
    }
    if caches_by_key(request, host):
        body["prompt_cache_key"] = cache_key(request)
    if not any(limit in request.extra for limit in _LIMITS):
        official = host == "api.openai.com" or host.endswith(".openai.azure.com")
        body[_LIMITS[official]] = request.max_output_tokens
    if request.stream and not _is_mistral(host):
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        tools = map(structs.asdict, request.tools)
        body["tools"] = [{"type": "function", "function": tool} for tool in tools]
    if request.reasoning is not None and host == "openrouter.ai":
        unit = "max_tokens" if isinstance(request.reasoning, int) else "effort"
        body["reasoning"] = {unit: request.reasoning}
    elif request.reasoning is not None:
        body["reasoning_effort"] = effort_of(request.reasoning)
    return body | request.extra


def chat_messages(
    system: str | None, messages: Sequence[Message], host: str = ""
) -> list[ChatMessage]:
    """Return the conversation as chat messages.

    Reasoning goes back only within a tool loop, that is between two messages of the user if
    calls were made there: servers want it in each message there, and some refuse it elsewhere.
    """
    chat: list[ChatMessage] = [{"role": "system", "content": system}] if system else []
    for _, group in groupby(messages, lambda message: isinstance(message, UserTurn)):
        stretch = list(group)
        turns = [message for message in stretch if isinstance(message, ModelTurn)]
        is_loop = any(turn.calls for turn in turns) and not _is_mistral(host)
        fields = [item.get("reasoning_field") for turn in turns for item in turn.items(WIRE)]
        is_owed = host == "api.deepseek.com" or _DEEPSEEK_FIELD in fields
        for message in stretch:
            match message:
                case UserTurn(text):
                    _add_user(chat, text, host)
                case ToolResult(call_id, output):
                    chat.append({"role": "tool", "tool_call_id": call_id, "content": output})
                case ModelTurn() if message.text or message.calls:
                    reasoning = _reasoning(message, is_owed=is_owed) if is_loop else {}
                    chat.append(_assistant(message) | reasoning)
    return chat


def _add_user(chat: list[ChatMessage], text: str, host: str) -> None:
    """Add a user's message, to the last one if that is the user's, too: roles must alternate."""
    last = chat[-1]["role"] if chat else ""
    if last == "user":
        text = f"{chat.pop()['content']}\n\n{text}"
    elif last == "tool" and _is_mistral(host):
        chat.append({"role": "assistant", "content": "Understood."})
    chat.append({"role": "user", "content": text})


def _mark_files(chat: list[ChatMessage], messages: Sequence[Message]) -> None:
    """Split the first message that begins with files after them, and mark them for the cache."""
    for turn in messages:
        if isinstance(turn, UserTurn) and turn.files:
            message = next(one for one in chat if str(one["content"]).startswith(turn.text))
            rest = str(message["content"])[len(turn.text) :]
            parts = [{"type": "text", "text": turn.text} | MARK, {"type": "text", "text": rest}]
            message["content"] = parts
            return


def _assistant(turn: ModelTurn) -> ChatMessage:
    """Return a response as a message, without its reasoning."""
    message: ChatMessage = {"role": "assistant", "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [
            _call(part, following)
            for part, following in pairwise((*turn.parts, None))
            if isinstance(part, CallPart)
        ]
    for item in turn.items(WIRE):
        if "message_extra_content" in item:
            message["extra_content"] = item["message_extra_content"]
    return message


def _call(call: CallPart, following: Part | None) -> dict[str, object]:
    """Return a call in the form in which it came; `following` is the part after it."""
    function = {"name": call.name, "arguments": arguments_text(call.arguments)}
    entry: dict[str, object] = {"id": call.call_id, "type": "function", "function": function}
    if isinstance(following, ItemPart) and following.wire == WIRE:
        # The decoder put what only this server adds to a call into the item after it.
        item = following.item if "tool_call_id" in following.item else {}
        if custom := item.get("custom"):
            entry = {"id": call.call_id, "type": "custom", "custom": custom}
        if extra := item.get("extra_content"):
            entry["extra_content"] = extra
    return entry


def _reasoning(turn: ModelTurn, *, is_owed: bool) -> dict[str, object]:
    """Return the reasoning of a turn, in its own fields; `is_owed`: DeepSeek's at least, empty."""
    text = "".join(part.text for part in turn.parts if isinstance(part, ReasoningPart))
    fields: dict[str, object] = {_DEEPSEEK_FIELD: ""} if is_owed else {}
    for item in turn.items(WIRE):
        fields |= {name: item[name] for name in item.keys() & _REASONING_LISTS}
        if isinstance(name := item.get("reasoning_field"), str) and text:
            fields[name] = text
    return fields


def _is_mistral(host: str) -> bool:
    return host == "api.mistral.ai" or host.endswith(".mistral.ai")
