"""Streams that were damaged on their way, made from recorded ones."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event, encode_event
from lfgtui.providers import lenient_json
from lfgtui.providers.wire.decoder import Decoder
from tests.providers.decoding import run

VALUES: tuple[object, ...] = (None, True, 0, -1, 1e300, "", "x", "{", [], [None], ["x"], [{}], {})
VALUES += ({"type": "x"}, {"a": {}})
TURNS = 6  # changes to one stream


def damaged(records: Sequence[str], rng: random.Random) -> list[str]:
    """The records with some dropped, doubled, exchanged, cut off or changed inside."""
    result = list(records)
    for _ in range(rng.randint(1, TURNS)):
        if not result:
            break
        at = rng.randrange(len(result))
        match rng.randrange(6):
            case 0:
                del result[at]
            case 1:
                result.insert(at, result[at])
            case 2:
                to = rng.randrange(len(result))
                result[at], result[to] = result[to], result[at]
            case 3:
                del result[at:]
            case 4:
                result[at] = result[at][: rng.randrange(len(result[at]) + 1)]
            case _:
                result[at] = changed(result[at], rng)
    return result


def changed(record: str, rng: random.Random) -> str:
    """The JSON with one of its values, however deep, taken out or replaced by another."""
    try:
        value = json.loads(record)
    except ValueError:
        return record
    places = list(_places(value))
    if not places:
        return record
    holder, key = rng.choice(places)
    if isinstance(holder, dict) and rng.random() < 0.3:
        del holder[key]
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(value)


def doubled(record: str) -> list[str]:
    """The record twice, once where it is a delta: two equal deltas are two deltas."""
    value = lenient_json.parse_object(record) or {}
    kind = lenient_json.text(value, "type")
    grows = kind.endswith(("delta", ".added")) or kind == "content_block_start"
    choices = lenient_json.children(value, "choices")
    grows = grows or any(lenient_json.child(choice, "delta") for choice in choices)
    return [record] if grows else [record, record]


def check(make: Callable[[], Decoder], records: Sequence[str]) -> None:
    """Check that a stream raises nothing and ends once or fails."""
    decoder = make()
    check_end(decoder, run(decoder, *records))


def check_whole(make: Callable[[], Decoder], body: str) -> None:
    """Check the same of a body that came whole."""
    decoder = make()
    check_end(decoder, [*decoder.decode_whole(body.encode()), *decoder.finish()])


def check_end(decoder: Decoder, events: list[e.WireEvent]) -> None:
    """There is one end, the last event, or one failure, and every event can be stored."""
    ends = [event for event in events if isinstance(event, e.ResponseFinished)]
    assert len(ends) == (decoder.failure is None)
    assert not ends or events[-1] is ends[0]
    for event in events:
        assert decode_event(encode_event(event)) is not None


def _places(value: object) -> list[tuple[Any, Any]]:
    """Each container of the JSON with each of its keys or indexes."""
    places: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        holder = stack.pop()
        inside: list[tuple[object, object]] = []
        if isinstance(holder, dict):
            inside = list(holder.items())
        elif isinstance(holder, list):
            inside = list(enumerate(holder))
        places += [(holder, key) for key, _ in inside]
        stack += [value for _, value in inside]
    return places
