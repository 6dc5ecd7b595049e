"""The tables of the dialects in which one record is one event: from its type to its rule.

The type of a record is in its field `type`, Dify's in `event`.
"""

from collections.abc import Mapping
from typing import TypeAlias

from lfgtui.providers.agent_server.dialects.rules import Rule

Table: TypeAlias = Mapping[str, Rule]


def _quiet(names: str) -> Table:
    """Return rules for types that are known and not shown."""
    return dict.fromkeys(names.split(), Rule("nothing"))


# The form that many small servers share, and an object without a type, which is a piece of text.
# The type may also be the SSE event's name.
#
#     {"type": "status" | "token" | "text" | "reasoning" | "tool_call" | "tool_output" |
#      "tool_result" | "error" | "done", "content" | "message" | ...: ..., "usage": {...}}
#
# For `accepts` and `message_*` see docs/guide.md, "Agents of your own".
TEXT_FIELDS = ("content", "message", "text", "delta")
_TEXT = " ".join(TEXT_FIELDS)
_CALL = {
    "text": "content output result error",
    "call_id": "call_id tool_call_id toolCallId id",
    "name": "name tool tool_name",
    "usage": "usage",
}
UNTYPED = Rule("text", _TEXT, usage="usage")

COMMON: Table = {
    "status": Rule("status", _TEXT, usage="usage"),
    "token": UNTYPED,
    "text": UNTYPED,
    "reasoning": Rule("reasoning", _TEXT, usage="usage"),
    "tool_call": Rule("call", input="input arguments args", **_CALL),
    "tool_output": Rule("output", **_CALL),
    "tool_result": Rule("result", failed="is_error error", **_CALL),
    # `errorText` is the AI SDK's, whose type of this name is the same.
    "error": Rule("error", "message error.message error errorText content detail", usage="usage"),
    "done": Rule("done", reason="finish_reason stop_reason", failed="error", usage="usage"),
    "heartbeat": Rule("heartbeat"),
    "ping": Rule("heartbeat"),
    "accepts": Rule("accepts", input="inputs"),
    "message_taken": Rule("message_taken", key="message_id"),
    "message_refused": Rule("message_refused", _TEXT, key="message_id"),
}

# The AI SDK's UI message stream: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. Its `error` is
# the common form's.
_AI_CALL = {"call_id": "toolCallId", "name": "toolName", "input": "input"}

AI_SDK: Table = {
    "start": Rule("start"),
    "finish": Rule("done", reason="finishReason"),
    "abort": Rule("error", "reason"),
    "text-delta": Rule("text", "delta"),
    "reasoning-delta": Rule("reasoning", "delta"),
    "tool-input-start": Rule("call", **_AI_CALL),
    "tool-input-delta": Rule("arguments", "inputTextDelta", call_id="toolCallId"),
    "tool-input-available": Rule("call", **_AI_CALL),
    "tool-input-error": Rule("result", "errorText", failed="errorText", **_AI_CALL),
    "tool-output-available": Rule("result", "output", **_AI_CALL),
    "tool-output-error": Rule("result", "errorText", failed="errorText", **_AI_CALL),
    "tool-output-denied": Rule("result", failed="type", **_AI_CALL),
    "source-url": Rule("source", "url", name="title"),
    **_quiet(
        "text-start text-end reasoning-start reasoning-end start-step finish-step source-document"
        " file reasoning-file custom message-metadata tool-approval-request tool-approval-response"
    ),
}

# AG-UI: https://docs.ag-ui.com/concepts/events, and of the usage of a run
# https://docs.ag-ui.com/spec/1.0/events/lifecycle.
_AG_TEXT = Rule("text", "delta", key="messageId")
_AG_REASONING = Rule("reasoning", "delta", key="messageId")
_AG_CALL = {"call_id": "toolCallId", "name": "toolCallName"}

AG_UI: Table = {
    "RUN_STARTED": Rule("start"),
    "RUN_FINISHED": Rule("done", reason="outcome.type", usage="usage"),
    "RUN_ERROR": Rule("error", "message", usage="usage"),
    "STEP_STARTED": Rule("status", "stepName"),
    "TEXT_MESSAGE_CONTENT": _AG_TEXT,
    "TEXT_MESSAGE_CHUNK": _AG_TEXT,
    "REASONING_MESSAGE_CONTENT": _AG_REASONING,
    "REASONING_MESSAGE_CHUNK": _AG_REASONING,
    "THINKING_TEXT_MESSAGE_CONTENT": _AG_REASONING,  # its former name
    "TOOL_CALL_START": Rule("call", **_AG_CALL),
    "TOOL_CALL_ARGS": Rule("arguments", "delta", **_AG_CALL),
    "TOOL_CALL_CHUNK": Rule("arguments", "delta", **_AG_CALL),
    "TOOL_CALL_END": Rule("input_over", **_AG_CALL),
    "TOOL_CALL_RESULT": Rule("result", "content", **_AG_CALL),
    **_quiet(
        "STEP_FINISHED TEXT_MESSAGE_START TEXT_MESSAGE_END REASONING_START REASONING_MESSAGE_START"
        " REASONING_MESSAGE_END REASONING_END REASONING_ENCRYPTED_VALUE THINKING_START THINKING_END"
        " THINKING_TEXT_MESSAGE_START THINKING_TEXT_MESSAGE_END RAW CUSTOM STATE_SNAPSHOT"
        " STATE_DELTA ACTIVITY_SNAPSHOT ACTIVITY_DELTA"
    ),
}

# Dify's chat applications: https://docs.dify.ai/api-reference/chat/send-chat-message, and
# `web/app/components/develop/template/template_chat.en.mdx` of langgenius/dify.
DIFY: Table = {
    "message": Rule("text", "answer", usage="metadata.usage"),
    "agent_message": Rule("text", "answer"),
    "message_end": Rule("done", usage="metadata.usage"),
    "error": Rule("error", "message"),
    "ping": Rule("heartbeat"),
    "node_started": Rule("status", "data.title"),
    **_quiet(
        "message_file message_replace tts_message tts_message_end workflow_started node_finished"
        " workflow_finished"
    ),
}

BY_TYPE: Table = {**AI_SDK, **AG_UI, **COMMON}
"""By the field `type`, or by the SSE event's name."""
