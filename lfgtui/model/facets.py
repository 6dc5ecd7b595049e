"""The facets of an event: all that merging, packing, search, redaction and gauges know of it.

A class of events declares them once, and whoever handles events asks for them instead of for
the type.
"""

from collections.abc import Hashable, Iterator
from functools import cache
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import msgspec

Kind: TypeAlias = Literal["text", "reasoning", "prompt", "tool_call", "tool_output", "error"]
"""The kinds of text that search tells apart."""

Part: TypeAlias = Literal["begins", "replaces", "completes"]
"""The part of an event in the text of its call: it begins a new one, stands for all pieces, or
repeats their text in whole or in part."""

Ends: TypeAlias = Literal["nothing", "text", "response", "turn"]
"""The texts that end with an event. `nothing`: it may come in the middle of any; `text`: those
without a call, and that of its own call, as an event with a part does; `response`: all; `turn`:
all, and the entries so far are complete."""


class Facets(NamedTuple):
    """The declaration. All but `kind` and the last three are names of fields.

    `kind`: None if search does not find it; `text`: the text that pieces are joined by;
    `call`: the id of its call; `tool`: the name of the call's tool; `json`: a value as others
    made it, of any depth; `also`: a text for search beside these. `merges`: neighbours that
    differ in nothing but `text` become one.
    """

    kind: Kind | None = None
    text: str = ""
    call: str = ""
    tool: str = ""
    json: str = ""
    also: str = ""
    merges: bool = False
    part: Part | None = None
    ends: Ends = "nothing"

    @property
    def is_piece(self) -> bool:
        """True for a piece of a longer text."""
        return self.merges and self.text != ""

    @property
    def is_generated(self) -> bool:
        """True for a piece from the model: what tokens a second are counted from."""
        return self.is_piece and self.kind != "tool_output"

    @property
    def is_aside(self) -> bool:
        """True if it comes in the middle of anything: the text before it goes on behind it."""
        return self.ends == "nothing" and self.part is None and not self.is_piece


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=_snake):
    """Something that happened."""

    facets: ClassVar[Facets] = Facets()


def text_of(event: Event) -> str:
    """Return the event's text; "" if it has none."""
    return _field(event, event.facets.text)


def call_of(event: Event) -> str:
    """Return the id of the event's call; "" if it has none."""
    return _field(event, event.facets.call)


def tool_of(event: Event) -> str:
    """Return the name of the tool that the event names; "" if it names none."""
    return _field(event, event.facets.tool)


def kind_of(event: Event) -> Kind | None:
    """Return the kind of the event's text: without output yet, a hosted tool is but a call."""
    facets = event.facets
    is_call = facets.kind == "tool_output" and facets.tool and not text_of(event)
    return "tool_call" if is_call else facets.kind


def with_text(event: Event, text: str) -> Event:
    """Return the event with another text."""
    if text == text_of(event):
        return event
    return msgspec.structs.replace(event, **{event.facets.text: text})


def stream_of(event: Event) -> Hashable:
    """Return a key for the text that the event is a piece of: all its fields but the text."""
    return (type(event), *(getattr(event, name) for name in _fields_beside_text(type(event))))


def merge(earlier: Event, later: Event) -> Event | None:
    """Return two neighbours as one event, or None if they must stay two."""
    if type(earlier) is not type(later) or not earlier.facets.merges:
        return None
    if stream_of(earlier) != stream_of(later):
        return None
    return with_text(earlier, text_of(earlier) + text_of(later))


def searchable(event: Event) -> str:
    """Return the text that search finds; what is said twice stands in it once."""
    found: list[str] = []
    for name in _searched_fields(type(event)):
        value = getattr(event, name)
        text = "\n".join(_leaves(value)) if name == event.facets.json else value or ""
        if text and not any(text in earlier for earlier in found):
            found.append(text)
    return "\n".join(found).replace("\0", "\u2400")  # for SQLite a text ends at NUL


def _field(event: Event, name: str) -> str:
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
    """Yield the values inside one, each behind its name: in JSON, `\\nmain` is the word `nmain`."""
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
