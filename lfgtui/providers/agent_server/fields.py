"""How agent servers spell one and the same thing.

There is no standard for what an agent server streams, only habits: the text
of a token is `content` in one, `delta` in the next, `text` in a third. So a
field is looked up under all its usual names, first in the record, then in the
object that the record wraps around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lfgtui.model.events import Usage
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject

TEXT = (
    "delta", "content", "content_delta", "contentDelta", "text", "token", "message", "chunk",
    "answer", "response", "output", "output_text", "result", "artifact", "final_answer", "value",
    "parts", "data",
)  # fmt: skip
REASONING = ("reasoning", "reasoning_content", "thinking", "thought", "summary", *TEXT)
STATUS = (
    "message", "status", "content", "text", "stepName", "step_name", "step", "title", "name",
    "stage", "description", "detail", "delta", "data",
)  # fmt: skip
ERROR = ("error", "errorText", "error_text", "message", "detail", "content", "text", "reason")

_CALL = (
    "tool_call", "toolCall", "function_call", "functionCall", "functionResponse", "function",
    "call", "action", "raw_item", "item", "part", "content_block", "tool",
)  # fmt: skip
_WRAPPERS = ("content", "data", "payload", "result")
_CALL_ID = ("tool_call_id", "toolCallId", "call_id", "callId", "tool_use_id", "toolUseId")
_LOOSE_ID = ("id", "item_id", "run_id")
_CALL_NAME = (
    "tool_name", "toolName", "toolCallName", "tool_call_name", "function_name", "name", "tool",
    "function", "title", "action",
)  # fmt: skip
_INPUT = (
    "arguments", "args", "input", "tool_input", "toolInput", "tool_args", "rawInput",
    "action_input", "parameters", "params", "inputs",
)  # fmt: skip
_OUTPUT = (
    "output", "result", "tool_output", "toolOutput", "rawOutput", "observation", "response",
    "return_value", "returnValue", "errorText", "content", "text", "message", "error", "delta",
    "part", "item", "raw_item", "data",
)  # fmt: skip
_PIECE = (
    "delta", "inputTextDelta", "args_delta", "partial_json", "arguments", "args", "content",
    "text", "data",
)  # fmt: skip
_STREAM = ("delta", "content", "text", "chunk", "output", "message", "data")
_FAILED = ("is_error", "isError", "errorText", "error")

_INPUT_TOKENS = (
    "input_tokens", "prompt_tokens", "inputTokens", "promptTokens", "promptTokenCount",
    "prompt_token_count", "input",
)  # fmt: skip
_OUTPUT_TOKENS = (
    "output_tokens", "completion_tokens", "outputTokens", "completionTokens",
    "candidatesTokenCount", "candidates_token_count", "output",
)  # fmt: skip
_CACHED = (
    "cached", "cached_tokens", "cachedTokens", "cached_input_tokens", "cachedInputTokens",
    "cache_read", "cachedContentTokenCount", "cached_content_token_count",
)  # fmt: skip
_CACHE_DETAILS = (
    "input_token_details", "input_tokens_details", "prompt_tokens_details", "inputTokenDetails",
)  # fmt: skip
_USAGE = (
    "usage", "usage_metadata", "usageMetadata", "token_usage", "tokenUsage", "totalUsage",
)  # fmt: skip
_AROUND_USAGE = ("metadata", "messageMetadata", "message_metadata", "data", "response", "message")
_MAY_COUNT = frozenset(_USAGE + _AROUND_USAGE)

_DEEPEST = 6


def first(record: JsonObject, names: Sequence[str]) -> object:
    """The first of these fields that says anything, None where none does."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def word(record: JsonObject, *names: str) -> str:
    """The first of these fields that is a string."""
    return next((said for name in names if (said := lenient_json.text(record, name))), "")


def words(value: object, depth: int = 0) -> str:
    """The text in a value: a string, parts of a list, or the text field of an object."""
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(words(item, depth + 1) for item in value)
    record = lenient_json.as_object(value)
    if record is None:
        return ""
    return said_in(record, TEXT, depth + 1)


def said_in(record: JsonObject, names: Sequence[str], depth: int = 0) -> str:
    """The text of the first of these fields that holds any."""
    return next((said for name in names if (said := words(record.get(name), depth))), "")


