"""Bounds for the numbers of an event, and for the depth of JSON values.
Providers, tools and files send any number that JSON can write, and some that it
cannot: a count of a thousand digits, a negative one, an infinity. Arithmetic
with them raises, and prices computed from them are wrong. So the numbers of an
event are clamped to these bounds when it is made, wherever it comes from: a
stream, a tool, a history that another lfg wrote, an import.
"""

import json
from collections.abc import Iterable
from math import isnan
from typing import TypeAlias

import msgspec

from lfgtui.model.clock import MOMENT

Range: TypeAlias = tuple[float, float]

_TOKENS: Range = (0, 10**9)  # of one response; the longest contexts hold some millions
_SECONDS: Range = (0.0, 1e9)  # up to some thirty years

RANGES: dict[str, Range] = {
    "turn": (0, 10**9),
    "message_seq": (0, 10**9),
    "attempt": (0, 10**9),
    "next_attempt": (0, 10**9),
    "input": _TOKENS,
    "output": _TOKENS,
    "cached": _TOKENS,
    "cache_write": _TOKENS,
    "cost": (0.0, 1e6),  # USD of one response
    "session_cost": (0.0, 1e6),
    "files": _TOKENS,
    "added": _TOKENS,
    "removed": _TOKENS,
    "used": _TOKENS,
    "size": _TOKENS,
    "tokens": _TOKENS,
    "context_window": _TOKENS,
    "delay": _SECONDS,
    "seconds": _SECONDS,
    "connect": _SECONDS,
    "commit": _SECONDS,
    "paint": _SECONDS,
    "exit_code": (-(2**32), 2**32),  # on any system
    "max_run_cost": (0.0, 1e6),
    "max_run_tokens": (0, 10**12),
    "max_run_time": _SECONDS,
    "until": MOMENT,
    "recorded_at": MOMENT,
    "started_at": MOMENT,
    "ended_at": MOMENT,
}
"""The bounds of every numeric field of events and of stored runs, by its name; a new field has to
be added. Whole numbers here make the field an integer."""

DEEPEST = 100
"""Most levels of nested JSON: values are written, redacted and shown by recursion, and
Python's stack is bounded."""

_MAY_BE_NONE = frozenset(
    {"cost", "session_cost", "exit_code", "connect"}  # fields that keep a None
    | {"max_run_cost", "max_run_tokens", "max_run_time"}
)
_DIGITS = 18  # a longer whole number is read as a float, so 64 bits hold the others
_FAR = 10.0**_DIGITS  # JSON's numbers are clamped to this on both sides of 0, then to `RANGES`


class Bounded(msgspec.Struct, frozen=True):
    """A value whose numbers are clamped to `RANGES` when it is made; a base of events."""

    def __post_init__(self) -> None:
        for name in RANGES.keys() & self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, int | float) and value != (held := within(value, RANGES[name])):
                msgspec.structs.force_setattr(self, name, held)


def within(value: float, bounds: Range) -> float:
    """Return the value clamped to the bounds; NaN becomes the lower one."""
    least, most = bounds
    if least <= value <= most:
        return value
    return most if value > most else least


def bounded_json(body: bytes | str) -> object:
    """Return the JSON of an event as Python values, for an event that msgspec cannot read.

    Numbers may be of any size or NaN; a number that is null, as older versions wrote NaN, becomes
    0 if its field takes no None. Raises `ValueError`.
    """
    event: object = json.loads(body, parse_int=_int, parse_float=_float, parse_constant=_float)
    if not isinstance(event, dict):
        return event
    for name in RANGES.keys() & event.keys():
        number = event[name]
        if number is None and name not in _MAY_BE_NONE:
            event[name] = 0
        elif isinstance(number, float) and isinstance(RANGES[name][0], int):
            event[name] = int(number)
    return event


def _int(digits: str) -> int:
    """Return the whole number; one with more than `_DIGITS` digits is clamped."""
    return int(digits) if len(digits) <= _DIGITS else int(_float(digits))


def _float(text: str) -> float:
    """Return the number, clamped to `_FAR`; 0 for NaN."""
    value = float(text)
    return 0.0 if isnan(value) else within(value, (-_FAR, _FAR))


def is_too_deep(value: object, data: str | bytes) -> bool:
    """Return True if the value, read from the JSON `data`, is nested deeper than `DEEPEST`.

    With fewer brackets in `data` it cannot be, and is not searched.
    """
    text = data if isinstance(data, str) else data.decode("latin-1")
    brackets = text.count("{") + text.count("[")
    level: list[object] = [value] if brackets > DEEPEST else []
    for _ in range(DEEPEST):
        if not level:  # most values: every record of a stream passes here
            return False
        insides = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [
            inner
            for inside in insides
            if isinstance(inside, Iterable) and not isinstance(inside, str)
            for inner in inside
            if isinstance(inner, dict | list)
        ]
    return bool(level)
