"""A response with a record that cannot be read is no response: nothing of it is run."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.providers import limits
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.base import Decoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, Summary, chunk, piece, run, summarize

PIECES = ['{"command":"rm -rf ./build', "/cache/tmp", '"}']


def anthropic() -> list[Json]:
    call = {"type": "tool_use", "id": "x", "name": "run_command", "input": {}}
    grown = [
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": part},
        }
        for part in PIECES
    ]
    text = {"type": "text_delta", "text": "I tidy up."}
    return [
        {"type": "message_start", "message": {"id": "m", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": call},
        *grown,
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]


def chat() -> list[Json]:
    return [
        chunk({"content": "I tidy up."}),
        chunk(piece(PIECES[0], index=0, id="x", name="run_command")),
        *(chunk(piece(part, index=0)) for part in PIECES[1:]),
        chunk({}, "tool_calls"),
    ]


def responses() -> list[Json]:
    call: Json = {"type": "function_call", "id": "fc", "call_id": "x", "name": "run_command"}
    grown = [
        {
            "type": "response.function_call_arguments.delta",
            "output_index": 1,
            "item_id": "fc",
            "delta": part,
        }
        for part in PIECES
    ]
    item = call | {"arguments": "".join(PIECES)}
    return [
        {"type": "response.output_text.delta", "output_index": 0, "delta": "I tidy up."},
        {"type": "response.output_item.added", "output_index": 1, "item": call},
        *grown,
        {"type": "response.output_item.done", "output_index": 1, "item": item},
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    ]


def agent() -> list[Json]:
    return [
        {"type": "start"},
        {"type": "token", "content": "I tidy "},
        {"type": "token", "content": "up."},
        {"type": "done"},
    ]


WIRES: list[tuple[Callable[[], Decoder], Callable[[], list[Json]]]] = [
    (AnthropicDecoder, anthropic),
    (ChatDecoder, chat),
    (ResponsesDecoder, responses),
    (AgentDecoder, agent),
]
WITH_CALLS = WIRES[:3]


def is_damage(decoder: Decoder) -> bool:
    return decoder.failure is not None and (
        (decoder.failure.kind == "protocol" and decoder.failure.retryable)
        or decoder.failure.kind == "cut"
    )


def finished(events: list[e.WireEvent]) -> bool:
    return any(isinstance(event, e.ResponseFinished) for event in events)


def holds(decoder: Decoder, whole: Summary, events: list[e.WireEvent]) -> bool:
    """Whether it failed, or says what the undamaged stream says.

    Arguments that are no JSON are text, which every tool refuses: models make such themselves.
    """
    if decoder.failure is not None:
        return is_damage(decoder) and not finished(events)
    found = summarize(events)
    pairs = zip(found.calls, whole.calls, strict=False)
    same = len(found.calls) == len(whole.calls) and all(
        mine.name == theirs.name
        and (mine.arguments == theirs.arguments or isinstance(mine.arguments, str))
        for mine, theirs in pairs
    )
    return same and found.text == whole.text


@pytest.mark.parametrize(("decoder_class", "records"), WIRES)
def test_the_undamaged_stream_says_it(
    decoder_class: Callable[[], Decoder], records: Callable[[], list[Json]]
) -> None:
    decoder = decoder_class()
    found = summarize(run(decoder, *records()))
    assert decoder.failure is None
    assert found.text == "I tidy up."
    assert [call.arguments for call in found.calls] == (
        [] if decoder_class is AgentDecoder else [{"command": "".join(PIECES)[12:-2]}]
    )


@pytest.mark.parametrize(("decoder_class", "records"), WIRES)
def test_a_record_that_breaks_off_anywhere_fails_the_response(
    decoder_class: Callable[[], Decoder], records: Callable[[], list[Json]]
) -> None:
    lines = [json.dumps(record) for record in records()]
    first = 1 if decoder_class is AgentDecoder else 0  # where text is as good as JSON
    for place in range(first, len(lines)):
        for at in range(1, len(lines[place])):
            decoder = decoder_class()
            events = run(decoder, *lines[:place], lines[place][:at], *lines[place + 1 :])
            assert is_damage(decoder), lines[place][:at]
            assert not finished(events)


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


@pytest.mark.parametrize(("decoder_class", "records"), WIRES)
def test_a_part_of_the_wrong_type_loses_nothing_in_silence(
    decoder_class: Callable[[], Decoder], records: Callable[[], list[Json]]
) -> None:
    whole = summarize(run(decoder_class(), *records()))
    lost = []
    for place, record in enumerate(records()):
        for what, changed in damaged(record):
            decoder = decoder_class()
            stream = records()
            stream[place] = changed
            if not holds(decoder, whole, run(decoder, *stream)):
                lost.append(f"{place}: {what}: {decoder.failure!r}")
    assert lost == []


# What a hostile server may say, and what it comes to.


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(("decoder_class", "records"), WIRES)
def test_json_that_is_nested_too_deeply_fails_the_response(
    decoder_class: Callable[[], Decoder], records: Callable[[], list[Json]]
) -> None:
    for deep in (f'{{"type":"token","content":{DEEP}}}', '{"a":' * 200 + "1" + "}" * 200):
        decoder = decoder_class()
        events = run(decoder, json.dumps(records()[0]), deep)
        assert is_damage(decoder)
        assert not finished(events)
        assert "nested too deeply" in str(decoder.failure)


def test_arguments_that_are_nested_too_deeply_stay_text_for_the_tool_to_refuse() -> None:
    deep = '{"a":' * 200 + "1" + "}" * 200
    events = run(ChatDecoder(), chunk(piece(deep, index=0, id="x", name="f")), chunk({}, "stop"))
    assert summarize(events).calls[0].arguments == deep


def test_of_a_name_that_arguments_hold_twice_the_last_counts() -> None:
    """As for every reader of JSON here: what the card shows is what the tool is given."""
    twice = '{"command":"ls","command":"rm -rf ."}'
    events = run(ChatDecoder(), chunk(piece(twice, index=0, id="x", name="f")), chunk({}, "stop"))
    assert summarize(events).calls[0].arguments == {"command": "rm -rf ."}


@pytest.mark.parametrize("place", [-1, 10**30, 1e300, 0.5])
def test_an_index_that_is_no_place_fails_the_response(place: float) -> None:
    decoder = ChatDecoder()
    events = run(decoder, chunk(piece("{}", index=place, id="x", name="f")), chunk({}, "stop"))
    assert is_damage(decoder)
    assert not finished(events)


@pytest.mark.parametrize(("decoder_class", "records"), WITH_CALLS)
def test_a_call_without_a_name_fails_the_response(
    decoder_class: Callable[[], Decoder], records: Callable[[], list[Json]]
) -> None:
    for name in ("", None):
        text = json.dumps(records()).replace('"run_command"', json.dumps(name))
        decoder = decoder_class()
        events = run(decoder, *json.loads(text))
        assert is_damage(decoder)
        assert not finished(events)


def test_arguments_that_come_twice_and_differ_fail_the_response() -> None:
    records = responses()
    item: Any = records[-2]["item"]
    item["arguments"] = '{"command":"rm -rf ./build"}'
    decoder = ResponsesDecoder()
    assert not finished(run(decoder, *records))
    assert is_damage(decoder)


def test_garbage_after_the_end_does_no_harm() -> None:
    decoder = ChatDecoder()
    assert finished(run(decoder, *chat(), "[DONE]", "{garbage"))
    assert decoder.failure is None


@pytest.mark.parametrize(
    "events",
    [
        [e.HostedTool("f", call_id=f"x{number}") for number in range(limits.HOSTED_CALLS + 1)],
        [e.ToolCallStarted("x", "f" * (limits.NAME_LENGTH + 1))],
        [e.HostedTool("f" * (limits.NAME_LENGTH + 1), call_id="x")],
    ],
    ids=["hosted calls", "name", "hosted name"],
)
def test_past_a_limit_the_response_fails(events: list[e.WireEvent]) -> None:
    meter = limits.CallMeter()
    for event in events[:-1]:
        meter.count(event)
    with pytest.raises(ProviderError) as raised:
        meter.count(events[-1])
    assert (raised.value.kind, raised.value.retryable) == ("protocol", False)
    assert len(raised.value.message) < 200
