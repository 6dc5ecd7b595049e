"""The rules in the dialects' tables: what a record means, and which fields have its parts.

Fields are given as paths, `data.title` for the field `title` of the object
`data`; of several, with spaces between them, the first that is not empty counts.
`decoder` acts on the meanings.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject, UnreadableError

Meaning: TypeAlias = Literal[
    "text",  # a piece of the answer
    "whole_text",  # a message of the answer, which may have come in pieces before
    "reasoning",
    "whole_reasoning",
    "status",
    "call",  # the agent began a tool call, or its input is complete
    "arguments",  # a piece of its input
    "input_over",  # all of its input has come
    "output",  # a piece of what it prints
    "result",
    "source",
    "error",
    "unfinished",  # the run will have a `done`: without one it was cut
    "start",  # the same, in the first event of a run
    "done",
    "heartbeat",
    "accepts",  # the agent takes messages or a cancel during the run
    "message_taken",
    "message_refused",
    "usage",
    "nothing",  # a documented type that the person need not see
]

Counts: TypeAlias = tuple[int, ...]
"""Tokens: of the input, of the output, and those of the input that were cached."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The meaning of a record, and the paths of its parts; "" for a part that it does not have."""

    means: Meaning
    text: str = ""
    key: str = ""
    """Field with an id: of the message that a text belongs to; of the one that `message_taken` or
    `message_refused` is about; or of the response whose tokens are counted."""
    call_id: str = ""
    name: str = ""
    input: str = ""
    failed: str = ""
    """Field that is neither missing, null nor false if a call or a run failed."""
    reason: str = ""
    usage: str = ""

    @property
    def fields(self) -> set[str]:
        """The outermost fields of a record that the parts are in; that of `key` is left out."""
        paths = (self.text, self.call_id, self.name, self.input, self.failed, self.reason)
        return {path[0] for parts in (*paths, self.usage) for path in _split(parts)}


class Match(NamedTuple):
    """A record, or a part of one, with the rule that applies to it.

    `key` is the id of the text's message; for one without an id in a snapshot of the
    conversation, its position, from 1; or "".
    """

    rule: Rule
    record: JsonObject
    key: str | int = ""


# The common form and LangGraph; Dify; AG-UI; ADK.
_COUNTS = (
    "input_tokens prompt_tokens inputTokens promptTokenCount",
    "output_tokens completion_tokens outputTokens candidatesTokenCount",
    "cached_tokens input_token_details.cache_read cachedInputTokens cachedContentTokenCount",
)


def first(record: JsonObject, paths: str) -> object:
    """Return the first of the fields that is not empty; None if all are."""
    for path in _split(paths):
        value: object = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and value != "":
            return value
    return None


def word(record: JsonObject, paths: str) -> str:
    """Return the first non-empty field if it is a string or a number, else ""."""
    value = first(record, paths)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def text_of(value: object) -> str:
    """Return the text of a string, or of a list's parts; raise `UnreadableError` for a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        raise UnreadableError("a piece of text is not a string")
    if isinstance(value, list):
        return "".join(text_of(item) for item in value if isinstance(item, str | dict))
    return lenient_json.text(value, "text") if isinstance(value, dict) else ""


def as_json(value: object) -> str:
    """Return a tool's input or result: a string as it came, the text of text parts, else JSON."""
    if isinstance(value, list) and value and all(map(_is_text_part, value)):
        return "\n".join(map(text_of, value))
    if value is None or isinstance(value, str):
        return value or ""
    return lenient_json.compact(value)


def counts_of(value: object) -> Counts | None:
    """Return the tokens in a `usage`, or the sum of several models'; None if there are none."""
    if value is None:
        return None
    if isinstance(value, list):
        several = [each for item in value if (each := counts_of(item)) is not None]
        return tuple(map(sum, zip(*several, strict=True))) or None
    counts = [_number(value, paths) for paths in _COUNTS]
    return None if counts[:2] == [None, None] else tuple(count or 0 for count in counts)


@cache
def _split(paths: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in paths.split())


def _number(value: object, paths: str) -> int | None:
    record = lenient_json.as_object(value) or {}
    return lenient_json.number({"count": first(record, paths)}, "count")


def _is_text_part(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("text"), str)
