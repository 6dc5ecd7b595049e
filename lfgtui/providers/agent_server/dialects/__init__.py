"""The event forms of agent servers: those that are documented, each with its source.

A record is looked up by the key that its dialect uses. No two dialects give one
name two meanings, so the config need not name the dialect of a server.
"""

from collections.abc import Iterable

from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.dialects import nested
from lfgtui.providers.agent_server.dialects.rules import Match
from lfgtui.providers.agent_server.dialects.tables import (
    BY_TYPE,
    COMMON,
    DIFY,
    TEXT_FIELDS,
    UNTYPED,
)


def find(name: str, value: object) -> Iterable[Match] | None:
    """Return what an event of that name holds, in order; None where no dialect knows it."""
    if not isinstance(value, dict):
        return nested.langgraph(name, value)
    for read in (nested.ag_ui, nested.dify, nested.a2a, nested.adk):
        if (matches := read(value)) is not None:
            return matches
    kind, event = lenient_json.text(value, "type"), lenient_json.text(value, "event")
    rule = BY_TYPE.get(kind) or DIFY.get(event)
    if rule is None and name:
        if (within := nested.langgraph(name, value)) is not None:
            return within
        rule = BY_TYPE.get(name)
    if rule is None and not (kind or event or name):
        if value.get("error"):
            rule = COMMON["error"]
        elif any(field in value for field in TEXT_FIELDS):
            rule = UNTYPED
    return None if rule is None else (Match(rule, value),)
