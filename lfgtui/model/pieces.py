"""The texts of events, which their facets name: read, merged, keyed and joined for search.

The recorder merges neighbouring deltas before it stores them; redaction and guards use the keys
to tell which pieces are of one text.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import TypeVar

import msgspec

from lfgtui.model.events import ApprovalRequested, Event, FileChange
from lfgtui.model.facets import IndexedKind
from lfgtui.model.ticket_keys.guards import Channel

_E = TypeVar("_E", bound=Event)

_CHANNELS: Mapping[IndexedKind | None, Channel] = {
    "text": "text",
    "reasoning": "reasoning",
    "tool_call": "arguments",
    "tool_output": "output",
}
"""The channel of guards that each kind of text belongs to; guards do not read other kinds."""


def text_of(event: Event) -> str:
    """Return the event's text; "" if it has none."""
    return _field(event, event.facets.text)


def call_of(event: Event) -> str:
    """Return the id of the event's call; "" if it has none."""
    return _field(event, event.facets.call)


def tool_of(event: Event) -> str:
    """Return the name of the tool that the event names; "" if it names none."""
    return _field(event, event.facets.tool)


def kind_of(event: Event) -> IndexedKind | None:
    """Return the kind of the event's text; None if it has none.

    A `HostedTool` without output counts as a call. An ending without a reason and a request
    without a fingerprint have no text.
    """
    facets = event.facets
    if facets.kind in ("error", "fingerprint") and facets.ends == "turn" and not text_of(event):
        return None
    is_call = facets.kind == "tool_output" and facets.tool and not text_of(event)
    return "tool_call" if is_call else facets.kind


@cache
def channel_of(kind: type[Event]) -> Channel | None:
    """Return the guards' channel of a class of events; None if guards do not read its text."""
    if issubclass(kind, FileChange | ApprovalRequested):  # what a call would do
        return "arguments"
    return _CHANNELS.get(kind.facets.kind)


def with_text(event: _E, text: str) -> _E:
    """Return the event with another text."""
    if text == text_of(event):
        return event
    return msgspec.structs.replace(event, **{event.facets.text: text})


def stream_of(event: Event) -> Hashable:
    """Return a key for the text that a piece belongs to: its class and all fields but the text."""
    return (type(event), *(getattr(event, name) for name in _fields_beside_text(type(event))))


def merge(earlier: Event, later: Event) -> Event | None:
    """Return two neighbours as one event; None if they are not pieces of the same text."""
    if type(earlier) is not type(later) or not earlier.facets.merges:
        return None
    if stream_of(earlier) != stream_of(later):
        return None
    return with_text(earlier, text_of(earlier) + text_of(later))


def joined(events: Iterable[_E]) -> Iterator[_E]:
    """Yield the events, neighbours that `merge` as one."""
    run: list[_E] = []
    stream: Hashable = None
    for event in events:
        its = stream_of(event) if event.facets.merges else None
        if run and (its is None or its != stream):
            yield _as_one(run)
            run = []
        run.append(event)
        stream = its
    if run:
        yield _as_one(run)


def _as_one(run: list[_E]) -> _E:
    return run[0] if len(run) == 1 else with_text(run[0], "".join(map(text_of, run)))


def searchable(event: Event) -> str:
    """Return the text for the search index; a text that is part of an earlier one is left out."""
    texts: list[str] = []
    for name in _searched_fields(type(event)):
        value = getattr(event, name)
        text = "\n".join(_leaves(value)) if name == event.facets.json else value or ""
        if text and not any(text in earlier for earlier in texts):
            texts.append(text)
    return "\n".join(texts).replace("\0", "\u2400")  # SQLite ends a text at NUL


def _field(event: Event, name: str) -> str:
    """Return the field that a facet names; "" if the facet is "", the field None or absent."""
    return (getattr(event, name) or "") if name else ""


@cache
def _fields_beside_text(kind: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name != kind.facets.text)


@cache
def _searched_fields(kind: type[Event]) -> tuple[str, ...]:
    facets = kind.facets
    searched = {facets.text, facets.tool, facets.json, facets.also}
    return tuple(name for name in kind.__struct_fields__ if name in searched)


def _leaves(value: object, name: str = "") -> Iterator[str]:
    """Yield the values inside a JSON value, each after its name.

    The JSON text itself is not searched: in it, a newline before `main` makes the word `nmain`.
    """
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, f"{key}: ")
        case list():
            for inner in value:
                yield from _leaves(inner)
        case bool():
            yield f"{name}{str(value).lower()}"
        case None:
            pass
        case _:
            yield f"{name}{value}"
