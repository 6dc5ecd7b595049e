"""Dify's chat applications: https://docs.dify.ai/api-reference/chat/send-chat-message, and
`web/app/components/develop/template/template_chat.en.mdx` of langgenius/dify. The type is in
`event`."""

from collections.abc import Iterator

from lfgtui.providers.agent_server.dialects.rules import NOTHING, Match, Rule, Table
from lfgtui.providers.lenient_json import JsonObject

_CALL = Rule("call", call_id="id", name="tool", input="tool_input")
_RESULT = Rule("result", "observation", call_id="id", name="tool")

RULES: Table = {
    "message": Rule("text", "answer", usage="metadata.usage"),
    "agent_message": Rule("text", "answer"),
    "message_end": Rule("done", usage="metadata.usage"),
    "error": Rule("error", "message"),
    "ping": Rule("heartbeat"),
    "node_started": Rule("status", "data.title"),
    **dict.fromkeys(
        (
            *("message_file", "message_replace", "tts_message", "tts_message_end"),
            *("workflow_started", "node_finished", "workflow_finished"),
        ),
        NOTHING,
    ),
}


def read(record: JsonObject) -> Iterator[Match] | None:
    """Return what is in a step of an agent's, whose thought is streamed as the answer too."""
    return _step(record) if record.get("event") == "agent_thought" else None


def _step(record: JsonObject) -> Iterator[Match]:
    if record.get("tool"):
        yield Match(_CALL, record)
    if record.get("tool") and record.get("observation"):
        yield Match(_RESULT, record)
