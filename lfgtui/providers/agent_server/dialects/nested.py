"""Records that hold several events, or have events in their parts: one reader for each dialect.

A reader returns the matches in a record of its dialect, in order, and None for any other record.
`dialects.find` calls the readers.
"""

from collections.abc import Iterator

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects.rules import Match, Rule, text_of, word
from lfgtui.providers.agent_server.dialects.tables import AG_UI
from lfgtui.providers.lenient_json import JsonObject

_TEXT, _WHOLE_TEXT = Rule("text", "text"), Rule("whole_text", "text")
_REASONING, _WHOLE_REASONING = Rule("reasoning", "text"), Rule("whole_reasoning", "text")


def _since_prompt(
    messages: list[JsonObject], field: str, person: str
) -> list[tuple[int, JsonObject]]:
    """Return the messages after the last one by `person`, with their numbers from 1."""
    prompts = [n for n, message in enumerate(messages, 1) if message.get(field) == person]
    return list(enumerate(messages, 1))[prompts[-1] if prompts else 0 :]


# AG-UI: https://docs.ag-ui.com/concepts/events, https://docs.ag-ui.com/concepts/interrupts.

_AG_MESSAGE = Rule("whole_text", "content")
_AG_CALL = Rule("call", call_id="id", name="function.name", input="function.arguments")
_INTERRUPT = Rule("status", "message reason")


def ag_ui(record: JsonObject) -> Iterator[Match] | None:
    match record.get("type"):
        case "MESSAGES_SNAPSHOT":
            return _snapshot(lenient_json.children(record, "messages"))
        case "RUN_FINISHED" if record.get("outcome"):
            return _finished(record)
    return None


def _finished(record: JsonObject) -> Iterator[Match]:
    for interrupt in lenient_json.children(lenient_json.child(record, "outcome"), "interrupts"):
        yield Match(_INTERRUPT, interrupt)
    yield Match(AG_UI["RUN_FINISHED"], record)


def _snapshot(messages: list[JsonObject]) -> Iterator[Match]:
    for position, message in _since_prompt(messages, "role", "user"):
        if message.get("role") == "assistant":
            yield Match(_AG_MESSAGE, message, word(message, "id") or position)
            for call in lenient_json.children(message, "toolCalls"):
                yield Match(_AG_CALL, call)
        elif message.get("role") == "tool":
            yield Match(AG_UI["TOOL_CALL_RESULT"], message)


# Dify's steps of an agent; their thoughts are streamed as the answer, too, and not read here:
# https://docs.dify.ai/api-reference/chat/send-chat-message.

_DIFY_CALL = Rule("call", call_id="id", name="tool", input="tool_input")
_DIFY_RESULT = Rule("result", "observation", call_id="id", name="tool")


def dify(record: JsonObject) -> list[Match] | None:
    if record.get("event") != "agent_thought":
        return None
    rules = [_DIFY_CALL, _DIFY_RESULT] if record.get("observation") else [_DIFY_CALL]
    return [Match(rule, record) for rule in rules if record.get("tool")]


# A2A, 0.3 and 1.0, over JSON-RPC or plain HTTP: https://a2a-protocol.org/latest/specification/,
# https://a2a-protocol.org/latest/whats-new-v1/. In 0.3 the type is in `kind`, in 1.0 it is the name
# of the only field.

_A2A_KINDS = {
    "task": "task",
    "message": "message",
    "status-update": "statusUpdate",
    "artifact-update": "artifactUpdate",
}
_A2A_FORMS = frozenset({"parts", "status", "artifact"})  # fields that tell such a record in 1.0
_FAILED = frozenset({"failed", "canceled", "rejected"})
_ENDED = frozenset({"completed", "input-required", "auth-required"})
_UNFINISHED, _DONE = Rule("unfinished"), Rule("done", reason="state")
_PARTS, _WHOLE_PARTS = Rule("text", "parts"), Rule("whole_text", "parts")
_STATUS, _ERROR = Rule("status", "text"), Rule("error", "message")


def a2a(record: JsonObject) -> Iterator[Match] | None:
    if "jsonrpc" in record:
        if error := lenient_json.child(record, "error"):
            return iter([Match(_ERROR, error)])
        record = lenient_json.child(record, "result")
    if kind := _A2A_KINDS.get(lenient_json.text(record, "kind")):
        return _a2a_event(kind, record)
    for kind in _A2A_KINDS.values():
        inner = lenient_json.child(record, kind)
        if record.keys() == {kind} and inner.keys() & _A2A_FORMS:
            return _a2a_event(kind, inner)
    return None


def _a2a_event(kind: str, record: JsonObject) -> Iterator[Match]:
    """Yield the matches in a record of a kind in `_A2A_KINDS`."""
    if kind == "message":
        yield Match(_WHOLE_PARTS, record, lenient_json.text(record, "messageId"))
        yield Match(_DONE, {})
        return
    yield Match(_UNFINISHED, {})
    if kind == "artifactUpdate":
        artifact = lenient_json.child(record, "artifact")
        is_piece = record.get("append") is True or record.get("lastChunk") is not True
        key = lenient_json.text(artifact, "artifactId")
        yield Match(_PARTS if is_piece else _WHOLE_PARTS, artifact, key)
        return
    for artifact in lenient_json.children(record, "artifacts"):
        yield Match(_WHOLE_PARTS, artifact, lenient_json.text(artifact, "artifactId"))
    yield from _a2a_status(lenient_json.child(record, "status"))
    if record.get("final") is True:
        yield Match(_DONE, {})


