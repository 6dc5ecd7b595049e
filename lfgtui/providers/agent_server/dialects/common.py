"""The common event form, and an object without a type, which is a piece of text.

    {"type": "status" | "token" | "text" | "reasoning" | "tool_call" | "tool_output" |
     "tool_result" | "error" | "done", "content" | "message" | ...: ..., "usage": {...}}

The type may also be the SSE event's name.
"""

from lfgtui.providers.agent_server.dialects.rules import Rule, Table

TEXT_FIELDS = ("content", "message", "text", "delta")
_TEXT = " ".join(TEXT_FIELDS)
_CALL = {
    "text": "content output result error",
    "call_id": "call_id tool_call_id toolCallId id",  # `id` may be the number to resume from
    "name": "name tool tool_name",
    "usage": "usage",
}
UNTYPED = Rule("text", _TEXT, usage="usage")

RULES: Table = {
    "status": Rule("status", _TEXT, usage="usage"),
    "token": UNTYPED,
    "text": UNTYPED,
    "reasoning": Rule("reasoning", _TEXT, usage="usage"),
    "tool_call": Rule("call", input="input arguments args", **_CALL),
    "tool_output": Rule("output", **_CALL),
    "tool_result": Rule("result", failed="is_error error", **_CALL),
    # `errorText` is the AI SDK's, whose type of this name is the same.
    "error": Rule("error", "message error.message error errorText content detail"),
    "done": Rule("done", reason="finish_reason stop_reason", failed="error", usage="usage"),
    "heartbeat": Rule("heartbeat"),
    "ping": Rule("heartbeat"),
}
