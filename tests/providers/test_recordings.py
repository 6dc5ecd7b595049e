"""Every recorded stream says what its publisher says it says, however it is cut."""

import json
import random
from typing import cast

import pytest

from lfgtui.model import events as e
from lfgtui.providers import lenient_json
from tests.providers import mutations
from tests.providers.decoding import Json, run, run_whole, summarize
from tests.providers.published import DECODERS, decode, differences
from tests.providers.recordings import FOLDER, WHY_SKIPPED, Recording, recordings

pytestmark = pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)

ALL = [(wire, recording) for wire in DECODERS for recording in recordings(wire)]
NAMES = [f"{wire}/{recording.name}" for wire, recording in ALL]


@pytest.mark.parametrize("how", ["whole", "bytes", "random", "otherwise random"])
@pytest.mark.parametrize(("wire", "recording"), ALL, ids=NAMES)
def test_decodes_as_published(wire: str, recording: Recording, how: str) -> None:
    assert differences(recording, decode(wire, recording.body, how)) == []


@pytest.mark.parametrize("wire", list(DECODERS))
def test_a_stream_cut_anywhere_is_finished_or_failed_and_never_both(wire: str) -> None:
    for recording in recordings(wire):
        for at in range(0, len(recording.body), max(1, len(recording.body) // 10)):
            decoded = decode(wire, recording.body[:at], "whole")
            finished = any(isinstance(event, e.ResponseFinished) for event in decoded.events)
            assert finished == (decoded.decoder.failure is None), (recording.name, at)


@pytest.mark.parametrize("wire", list(DECODERS))
def test_a_hosted_tool_has_its_card_before_its_result_and_its_result_in_it(wire: str) -> None:
    for recording in recordings(wire):
        events = run(DECODERS[wire](), *recording.records)
        begun: set[object] = set()
        calls = cast(list[Json], recording.expected.get("server_tool_calls") or [])
        for card in (event for event in events if isinstance(event, e.HostedTool)):
            if any(call.get("id") == card.call_id for call in calls):
                assert card.call_id in begun or not card.output, recording.name
            begun.add(card.call_id)
        results = cast(list[Json], recording.expected.get("server_tool_results") or [])
        cards = summarize(events).cards
        assert all(cards[str(result["tool_use_id"])][2] for result in results), recording.name


@pytest.mark.parametrize("wire", list(DECODERS))
def test_a_whole_body_says_what_its_stream_says(wire: str) -> None:
    for recording in recordings(wire):
        if recording.expected["error"] is not None:
            continue
        streamed = summarize(run(DECODERS[wire](), *recording.records))
        body = WHOLE[wire](recording)
        if body is None:
            continue
        whole = summarize(run_whole(DECODERS[wire](), body))
        assert whole.text == streamed.text, recording.name
        assert whole.reasoning.split() == streamed.reasoning.split(), recording.name
        assert whole.calls == streamed.calls, recording.name
        assert tokens(whole.usage) == tokens(streamed.usage), recording.name
        assert whole.stop_reason == streamed.stop_reason, recording.name
        assert whole.cards == streamed.cards, recording.name
        assert whole.citations == streamed.citations, recording.name


def tokens(usage: e.Usage | None) -> tuple[int, int] | None:
    return None if usage is None else (usage.input, usage.output)


def whole_message(recording: Recording) -> Json | None:
    """An Anthropic stream put together as its documentation says."""
    message: Json = {"type": "message", "content": [], "usage": {}}
    blocks = cast(list[Json], message["content"])
    for record in map(lenient_json.parse_object, recording.records):
        assert record is not None
        delta = lenient_json.child(record, "delta")
        match record.get("type"):
            case "content_block_start":
                blocks.append(dict(lenient_json.child(record, "content_block")))
            case "content_block_delta":
                grow(blocks[-1], delta)
            case "message_start" | "message_delta":
                given = lenient_json.child(record, "message") or record
                message["usage"] = lenient_json.child(message, "usage") | {
                    key: n for key, n in lenient_json.child(given, "usage").items() if n is not None
                }
                message["stop_reason"] = delta.get("stop_reason") or message.get("stop_reason")
    for block in blocks:
        if isinstance(partial := block.pop("json", None), str) and partial:
            block["input"] = lenient_json.parse_object(partial) or {}
    return message


def grow(block: Json, delta: Json) -> None:
    for key in ("text", "thinking", "signature"):
        if key in delta:
            block[key] = f"{block.get(key) or ''}{delta[key]}"
    if "partial_json" in delta:
        block["json"] = f"{block.get('json') or ''}{delta['partial_json']}"
    if "citation" in delta:
        cited = block.get("citations")
        block["citations"] = [*(cited if isinstance(cited, list) else []), delta["citation"]]


def whole_completion(recording: Recording) -> Json | None:
    """A chat stream's facts as the message that a request without streaming gets."""
    expected = recording.expected
    if expected.get("server_tools") or "citations" in recording.body.decode(errors="replace"):
        return None
    calls = [
        {"id": c["id"], "function": {"name": c["name"], "arguments": c.get("arguments_raw")}}
        for c in cast(list[Json], expected["tool_calls"])
    ]
    said = {"content": expected["text"], "refusal": expected.get("refusal")}
    message = said | {"reasoning_content": expected["reasoning"], "tool_calls": calls}
    usage = cast(Json | None, expected["usage"])
    counts = usage and {"prompt_tokens": usage["input"], "completion_tokens": usage["output"]}
    choice = {"index": 0, "message": message, "finish_reason": expected["stop_reason"]}
    return {"object": "chat.completion", "choices": [choice], "usage": counts}


def whole_response(recording: Recording) -> Json | None:
    """The response that closes the stream; None where it leaves out what was streamed."""
    for record in map(lenient_json.parse_object, reversed(recording.records)):
        response = lenient_json.child(record or {}, "response")
        if "output" in response:
            return response if response["output"] else None
    return None


WHOLE = {
    "anthropic": whole_message,
    "openai-chat": whole_completion,
    "openai-responses": whole_response,
}


@pytest.mark.parametrize("wire", list(DECODERS))
def test_records_that_close_may_come_twice(wire: str) -> None:
    for recording in recordings(wire):
        once = summarize(run(DECODERS[wire](), *recording.records))
        twice = [r for record in recording.records for r in mutations.doubled(record)]
        assert summarize(run(DECODERS[wire](), *twice)) == once, recording.name


@pytest.mark.parametrize("wire", list(DECODERS))
def test_no_damage_to_a_stream_breaks_its_decoder(wire: str) -> None:
    rng = random.Random(wire)
    for recording in recordings(wire):
        for _ in range(6):
            mutations.check(DECODERS[wire], mutations.damaged(recording.records, rng))


@pytest.mark.parametrize("wire", list(DECODERS))
def test_no_damage_to_a_whole_body_breaks_its_decoder(wire: str) -> None:
    rng = random.Random(wire)
    for recording in recordings(wire):
        if (body := WHOLE[wire](recording)) is not None:
            for _ in range(4):
                mutations.check_whole(DECODERS[wire], mutations.changed(json.dumps(body), rng))
