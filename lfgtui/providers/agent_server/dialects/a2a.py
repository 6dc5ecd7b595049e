"""A2A, 0.3 and 1.0, over JSON-RPC or plain HTTP: https://a2a-protocol.org/latest/specification/,
https://a2a-protocol.org/latest/whats-new-v1/. In 0.3 the type is in `kind`, in 1.0 it is the name
of the only field."""

from collections.abc import Iterator

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects.rules import Match, Rule, text_of
from lfgtui.providers.lenient_json import JsonObject

_KINDS = {
    "task": "task",
    "message": "message",
    "status-update": "statusUpdate",
    "artifact-update": "artifactUpdate",
}
_BAD = frozenset({"failed", "canceled", "rejected"})
_LAST = frozenset({"completed", "input-required", "auth-required"})

_FORMS = frozenset({"parts", "status", "artifact"})

_RUNS, _DONE = Rule("unfinished"), Rule("done", reason="state")
_TEXT, _WHOLE = Rule("text", "parts"), Rule("whole_text", "parts")
_STATUS, _ERROR = Rule("status", "text"), Rule("error", "message")


def read(record: JsonObject) -> Iterator[Match] | None:
    """Return what is in an event; None where it is none of A2A's."""
    if "jsonrpc" in record:
        if error := lenient_json.child(record, "error"):
            return iter([Match(_ERROR, error)])
        record = lenient_json.child(record, "result")
    if kind := _KINDS.get(lenient_json.text(record, "kind")):
        return _event(kind, record)
    for kind in _KINDS.values():
        inner = lenient_json.child(record, kind)
        if record.keys() == {kind} and inner.keys() & _FORMS:
            return _event(kind, inner)
    return None


def _event(kind: str, record: JsonObject) -> Iterator[Match]:
    if kind == "message":
        yield Match(_WHOLE, record, lenient_json.text(record, "messageId"))
        yield Match(_DONE, {})
        return
    yield Match(_RUNS, {})
    if kind == "artifactUpdate":
        artifact = lenient_json.child(record, "artifact")
        is_piece = record.get("append") is True or record.get("lastChunk") is not True
        key = lenient_json.text(artifact, "artifactId")
        yield Match(_TEXT if is_piece else _WHOLE, artifact, key)
        return
    for artifact in lenient_json.children(record, "artifacts"):
        yield Match(_WHOLE, artifact, lenient_json.text(artifact, "artifactId"))
    yield from _status(lenient_json.child(record, "status"))
    if record.get("final") is True:
        yield Match(_DONE, {})


def _status(status: JsonObject) -> Iterator[Match]:
    state = lenient_json.text(status, "state").removeprefix("TASK_STATE_").replace("_", "-").lower()
    message = lenient_json.child(status, "message")
    text = text_of(message.get("parts"))
    if state in _BAD:
        yield Match(_ERROR, {"message": text or f"the agent ended its task: {state}"})
    elif state in _LAST:
        yield Match(_WHOLE, message, lenient_json.text(message, "messageId"))
        yield Match(_DONE, {"state": state.replace("-", "_")})
    elif text:
        yield Match(_STATUS, {"text": text})
