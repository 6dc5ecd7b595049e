"""JSON from strangers: read what can be read, and never raise over the rest.

A record of the wrong shape costs the fields that are wrong and nothing else,
so the accessors answer with an empty value of the right type.
"""

import json
from typing import TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, object]

_object_decoder = msgspec.json.Decoder(dict[str, object])
_encoder = msgspec.json.Encoder()


def parse(data: str | bytes) -> object:
    """Any JSON value; raises `ValueError`.

    msgspec first, for speed. The standard library after it takes what some
    servers send all the same: half of a surrogate pair, NaN, raw control
    characters in strings.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        return _clean(json.loads(text, strict=False, parse_constant=lambda _: None))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_object(data: str | bytes) -> JsonObject | None:
    """A JSON object, or None where the data is anything else.

    The only object of a list counts: so Google sends its errors.
    """
    try:
        return _object_decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        value = parse(data)
    except ValueError:
        return None
    return as_object(value[0] if isinstance(value, list) and len(value) == 1 else value)


def compact(value: object) -> str:
    """The value as JSON text; "" for one nested too deeply to write."""
    try:
        return _encoder.encode(value).decode()
    except RecursionError:
        return ""


def as_object(value: object) -> JsonObject | None:
    """The value if it is an object."""
    if isinstance(value, dict):
        return value
    return None


def text(record: JsonObject, key: str) -> str:
    """A string field, "" where it is missing or no string."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def number(record: JsonObject, key: str) -> int | None:
    """A field that counts, None where it is missing or no number."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return int(value)
    except (OverflowError, ValueError):
        return None


def child(record: JsonObject, key: str) -> JsonObject:
    """An object field, {} where it is missing or no object."""
    return as_object(record.get(key)) or {}


def children(record: JsonObject, key: str) -> list[JsonObject]:
    """The objects of a list field."""
    value = record.get(key)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def _clean(value: object) -> object:
    """The value without lone surrogates, which no UTF-8 file or screen can take."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {str(_clean(key)): _clean(item) for key, item in value.items()}
    return value