def as_json(value: object) -> str:
    """A tool's input: JSON text, a string as it came."""
    if value is None:
        return ""
    return value if isinstance(value, str) else lenient_json.compact(value)


def as_output(value: object) -> str:
    """A tool's output: its text where it has nothing else, the JSON otherwise."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_text(item) for item in value):
        return "\n".join(words(item) for item in value)
    return words(value) if _is_text(value) else lenient_json.compact(value)


@dataclass(frozen=True, slots=True)
class CallFields:
    """What a record says of a tool call. Empty where it says nothing; `given` None likewise."""

    call_id: str
    name: str
    given: object
    output: object
    piece: str
    stream: str
    failed: bool


def call_fields(record: JsonObject) -> CallFields:
    """The fields of a call, from the record or from what it wraps."""
    inner = _children(record, _CALL)
    inner += [found for holder in tuple(inner) for found in _children(holder, _CALL)]
    outer = _children(record, _WRAPPERS)
    outer += [found for holder in tuple(outer) for found in _children(holder, _CALL)]
    everywhere = [record, *inner, *outer]
    return CallFields(
        call_id=_in_any(everywhere, _CALL_ID) or _in_any([*inner, record, *outer], _LOOSE_ID),
        name=_in_any(everywhere, _CALL_NAME),
        given=next((v for h in everywhere if (v := first(h, _INPUT)) is not None), None),
        output=next((v for h in (record, *inner) if (v := _output(h)) is not None), None),
        piece=said_in(record, _PIECE),
        stream=said_in(record, _STREAM),
        failed=any(record.get(name) not in (None, False, "") for name in _FAILED),
    )


def usage_in(record: JsonObject) -> Usage | None:
    """Token counts under any of their usual names; several models' are added up."""
    if _MAY_COUNT.isdisjoint(record):
        return None
    for holder in (record, *(lenient_json.child(record, name) for name in _AROUND_USAGE)):
        for name in _USAGE:
            value = holder.get(name)
            several = value if isinstance(value, list) else [value]
            counts = [found for one in several if (found := _counts(one)) is not None]
            if counts:
                return total(counts)
    return None


def total(counts: Sequence[Usage]) -> Usage:
    """Several responses' tokens as one sum."""
    return Usage(
        sum(one.input for one in counts),
        sum(one.output for one in counts),
        sum(one.cached for one in counts),
    )


def _counts(value: object) -> Usage | None:
    usage = lenient_json.as_object(value)
    if usage is None:
        return None
    given, output = _number(usage, _INPUT_TOKENS), _number(usage, _OUTPUT_TOKENS)
    if given is None and output is None:
        return None
    cached = _number(usage, _CACHED)
    for name in _CACHE_DETAILS:
        cached = cached or _number(lenient_json.child(usage, name), _CACHED)
    # Anthropic's spelling: there the cached tokens stand beside `input_tokens`.
    read = lenient_json.number(usage, "cache_read_input_tokens") or 0
    written = lenient_json.number(usage, "cache_creation_input_tokens") or 0
    return Usage((given or 0) + read + written, output or 0, cached or read)


def _number(record: JsonObject, names: Sequence[str]) -> int | None:
    found = (lenient_json.number(record, name) for name in names)
    return next((count for count in found if count is not None), None)


def _in_any(holders: Sequence[JsonObject], names: Sequence[str]) -> str:
    for holder in holders:
        for name in names:
            value = holder.get(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
    return ""


def _children(record: JsonObject, names: Sequence[str]) -> list[JsonObject]:
    return [found for name in names if (found := lenient_json.child(record, name))]


def _output(record: JsonObject, depth: int = 0) -> object:
    value = first(record, _OUTPUT)
    inner = lenient_json.as_object(value)
    wraps = inner is not None and (
        any(name in inner for name in _CALL_ID) or value is record.get("data")
    )
    if inner is None or not wraps or depth > _DEEPEST:
        return value
    found = _output(inner, depth + 1)
    return value if found is None else found


def _is_text(value: object) -> bool:
    if isinstance(value, str):
        return True
    record = lenient_json.as_object(value) or {}
    match {name: inner for name, inner in record.items() if name != "type"}:
        case {"text": str(), **rest} | {"content": dict() | str(), **rest} if not rest:
            return "text" in record or _is_text(record["content"])
    return False
