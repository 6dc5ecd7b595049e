"""A `Request` as the body of an OpenAI Responses request.

Nothing is stored with the provider (`store` is false), so its reasoning comes encrypted
with the items, and goes back with them
(https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items).
"""

import re
from collections.abc import Sequence

from msgspec import structs

from lfgtui.model.fold.conversation import (
    CallPart,
    ItemPart,
    Message,
    ModelTurn,
    Part,
    ReasoningPart,
    TextPart,
    ToolResult,
    UserTurn,
)
from lfgtui.providers.base import Request, effort_of
from lfgtui.providers.openai_responses.decoder import WIRE
from lfgtui.providers.wire.openai_cache import MARK, cache_key, caches_by_key, takes_marks
from lfgtui.providers.wire.tool_calls import arguments_text

Item = dict[str, object]

_REASONS_BY_ITSELF = re.compile(r"(?:gpt-(?:[5-9]|\d\d)|o\d|codex)(?!.*chat)")
"""Models that reason even if not asked to: `gpt-5`, `o3-mini`; not `gpt-5-chat-latest`."""


def request_body(request: Request, host: str = "") -> dict[str, object]:
    """Return the JSON body, `extra` included. `host` is the server's name."""
    body: dict[str, object] = {
        "model": request.model,
        "input": input_items(request.messages, marks_files=takes_marks(request, host)),
        "max_output_tokens": request.max_output_tokens,
        "store": False,
        "stream": request.stream,
    }
    if request.system:
        body["instructions"] = request.system
    if request.tools:
        tools = map(structs.asdict, request.tools)
        body["tools"] = [{"type": "function", "strict": False, **tool} for tool in tools]
    if request.reasoning is not None:
        body["reasoning"] = {"effort": effort_of(request.reasoning), "summary": "auto"}
    if request.reasoning is not None or _REASONS_BY_ITSELF.match(request.model):
        body["include"] = ["reasoning.encrypted_content"]
    if caches_by_key(request, host):
        body["prompt_cache_key"] = cache_key(request)
    return body | request.extra


def input_items(messages: Sequence[Message], *, marks_files: bool = False) -> list[Item]:
    """Return the conversation as input items; `marks_files`: files get a mark for the cache."""
    items: list[Item] = []
    custom: set[str] = set()
    for message in messages:
        match message:
            case UserTurn(text, files=files):
                part: Item = {"type": "input_text", "text": text}
                content = [part | MARK if files and marks_files else part]
                items.append({"type": "message", "role": "user", "content": content})
            case ToolResult(call_id, output):
                kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
                items.append({"type": kind, "call_id": call_id, "output": output})
            case ModelTurn(parts):
                turn = _turn(parts)
                calls = (item for item in turn if item.get("type") == "custom_tool_call")
                custom |= {str(item.get("call_id")) for item in calls}
                items += turn
                # The wire refuses reasoning that nothing follows.
                while items and items[-1].get("type") == "reasoning":
                    items.pop()
    return items


def _turn(parts: Sequence[Part]) -> list[Item]:
    """Return the items of a response, a custom tool's call in its own form."""
    items: list[Item] = []
    before: Part | None = None
    for part in parts:
        if custom := _custom_call(before, part):
            items[-1] = custom
        elif item := _part(part):
            items.append(item)
        before = part
    return items


def _custom_call(call: Part | None, part: Part) -> Item | None:
    """Return a custom tool's call in its own form, which the part after the call holds, or None."""
    if not isinstance(call, CallPart) or not isinstance(part, ItemPart) or part.wire != WIRE:
        return None
    item = part.item
    if item.get("type") != "custom_tool_call" or item.get("call_id") != call.wire_id:
        return None
    return item | {"call_id": call.call_id}


def _part(part: Part) -> Item | None:
    """Return a part as an item; None for one that this wire cannot send back."""
    match part:
        case TextPart(text):
            return {"type": "message", "role": "assistant", "content": text}
        case CallPart(call_id, name, arguments):
            return {
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": arguments_text(arguments),
            }
        case ItemPart(wire, item) if wire == WIRE:
            item = {key: value for key, value in item.items() if value is not None}
            # Reasoning that is only an id refers to something the provider did not store.
            empty = not (item.get("encrypted_content") or item.get("content"))
            return None if item.get("type") == "reasoning" and empty else item
        case ItemPart() | ReasoningPart():
            return None