def _a2a_status(status: JsonObject) -> Iterator[Match]:
    """Yield the matches in a task's status, whose state may be in the form of 0.3 or of 1.0."""
    state = lenient_json.text(status, "state").removeprefix("TASK_STATE_").replace("_", "-").lower()
    message = lenient_json.child(status, "message")
    text = text_of(message.get("parts"))
    if state in _FAILED:
        yield Match(_ERROR, {"message": text or f"the agent ended its task: {state}"})
    elif state in _ENDED:
        yield Match(_WHOLE_PARTS, message, lenient_json.text(message, "messageId"))
        yield Match(_DONE, {"state": state.replace("-", "_")})
    elif text:
        yield Match(_STATUS, {"text": text})


# Google's ADK, `/run_sse` and `/run`: https://google.github.io/adk-docs/runtime/api-server/,
# https://google.github.io/adk-docs/api-reference/rest/.

_ADK_PARTS = {
    "functionCall": Rule("call", call_id="id", name="name", input="args"),
    "functionResponse": Rule("result", "response", call_id="id", name="name"),
}
_ADK_USAGE = Rule("usage", key="id", usage="usageMetadata")
_ADK_ERROR = Rule("error", "errorMessage errorCode")


def adk(record: JsonObject) -> Iterator[Match] | None:
    is_event = isinstance(record.get("author"), str)
    is_event = is_event and bool(record.keys() & {"content", "invocationId", "errorCode"})
    return _adk_event(record) if is_event else None


def _adk_event(record: JsonObject) -> Iterator[Match]:
    """Yield the matches in an event, which has either a piece of text or everything whole."""
    if record.get("errorCode"):
        yield Match(_ADK_ERROR, record)
    if record["author"] == "user":
        return
    parts = lenient_json.children(lenient_json.child(record, "content"), "parts")
    if record.get("partial") is True:
        for part in parts:
            if "text" in part:
                yield Match(_REASONING if part.get("thought") is True else _TEXT, part)
        return
    for is_thought, rule in ((True, _WHOLE_REASONING), (False, _WHOLE_TEXT)):
        texts = [part for part in parts if (part.get("thought") is True) == is_thought]
        if text := "".join(lenient_json.exact_text(part, "text") for part in texts):
            yield Match(rule, {"text": text})
    yield Match(_ADK_USAGE, record)
    for part in parts:
        for field, rule in _ADK_PARTS.items():
            if inner := lenient_json.child(part, field):
                yield Match(rule, inner)


# LangGraph's server, whose SSE events are named for its stream modes:
# https://docs.langchain.com/langsmith/streaming,
# https://langchain-ai.github.io/langgraph/cloud/how-tos/stream_messages.

# Modes without anything for the person.
_QUIET = ("metadata", "messages/metadata", "custom", "debug", "checkpoints", "tasks", "events")
_THOUGHTS = ("thinking", "reasoning")
_LANG_CALL = Rule("call", call_id="id", name="name", input="args")
_LANG_CALL_PIECE = Rule("arguments", "args", call_id="id", name="name")
_LANG_RESULT = Rule("result", "content", call_id="tool_call_id", name="name")
_LANG_USAGE = Rule("usage", usage="usage_metadata")


def langgraph(name: str, value: object) -> list[Match] | None:
    """Return the matches in an event named for a mode; None if the name is no mode."""
    mode = name.partition("|")[0]  # a subgraph follows, as in `updates|researcher:1`
    state = lenient_json.as_object(value) or {}
    match mode:
        case "messages" if isinstance(value, list):  # a message and its metadata
            messages = [lenient_json.as_object(value[0]) or {}] if value else []
        case "messages/partial" | "messages/complete":
            messages = lenient_json.objects_in(value, mode)
        case "values":
            messages = lenient_json.children(state, "messages")
            placed = _since_prompt(messages, "type", "human")
            return [found for place in placed for found in _lang_message(*place)]
        case "updates":
            states = [lenient_json.as_object(of_node) or {} for of_node in state.values()]
            messages = [one for of in states for one in lenient_json.children(of, "messages")]
        case "end":
            return [Match(Rule("done"), {})]
        case _:
            return [] if mode in _QUIET else None
    return [found for message in messages for found in _lang_message("", message)]


def _lang_message(place: str | int, message: JsonObject) -> Iterator[Match]:
    """Yield the matches in a message; `place` is its key if it has no id."""
    kind, key = message.get("type"), lenient_json.text(message, "id") or place
    if kind == "tool":
        yield Match(_LANG_RESULT, message)
    if kind not in ("ai", "AIMessageChunk"):
        return
    whole = kind == "ai"
    content, thought = message.get("content"), ""
    for part in lenient_json.objects_in(content, "content"):
        if part.get("type") in _THOUGHTS:
            thought += lenient_json.text(part, str(part["type"]))
    extra = lenient_json.child(message, "additional_kwargs")
    if thought := thought or lenient_json.text(extra, "reasoning_content"):
        yield Match(_WHOLE_REASONING if whole else _REASONING, {"text": thought}, key)
    yield Match(_WHOLE_TEXT if whole else _TEXT, {"text": content}, key)
    for call in lenient_json.children(message, "tool_calls" if whole else "tool_call_chunks"):
        yield Match(_LANG_CALL if whole else _LANG_CALL_PIECE, call)
    yield Match(_LANG_USAGE, message, key)
