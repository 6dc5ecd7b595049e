"""The event forms of agent servers: one table for each that is documented.

A record is looked up by what its own dialect tells it by; no two tables share a
name and mean different things by it, so nobody has to say which server it is.
"""

from collections.abc import Iterable

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects import a2a, adk, ag_ui, ai_sdk, common, dify, langgraph
from lfgtui.providers.agent_server.dialects.rules import Match, Rule, Table
from lfgtui.providers.lenient_json import JsonObject

BY_TYPE: Table = {**ai_sdk.RULES, **ag_ui.RULES, **common.RULES}
"""By the field `type`, or by the SSE event's name."""

_WITHIN = (ag_ui.read, dify.read, a2a.read, adk.read)


def find(name: str, value: object) -> Iterable[Match] | None:
    """Return what an event of that name holds, in order; None where no table knows it."""
    record = lenient_json.as_object(value)
    if record is None:
        return langgraph.read(name, value)
    for read in _WITHIN:
        if (found := read(record)) is not None:
            return found
    kind, event = lenient_json.text(record, "type"), lenient_json.text(record, "event")
    rule = BY_TYPE.get(kind) or dify.RULES.get(event)
    if rule is None and name:
        if (within := langgraph.read(name, record)) is not None:
            return within
        rule = BY_TYPE.get(name)
    if rule is None and not (kind or event or name):
        rule = _untyped(record)
    return None if rule is None else (Match(rule, record),)


def _untyped(record: JsonObject) -> Rule | None:
    if record.get("error"):
        return common.RULES["error"]
    return common.UNTYPED if any(field in record for field in common.TEXT_FIELDS) else None
