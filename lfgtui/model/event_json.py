"""Events and entries as JSON: in `--json`, in the history file, on sockets and in an export."""

from collections.abc import Iterator
from functools import reduce
from operator import or_

import msgspec

from lfgtui.model.bounds import bounded_json, is_too_deep
from lfgtui.model.events import Entry, Event, GuardTripped, time_at


def _leaves(kind: type[Event]) -> Iterator[type[Event]]:
    """Yield the subclasses that have none themselves: `TurnBegun` and the like are only bases."""
    for inner in kind.__subclasses__():
        yield from _leaves(inner) if inner.__subclasses__() else (inner,)


EVENTS: tuple[type[Event], ...] = tuple(_leaves(Event))
"""The classes of all events that `events` defines or imports: no other can be decoded."""

_TOO_DEEP = "it is nested too deeply"
_encoder = msgspec.json.Encoder()
decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(reduce(or_, EVENTS))
"""Reads any event, without the checks of `decode_event`."""


def encode_event(event: Event) -> bytes:
    """Return the event as one JSON object, `type` included."""
    return _encoder.encode(event)


def decode_event(body: bytes | str) -> Event:
    """Read what `encode_event` wrote, or the event in an entry's line; numbers are clamped.

    Raises `msgspec.MsgspecError`, also if a value that others made (`facets.json`) is nested too
    deeply.
    """
    try:
        event = decoder.decode(body)
    except RecursionError:
        raise msgspec.ValidationError(_TOO_DEEP) from None
    except msgspec.MsgspecError as error:
        try:
            event = msgspec.convert(bounded_json(body), decoder.type)
        except (ValueError, RecursionError):
            raise error from None
    if (foreign := event.facets.json) and is_too_deep(getattr(event, foreign), body):
        raise msgspec.ValidationError(_TOO_DEEP)
    return event


class _Identity(msgspec.Struct):
    """The fields of an `Entry` that are written before those of its event."""

    run: str
    ticket: str
    attempt: int
    seq: int
    at: float


_identity = msgspec.json.Decoder(_Identity)


def read_entry(line: bytes | msgspec.Raw) -> Entry:
    """Read what `entry_json` wrote; an unknown event of a newer lfg becomes one that says so.

    Raises `msgspec.MsgspecError`.
    """
    one = _identity.decode(line)
    try:
        event = decode_event(bytes(line))
    except msgspec.MsgspecError as error:
        message = f"an entry of another version of lfg cannot be shown: {error}"
        event = GuardTripped("version", message)
    return Entry(one.run, one.ticket, one.attempt, one.seq, one.at, event)


def entry_json(entry: Entry) -> str:
    """Return one line of `--json`: identity first, then the event's own fields."""
    place = {"attempt": entry.attempt, "seq": entry.seq, "at": time_at(entry.place)}
    identity = _encoder.encode({"run": entry.run, "ticket": entry.ticket, **place})
    return (identity[:-1] + b"," + _encoder.encode(entry.event)[1:]).decode()
