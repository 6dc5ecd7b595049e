"""Every recorded stream says what its publisher says it says, however it is cut."""

from collections.abc import Callable
from typing import cast

import pytest

from lfgtui import events as e
from lfgtui.providers.anthropic_decoder import AnthropicDecoder
from lfgtui.providers.base import Decoder
from lfgtui.providers.chat_decoder import ChatDecoder
from lfgtui.providers.responses_decoder import ResponsesDecoder
from lfgtui.providers.sse import Comment, read_records

from .recordings import FOLDER, WHY_SKIPPED, Body, Recording, cuts, recordings

pytestmark = pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)

DECODERS: dict[str, Callable[[], Decoder]] = {
    "anthropic": AnthropicDecoder,
    "openai-chat": ChatDecoder,
    "openai-responses": ResponsesDecoder,
}
ALL = [(wire, recording) for wire in DECODERS for recording in recordings(wire)]
STOPS = {
    "end_turn": "end",
    "stop": "end",
    "completed": "end",
    "tool_calls": "tool_use",
    "tool_use": "tool_use",
    "length": "length",
    None: "end",
}


async def decode(decoder: Decoder, body: bytes, how: str) -> list[e.WireEvent]:
    events: list[e.WireEvent] = []
    async for record in read_records(Body(cuts(body, how))):
        if not isinstance(record, Comment):
            events += decoder.feed(record.event, record.data)
    return [*events, *decoder.finish()]


def texts(events: list[e.WireEvent], kind: type[e.TextDelta] | type[e.ReasoningDelta]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


@pytest.mark.parametrize("how", ["whole", "bytes", "random", "otherwise random"])
@pytest.mark.parametrize(
    ("wire", "recording"), ALL, ids=[f"{wire}/{recording.name}" for wire, recording in ALL]
)
async def test_decodes_as_published(wire: str, recording: Recording, how: str) -> None:
    decoder = DECODERS[wire]()
    events = await decode(decoder, recording.body, how)
    expected = recording.expected
    assert texts(events, e.TextDelta) == f"{expected['text']}{expected.get('refusal') or ''}"
    assert texts(events, e.ReasoningDelta) == expected["reasoning"]
    calls = [
        {"id": event.call_id, "name": event.name, "arguments": event.arguments}
        for event in events
        if isinstance(event, e.ToolCallRequested)
    ]
    published = cast(list[dict[str, object]], expected["tool_calls"])
    assert calls == [{key: call[key] for key in ("id", "name", "arguments")} for call in published]
    assert not decoder.unknown
    check_usage(events, cast(dict[str, int] | None, expected["usage"]))
    check_end(decoder, events, expected)


def check_usage(events: list[e.WireEvent], published: dict[str, int] | None) -> None:
    usage = [event for event in events if isinstance(event, e.Usage)]
    if published is None:
        assert usage == []
        return
    cached, written = published.get("cache_read") or 0, published.get("cache_write") or 0
    assert usage[-1].input == published["input"] + cached + written
    assert usage[-1].output == published["output"]


def check_end(decoder: Decoder, events: list[e.WireEvent], expected: dict[str, object]) -> None:
    if expected["error"] is not None:
        assert decoder.failure is not None
        error = cast(dict[str, str], expected["error"])
        assert decoder.failure.message.startswith(error["message"][:100])
        assert not any(isinstance(event, e.ResponseFinished) for event in events)
        return
    assert decoder.failure is None
    assert decoder.wire_stop_reason == expected["stop_reason"]
    called = any(isinstance(event, e.ToolCallRequested) for event in events)
    reason = STOPS.get(decoder.wire_stop_reason, decoder.wire_stop_reason)
    if reason == "end" and called:
        reason = "tool_use"
    elif reason == "end" and expected.get("refusal"):
        reason = "refusal"
    assert events[-1] == e.ResponseFinished(1, str(reason))
    assert sum(isinstance(event, e.ResponseFinished) for event in events) == 1


@pytest.mark.parametrize(
    ("wire", "recording"), ALL, ids=[f"{wire}/{recording.name}" for wire, recording in ALL]
)
async def test_arguments_as_streamed_are_the_arguments_requested(
    wire: str, recording: Recording
) -> None:
    events = await decode(DECODERS[wire](), recording.body, "whole")
    raw: dict[str, str] = {}
    for event in events:
        if isinstance(event, e.ToolCallStarted):
            assert event.call_id not in raw
            raw[event.call_id] = ""
        elif isinstance(event, e.ToolArgumentsDelta):
            raw[event.call_id] += event.json
    published = cast(list[dict[str, str]], recording.expected["tool_calls"])
    assert raw == {call["id"]: call.get("arguments_raw") or "" for call in published}


@pytest.mark.parametrize("wire", list(DECODERS))
async def test_a_stream_cut_anywhere_is_finished_or_failed_and_never_both(wire: str) -> None:
    for recording in recordings(wire):
        for at in range(0, len(recording.body), max(1, len(recording.body) // 20)):
            decoder = DECODERS[wire]()
            events = await decode(decoder, recording.body[:at], "whole")
            finished = any(isinstance(event, e.ResponseFinished) for event in events)
            assert finished == (decoder.failure is None), (recording.name, at)


@pytest.mark.parametrize("wire", list(DECODERS))
async def test_hosted_tools_are_shown_and_kept(wire: str) -> None:
    for recording in recordings(wire):
        events = await decode(DECODERS[wire](), recording.body, "whole")
        shown = [event for event in events if isinstance(event, e.HostedTool)]
        kept = [event for event in events if isinstance(event, e.ProviderItem)]
        published = cast(list[str], recording.expected["server_tools"])
        names = {event.name for event in shown}
        assert {name.removesuffix("_call") for name in published} <= names | {
            str(event.item.get("type")).removesuffix("_call") for event in kept
        }, recording.name
