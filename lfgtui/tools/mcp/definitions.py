"""A server's list of tools, made fit for models: names, descriptions and schemas.

All of it is the server's text. It is bounded, and characters that no person could see are removed,
since the model obeys descriptions; annotations such as `readOnlyHint` are mere claims, and ignored.

Providers accept names of up to 64 letters, digits, "_" and "-", and schemas of an object. Some
refuse a schema with alternatives at its top, so these are left out (the server checks its input
itself), as are keys that only name the schema's dialect.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from lfgtui.model.ticket_keys.approvals import server_prefix
from lfgtui.text.terminal_safe import escaped, without_controls
from lfgtui.tools.arguments import Tool
from lfgtui.tools.limits import cut_line, cut_middle

MOST_TOOLS = 128
"""Most tools of one server that are offered; some wires take no more."""

_LONGEST_NAME = 64
_LONGEST_DESCRIPTION = 8_000  # characters
_LARGEST_SCHEMA = 50_000  # bytes of JSON
_SHOWN = 80  # characters of a server's word in a message
_TOP_ALTERNATIVES = ("oneOf", "anyOf", "allOf", "not", "if", "then", "else", "enum", "const")
_DIALECT = ("$schema", "$id", "$comment")


@dataclass(frozen=True, slots=True)
class Definition(Tool):
    """A tool as it is offered to the model.

    `title` is its name on its server; `digest` is of the name, description and schema there.
    """

    title: str
    digest: str


class Listing(NamedTuple):
    """The tools of a server by the names that lfg gives them, and remarks on those left out."""

    tools: Mapping[str, Definition]
    remarks: Sequence[str]


def listing_of(
    server: str, listed: Sequence[Mapping[str, object]], wanted: Collection[str] | None
) -> Listing:
    """Return the offered tools of a server's list; `wanted` are the server's names, None: all."""
    tools: dict[str, Definition] = {}
    remarks: list[str] = []
    for one in listed:
        title = one.get("name")
        if not isinstance(title, str) or (wanted is not None and title not in wanted):
            continue
        name, schema = _offered_name(server, title), _fitting_schema(one.get("inputSchema"))
        if name in tools:
            remarks.append(f"{server} has two tools {shown(title)}; the first is offered")
        elif schema is None:
            remarks.append(f"{server} has a tool {shown(title)} with too large a schema to offer")
        elif len(tools) == MOST_TOOLS:
            remarks.append(f"{server} has more than {MOST_TOOLS} tools; choose some with `tools`")
            break
        else:
            description = one.get("description")
            text = without_controls(description) if isinstance(description, str) else ""
            text = cut_middle(text, _LONGEST_DESCRIPTION)
            tools[name] = Definition(name, text, schema, title, _digest(one))
    titles = {tool.title for tool in tools.values()}
    if missing := [shown(name) for name in wanted or () if name not in titles]:
        remarks.append(f"{server} does not offer {', '.join(missing)}")
    return Listing(tools, remarks)


def shown(title: str) -> str:
    """Return a word of a server, safe to show and short."""
    return cut_line(escaped(title, blanks=False), _SHOWN)


def _offered_name(server: str, title: str) -> str:
    """Return lfg's name of the tool; it does not depend on the server's other tools.

    Where the server's name had to be changed, a part of its SHA-256 keeps it unique.
    """
    prefix = server_prefix(server)
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", title)[: _LONGEST_NAME - len(prefix)]
    if plain != title:
        mark = hashlib.sha256(title.encode("utf-8", "replace")).hexdigest()[:6]
        plain = f"{plain[: _LONGEST_NAME - len(prefix) - len(mark) - 1]}_{mark}"
    return prefix + plain


def _fitting_schema(given: object) -> dict[str, object] | None:
    """Return the schema as wires take it; None if it is too large."""
    known = given if isinstance(given, dict) else {}
    left_out = (*_TOP_ALTERNATIVES, *_DIALECT, "type", "properties")
    rest = {key: value for key, value in known.items() if key not in left_out}
    properties = known.get("properties")
    schema = {"type": "object", "properties": properties if isinstance(properties, dict) else {}}
    cleaned = dict(_cleaned({**schema, **rest}))
    return cleaned if len(msgspec.json.encode(cleaned)) <= _LARGEST_SCHEMA else None


def _cleaned(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the members of an object without control characters in any of their strings."""
    for key, value in table.items():
        yield without_controls(key), _clean(value)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return without_controls(value)
    if isinstance(value, dict):
        return dict(_cleaned(value))
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _digest(one: Mapping[str, object]) -> str:
    parts = {key: one.get(key) for key in ("name", "description", "inputSchema")}
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()
