"""The AI SDK's UI message stream: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. Its `error`
is the common form's."""

from lfgtui.providers.agent_server.dialects.rules import NOTHING, Rule, Table

_CALL = {"call_id": "toolCallId", "name": "toolName", "input": "input"}

RULES: Table = {
    "start": Rule("start"),
    "finish": Rule("done", reason="finishReason"),
    "abort": Rule("error", "reason"),
    "text-delta": Rule("text", "delta"),
    "reasoning-delta": Rule("reasoning", "delta"),
    "tool-input-start": Rule("call", **_CALL),
    "tool-input-delta": Rule("arguments", "inputTextDelta", call_id="toolCallId"),
    "tool-input-available": Rule("call", **_CALL),
    "tool-input-error": Rule("result", "errorText", failed="errorText", **_CALL),
    "tool-output-available": Rule("result", "output", **_CALL),
    "tool-output-error": Rule("result", "errorText", failed="errorText", **_CALL),
    "tool-output-denied": Rule("result", failed="type", **_CALL),
    "source-url": Rule("source", "url", name="title"),
    **dict.fromkeys(
        (
            *("text-start", "text-end", "reasoning-start", "reasoning-end", "start-step"),
            *("finish-step", "source-document", "file", "reasoning-file", "custom"),
            *("message-metadata", "tool-approval-request", "tool-approval-response"),
        ),
        NOTHING,
    ),
}
