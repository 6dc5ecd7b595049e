"""The dialects of agent servers: documented forms of events, each with its source.

A record is looked up by the field that its dialect has the type in. No two dialects
give one type two meanings, so the config need not name the dialect of a server. A new
dialect is a table in `BY_TYPE` (`tables`) or, if one record may be several events, a
reader that `find` calls (`nested`).
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

_TYPE_FIELDS = frozenset({"type", "event", "jsonrpc", "author", "kind"})
"""Fields by which a dialect's records are told from text that happens to be JSON."""
_IN_WORDS = frozenset({"text", "reasoning", "output", "result"})
"""Meanings of records whose content is text, of which JSON may be a piece."""


def find(name: str, value: object) -> Iterable[Match] | None:
    """Return the matches in an event of that name, in order; None if no dialect knows it."""
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


def may_be_text(name: str) -> bool:
    """Return True if the data of SSE events of that name may be plain text instead of JSON."""
    return not name or name in COMMON


def must_be_text(name: str, value: object) -> bool:
    """Return True if JSON that is not an event must be text under that name, as a token `42`."""
    rule = COMMON.get(name)
    return rule is not None and rule.means in _IN_WORDS and not isinstance(value, str)


def is_event(name: str, value: object) -> bool:
    """Return True for JSON that is an event, or several, by its own type or by the name."""
    if not may_be_text(name):
        return find(name, value) is not None
    records = value if isinstance(value, list) else [value]
    return any(names_its_type(record) or _is_of(name, record) for record in records)


def names_its_type(value: object) -> bool:
    """Return True for a record whose own fields name a known type."""
    if not isinstance(value, dict) or not value.keys() & _TYPE_FIELDS:
        return False
    return find("", value) is not None


def _is_of(name: str, value: object) -> bool:
    """Return True for an object with a field that the common form has for events of that name."""
    fields = COMMON[name].fields if name else ()
    return isinstance(value, dict) and any(field in value for field in fields)
