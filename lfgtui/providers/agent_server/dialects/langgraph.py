"""LangGraph's server, whose SSE events are named for its stream modes:
https://docs.langchain.com/langsmith/streaming,
https://langchain-ai.github.io/langgraph/cloud/how-tos/stream_messages."""

from collections.abc import Iterator

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects.rules import (
    REASONING,
    TEXT,
    WHOLE_REASONING,
    WHOLE_TEXT,
    Match,
    Rule,
)
from lfgtui.providers.lenient_json import JsonObject

_QUIET = ("metadata", "messages/metadata", "custom", "debug", "checkpoints", "tasks", "events")
_REASONING_PARTS = ("thinking", "reasoning")

_CALL = Rule("call", call_id="id", name="name", input="args")
_CALL_PIECE = Rule("arguments", "args", call_id="id", name="name")
_RESULT = Rule("result", "content", call_id="tool_call_id", name="name")
_USAGE = Rule("usage", usage="usage_metadata")


def read(name: str, value: object) -> list[Match] | None:
    """Return what is in an event of that name; None where it is no mode's."""
    mode = name.partition("|")[0]  # the rest names a graph inside the graph
    if mode == "messages" and isinstance(value, list):  # a message and its metadata
        return list(_message(lenient_json.as_object(value[0]) or {}) if value else ())
    if mode in ("messages/partial", "messages/complete"):
        return [found for one in lenient_json.objects_in(value, mode) for found in _message(one)]
    state = lenient_json.as_object(value) or {}
    if mode == "values":
        return list(_added(lenient_json.children(state, "messages")))
    if mode == "updates":
        states = [lenient_json.as_object(of_node) or {} for of_node in state.values()]
        messages = [one for of in states for one in lenient_json.children(of, "messages")]
        return [found for one in messages for found in _message(one)]
    if mode == "end":
        return [Match(Rule("done"), {})]
    return [] if mode in _QUIET else None


def _added(messages: list[JsonObject]) -> Iterator[Match]:
    """Yield what was added since the last message of the person."""
    last = max((n for n, one in enumerate(messages) if one.get("type") == "human"), default=-1)
    for message in messages[last + 1 :]:
        yield from _message(message)


def _message(message: JsonObject) -> Iterator[Match]:
    kind, key = message.get("type"), lenient_json.text(message, "id")
    if kind == "tool":
        yield Match(_RESULT, message)
    if kind not in ("ai", "AIMessageChunk"):
        return
    whole = kind == "ai"
    content, thought = message.get("content"), ""
    for part in lenient_json.objects_in(content, "content"):
        if part.get("type") in _REASONING_PARTS:
            thought += lenient_json.text(part, str(part["type"]))
    extra = lenient_json.child(message, "additional_kwargs")
    if thought := thought or lenient_json.text(extra, "reasoning_content"):
        yield Match(WHOLE_REASONING if whole else REASONING, {"text": thought}, key)
    yield Match(WHOLE_TEXT if whole else TEXT, {"text": content}, key)
    for call in lenient_json.children(message, "tool_calls" if whole else "tool_call_chunks"):
        yield Match(_CALL if whole else _CALL_PIECE, call)
    yield Match(_USAGE, message, key)
