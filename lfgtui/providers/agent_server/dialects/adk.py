"""Google's ADK, `/run_sse` and `/run`: https://google.github.io/adk-docs/runtime/api-server/,
https://google.github.io/adk-docs/api-reference/rest/."""

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

_CALL = Rule("call", call_id="id", name="name", input="args")
_RESULT = Rule("result", "response", call_id="id", name="name")
_USAGE = Rule("usage", key="id", usage="usageMetadata")
_ERROR = Rule("error", "errorMessage errorCode")


def read(record: JsonObject) -> Iterator[Match] | None:
    """Return what is in an event; None where it is none of ADK's."""
    author = record.get("author")
    is_event = isinstance(author, str) and record.keys() & {"content", "invocationId", "errorCode"}
    return _event(record, is_own=author != "user") if is_event else None


def _event(record: JsonObject, *, is_own: bool) -> Iterator[Match]:
    if record.get("errorCode"):
        yield Match(_ERROR, record)
    if not is_own:
        return
    parts = lenient_json.children(lenient_json.child(record, "content"), "parts")
    if record.get("partial") is True:
        for part in parts:
            if "text" in part:
                yield Match(REASONING if part.get("thought") is True else TEXT, part)
        return
    texts: dict[bool, list[str]] = {True: [], False: []}
    for part in parts:
        texts[part.get("thought") is True].append(lenient_json.exact_text(part, "text"))
    for is_thought, rule in ((True, WHOLE_REASONING), (False, WHOLE_TEXT)):
        if text := "".join(texts[is_thought]):
            yield Match(rule, {"text": text})
    yield Match(_USAGE, record)
    for part in parts:
        for field, rule in (("functionCall", _CALL), ("functionResponse", _RESULT)):
            if inner := lenient_json.child(part, field):
                yield Match(rule, inner)
