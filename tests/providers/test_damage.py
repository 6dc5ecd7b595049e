"""A response with a record that cannot be read fails: nothing of it is run."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from lfgtui.model import events as e
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.wire.decoder import Decoder
from tests.providers.decoding import (
    Call,
    Json,
    Summary,
    anthropic_stream,
    chat_stream,
    chunk,
    piece,
    responses_stream,
    run,
    summarize,
)

PIECES = ['{"command":"rm -rf ./build', "/cache/tmp", '"}']
CALL: Call = ("x", "run_command", PIECES)
TEXT = "I tidy up."


def agent() -> list[Json]:
    return [
        {"type": "start"},
        {"type": "token", "content": "I tidy "},
        {"type": "token", "content": "up."},
        {"type": "done"},
    ]


Make = Callable[[], Decoder]
Stream = Callable[[], list[Json]]
WITH_CALLS: list[tuple[Make, Stream]] = [
    (AnthropicDecoder, partial(anthropic_stream, TEXT, CALL)),
    (ChatDecoder, partial(chat_stream, TEXT, CALL)),
    (ResponsesDecoder, partial(responses_stream, TEXT, CALL)),
]
each_wire = pytest.mark.parametrize(("make", "records"), [*WITH_CALLS, (AgentDecoder, agent)])


def is_damaged(decoder: Decoder, events: list[e.WireEvent]) -> bool:
    """Whether the response failed so that it is requested again, and did not end."""
    failure = decoder.failure
    finished = any(isinstance(event, e.ResponseFinished) for event in events)
    return not finished and failure is not None and failure.retryable


def holds(decoder: Decoder, whole: Summary, events: list[e.WireEvent]) -> bool:
    """Whether the response failed, or has the undamaged one's text and calls.

    Arguments that are no JSON are text, which every tool refuses: models make such themselves.
    """
    if decoder.failure is not None:
        return is_damaged(decoder, events)
    summary = summarize(events)
    return summary.text == whole.text and [
        (mine.name, theirs.arguments if isinstance(mine.arguments, str) else mine.arguments)
        for mine, theirs in zip(summary.calls, whole.calls, strict=True)
    ] == [(call.name, call.arguments) for call in whole.calls]


@each_wire
def test_a_record_that_breaks_off_anywhere_fails_the_response(make: Make, records: Stream) -> None:
    lines = [json.dumps(record) for record in records()]
    first = 1 if make is AgentDecoder else 0  # where text is as good as JSON
    for place in range(first, len(lines)):
        for at in range(1, len(lines[place])):
            decoder = make()
            events = run(decoder, *lines[:place], lines[place][:at], *lines[place + 1 :])
            assert is_damaged(decoder, events), lines[place][:at]


WRONG: dict[type, tuple[object, ...]] = {
    str: (1, True, ["x"], {"a": 1}),
    int: ("0", -1, 1.5, 1e300, True, [0], 10**30),
    dict: ("x", 1, [1], True),
    list: ("x", 1, {"a": 1}, True, [1]),
}
NAMES_ONLY = {"id", "item_id", "call_id", "stop_reason", "finish_reason", "status"}


def damaged(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one of its parts, however deep, of another type."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        if key in NAMES_ONLY:
            continue
        for wrong in WRONG.get(type(inner), ()):
            if key == "content" and isinstance(wrong, dict | list):
                continue  # text in another form
            changed = copy.deepcopy(value)
            changed[key] = wrong
            yield f"{key}={wrong!r}", changed
        if isinstance(inner, dict | list):
            for what, other in damaged(inner):
                changed = copy.deepcopy(value)
                changed[key] = other
                yield f"{key}.{what}", changed


@each_wire
def test_a_part_of_the_wrong_type_is_never_lost_in_silence(make: Make, records: Stream) -> None:
    whole = summarize(run(make(), *records()))
    arguments = [] if make is AgentDecoder else [{"command": "".join(PIECES)[12:-2]}]
    assert (whole.text, [call.arguments for call in whole.calls]) == (TEXT, arguments)
    lost = []
    for place, record in enumerate(records()):
        for what, changed in damaged(record):
            decoder = make()
            stream = records()
            stream[place] = changed
            if not holds(decoder, whole, run(decoder, *stream)):
                lost.append(f"{place}: {what}: {decoder.failure!r}")
    assert lost == []


DEEP = "[" * 5000 + "]" * 5000
DEEP_OBJECT = '{"a":' * 200 + "1" + "}" * 200


@each_wire
def test_json_that_is_nested_too_deeply_fails_the_response(make: Make, records: Stream) -> None:
    for deep in (f'{{"type":"token","content":{DEEP}}}', DEEP_OBJECT):
        decoder = make()
        assert is_damaged(decoder, run(decoder, json.dumps(records()[0]), deep))
        assert "nested too deeply" in str(decoder.failure)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        # every tool refuses text
        (DEEP_OBJECT, DEEP_OBJECT),
        # what the card shows is what the tool is given
        ('{"command":"ls","command":"rm -rf ."}', {"command": "rm -rf ."}),
    ],
    ids=["nested too deeply", "a name twice"],
)
def test_odd_arguments_are_read_as_everywhere_else(arguments: str, read: object) -> None:
    call = chunk(piece(arguments, index=0, id="x", name="f"), "stop")
    assert summarize(run(ChatDecoder(), call)).calls[0].arguments == read


@pytest.mark.parametrize(("make", "records"), WITH_CALLS)
def test_a_call_without_a_name_fails_the_response(make: Make, records: Stream) -> None:
    for name in ("", None):
        text = json.dumps(records()).replace('"run_command"', json.dumps(name))
        decoder = make()
        assert is_damaged(decoder, run(decoder, *json.loads(text)))


def test_arguments_that_come_twice_and_differ_fail_the_response() -> None:
    records = responses_stream(TEXT, CALL)
    item: Any = records[-2]["item"]
    item["arguments"] = '{"command":"rm -rf ./build"}'
    decoder = ResponsesDecoder()
    assert is_damaged(decoder, run(decoder, *records))


def test_garbage_after_the_end_does_no_harm() -> None:
    decoder = ChatDecoder()
    run(decoder, *chat_stream(TEXT, CALL), "[DONE]", "{garbage")
    assert decoder.failure is None
