"""AG-UI: https://docs.ag-ui.com/concepts/events, https://docs.ag-ui.com/concepts/interrupts,
https://docs.ag-ui.com/spec/1.0/events/lifecycle (the usage of a run)."""

from collections.abc import Iterator

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects.rules import NOTHING, Match, Rule, Table
from lfgtui.providers.lenient_json import JsonObject

_TEXT = Rule("text", "delta", key="messageId")
_REASONING = Rule("reasoning", "delta", key="messageId")
_CALL = {"call_id": "toolCallId", "name": "toolCallName"}
_STATUS = Rule("status", "message reason")
_MESSAGE = Rule("whole_text", "content", key="id")
_MESSAGE_CALL = Rule("call", call_id="id", name="function.name", input="function.arguments")

RULES: Table = {
    "RUN_STARTED": Rule("start"),
    "RUN_FINISHED": Rule("done", reason="outcome.type", usage="usage"),
    "RUN_ERROR": Rule("error", "message"),
    "STEP_STARTED": Rule("status", "stepName"),
    "TEXT_MESSAGE_CONTENT": _TEXT,
    "TEXT_MESSAGE_CHUNK": _TEXT,
    "REASONING_MESSAGE_CONTENT": _REASONING,
    "REASONING_MESSAGE_CHUNK": _REASONING,
    "THINKING_TEXT_MESSAGE_CONTENT": _REASONING,  # its name before
    "TOOL_CALL_START": Rule("call", **_CALL),
    "TOOL_CALL_ARGS": Rule("arguments", "delta", **_CALL),
    "TOOL_CALL_CHUNK": Rule("arguments", "delta", **_CALL),
    "TOOL_CALL_END": Rule("input_over", **_CALL),
    "TOOL_CALL_RESULT": Rule("result", "content", **_CALL),
    **dict.fromkeys(
        (
            *("STEP_FINISHED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_END", "REASONING_START"),
            *("REASONING_MESSAGE_START", "REASONING_MESSAGE_END", "REASONING_END"),
            *("REASONING_ENCRYPTED_VALUE", "THINKING_START", "THINKING_END", "RAW", "CUSTOM"),
            *("THINKING_TEXT_MESSAGE_START", "THINKING_TEXT_MESSAGE_END", "STATE_SNAPSHOT"),
            *("STATE_DELTA", "ACTIVITY_SNAPSHOT", "ACTIVITY_DELTA"),
        ),
        NOTHING,
    ),
}


def read(record: JsonObject) -> Iterator[Match] | None:
    """Return what is in a record that holds several things; None for any other."""
    match record.get("type"):
        case "MESSAGES_SNAPSHOT":
            return _snapshot(lenient_json.children(record, "messages"))
        case "RUN_FINISHED" if record.get("outcome"):
            return _finished(record)
    return None


def _finished(record: JsonObject) -> Iterator[Match]:
    for interrupt in lenient_json.children(lenient_json.child(record, "outcome"), "interrupts"):
        yield Match(_STATUS, interrupt)
    yield Match(RULES["RUN_FINISHED"], record)


def _snapshot(messages: list[JsonObject]) -> Iterator[Match]:
    """Yield what was added to the conversation since the last message of the person."""
    last = max((n for n, one in enumerate(messages) if one.get("role") == "user"), default=-1)
    for message in messages[last + 1 :]:
        if message.get("role") == "assistant":
            yield Match(_MESSAGE, message)
            for call in lenient_json.children(message, "toolCalls"):
                yield Match(_MESSAGE_CALL, call)
        elif message.get("role") == "tool":
            yield Match(RULES["TOOL_CALL_RESULT"], message)
