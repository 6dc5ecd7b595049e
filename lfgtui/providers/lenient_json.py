"""JSON of any server: read what can be read, and raise if something essential is lost.

There are two ways to read a field. If it is optional, a value of the wrong type
costs only the field: `text`, `child` and the like return an empty value. If it is
part of what the model says (text, arguments, the index of a piece), a value of the
wrong type means that a piece is missing, and the rest may say something else:
`exact_text`, `index` and the like raise `UnreadableError`, which fails the response.
"""

import json
from typing import TypeAlias, TypeVar

import msgspec

from lfgtui.model.bounds import is_too_deep

JsonObject: TypeAlias = dict[str, object]

LARGEST = 2**53 - 1
"""The largest number that every reader of JSON reads exactly (RFC 8259, 6)."""

MOST_PLACES = 1_000_000
"""The largest valid index; no response has as many blocks, items or calls."""

MOST_ITEMS = 5_000
"""Most objects of one list: each is at least one event, made before the event loop runs again."""


class UnreadableError(ValueError):
    """A record that cannot be read, or only by guessing."""


_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def parse(data: str | bytes) -> object:
    """Read any JSON value; raise `ValueError` if it is not one, or is nested too deeply.

    msgspec comes first, for speed. The standard library then reads what some
    servers send although it is not JSON: half of a surrogate pair, NaN, raw
    control characters in strings.
    """
    try:
        value = _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _clean(_not_too_deep(_parse_leniently(data), data))
    return _not_too_deep(value, data)


def parse_object(data: str | bytes) -> JsonObject | None:
    """Read a JSON object; return None for any other data.

    A list of one object counts as that object: Google sends its errors so.
    """
    try:
        return record_of(data)
    except ValueError:
        return None


def record_of(data: str | bytes) -> JsonObject | None:
    """Read as `parse_object` does, but raise `UnreadableError` for data that is not JSON."""
    try:
        value = parse(data)
    except UnreadableError:
        raise
    except ValueError as error:
        raise UnreadableError(f"{NOT_JSON} ({error})") from error
    return as_object(value[0] if isinstance(value, list) and len(value) == 1 else value)


def compact(value: object) -> str:
    """Return the value as JSON text; "" for one nested too deeply to write."""
    try:
        return _encoder.encode(value).decode()
    except RecursionError:
        return ""


def as_object(value: object) -> JsonObject | None:
    """Return the value if it is an object, else None."""
    return value if isinstance(value, dict) else None


def text(record: JsonObject, *keys: str) -> str:
    """Return the first of the fields that is a non-empty string, or ""."""
    for key in keys:
        value = record.get(key)
        if value and isinstance(value, str):
            return value
    return ""


def strings(value: object) -> list[str]:
    """Return the strings of a list; [] if it is not a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def exact_text(record: JsonObject, key: str) -> str:
    """Return a string field, "" if it is missing or null; raise `UnreadableError` for others."""
    return _exact(record, key, str) or ""


def exact_child(record: JsonObject, key: str) -> JsonObject:
    """Return an object field, {} if it is missing or null; raise `UnreadableError` for others."""
    return _exact(record, key, dict) or {}


def exact_children(record: JsonObject, key: str) -> list[JsonObject]:
    """Return the objects of a list field; raise `UnreadableError` if a part is not an object."""
    items = _refuse_many(_exact(record, key, list) or [], key)
    for item in items:
        if not isinstance(item, dict):
            raise UnreadableError(f'"{key}" holds {_kind(item)}, not an object')
    return items


def index(record: JsonObject, key: str) -> int | None:
    """Return an index field, None if it is missing or null; raise `UnreadableError` for others."""
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError(f'"{key}" is {_kind(value)}, not a number')
    if not (0 <= value <= MOST_PLACES and value == int(value)):
        raise UnreadableError(f'"{key}" is not a valid index')
    return int(value)


def number(record: JsonObject, key: str) -> int | None:
    """Return a number field as an integer, None if it is missing or not a number.

    Every number of a record is read here or by `index`, so none is larger than `LARGEST`.
    """
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(max(-LARGEST, min(LARGEST, value)))


def child(record: JsonObject, key: str) -> JsonObject:
    """Return an object field, {} if it is missing or not an object."""
    return as_object(record.get(key)) or {}


def children(record: JsonObject, key: str) -> list[JsonObject]:
    """Return the objects of a list field; raise `UnreadableError` if there are too many."""
    return objects_in(record.get(key), key)


def objects_in(value: object, name: str) -> list[JsonObject]:
    """Return the objects of the named list; raise `UnreadableError` for too many."""
    if not isinstance(value, list):
        return []
    return [item for item in _refuse_many(value, name) if isinstance(item, dict)]


NO_UTF8 = "a record is not UTF-8"
NOT_JSON = "a record is not valid JSON"
TOO_DEEP = "a record is nested too deeply"
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a string",
          list: "a list", dict: "an object", type(None): "null"}  # fmt: skip

_Value = TypeVar("_Value")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "something else")


def _exact(record: JsonObject, key: str, kind: type[_Value]) -> _Value | None:
    """Return a field of that type, None if it is missing or null; raise `UnreadableError`."""
    value = record.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise UnreadableError(f'"{key}" is {_kind(value)}, not {_KINDS[kind]}')


def _refuse_many(items: list[_Value], name: str) -> list[_Value]:
    """Return the list of that name; raise `UnreadableError` if it is too long."""
    if len(items) > MOST_ITEMS:
        raise UnreadableError(f'"{name}" holds more than {MOST_ITEMS:,} items')
    return items


def _parse_leniently(data: str | bytes) -> object:
    """Read with the standard library, NaN and infinity as None."""
    try:
        text = data.decode() if isinstance(data, bytes) else data
        return json.loads(text, strict=False, parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise UnreadableError(NO_UTF8) from error
    except RecursionError as error:
        raise UnreadableError(TOO_DEEP) from error


def _not_too_deep(value: _Value, data: str | bytes) -> _Value:
    """Return the value that was read from the data; raise `UnreadableError` for deep nesting."""
    if is_too_deep(value, data):
        raise UnreadableError(TOO_DEEP)
    return value


def _clean(value: object) -> object:
    """Return the value without lone surrogates, which no UTF-8 file or screen can take."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {str(_clean(key)): _clean(item) for key, item in value.items()}
    return value
