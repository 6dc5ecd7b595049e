"""Recordings as their publishers describe them, compared with what a decoder makes of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from lfgtui.model import events as e
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.wire.decoder import Decoder
from tests.providers.decoding import Summary, run_body, summarize
from tests.providers.recordings import Recording

DECODERS: dict[str, Callable[[], Decoder]] = {
    "anthropic": AnthropicDecoder,
    "openai-chat": ChatDecoder,
    "openai-responses": ResponsesDecoder,
}
_STOPS = {
    "end_turn": "end",
    "stop": "end",
    "completed": "end",
    "tool_calls": "tool_use",
    "tool_use": "tool_use",
    "length": "length",
    None: "end",
}


@dataclass(frozen=True)
class Decoded:
    """A recording, decoded."""

    decoder: Decoder
    events: list[e.WireEvent]


def decode(wire: str, body: bytes, how: str) -> Decoded:
    """The body through reader and decoder, cut as `recordings.cuts` says."""
    decoder = DECODERS[wire]()
    return Decoded(decoder, run_body(decoder, body, how))


def differences(recording: Recording, decoded: Decoded) -> list[str]:
    """Each fact that is not as published, in one line."""
    expected = recording.expected
    answer = summarize(decoded.events)
    calls = [
        {"id": call.call_id, "name": call.name, "arguments": call.arguments}
        for call in answer.calls
    ]
    published = cast(list[dict[str, object]], expected["tool_calls"])
    facts = [
        ("text", answer.text, f"{expected['text']}{expected.get('refusal') or ''}"),
        ("reasoning", answer.reasoning, expected["reasoning"]),
        ("calls", calls, [{k: call[k] for k in ("id", "name", "arguments")} for call in published]),
        (
            "arguments",
            _raw(decoded.events),
            {c["id"]: c.get("arguments_raw") or "" for c in published},
        ),
        ("usage", _usage(answer), _published_usage(expected)),
        ("unknown records", dict(decoded.decoder.unknown), {}),
        ("hosted cards", len(answer.cards), _published_cards(expected)),
        *_endings(decoded, answer, expected),
    ]
    if isinstance(cited := expected.get("citations"), int):
        facts.append(("citations", len(answer.citations), cited))
    return [
        f"{name}: {ours!r:.200}, not {theirs!r:.200}"
        for name, ours, theirs in facts
        if ours != theirs
    ]


def _raw(events: Sequence[e.WireEvent]) -> dict[str, str]:
    raw: dict[str, str] = {}
    for event in events:
        if isinstance(event, e.ToolCallStarted):
            assert event.call_id not in raw
            raw[event.call_id] = ""
        elif isinstance(event, e.ToolArgumentsDelta):
            raw[event.call_id] += event.json
    return raw


def _usage(answer: Summary) -> tuple[int, int] | None:
    return None if answer.usage is None else (answer.usage.input, answer.usage.output)


def _published_usage(expected: dict[str, object]) -> tuple[int, int] | None:
    usage = cast(dict[str, int] | None, expected["usage"])
    if usage is None:
        return None
    cached, written = usage.get("cache_read") or 0, usage.get("cache_write") or 0
    return usage["input"] + cached + written, usage["output"]


def _published_cards(expected: dict[str, object]) -> int:
    """How many hosted calls there were: a result that is an item of its own is none,
    unless its call stands in an earlier response."""
    calls = {call.get("id") for call in _dicts(expected, "server_tool_calls")} - {None}
    results = {result.get("tool_use_id") for result in _dicts(expected, "server_tool_results")}
    if calls or results:
        return len(calls | results)
    hosted = cast(list[str], expected.get("server_tools") or [])
    client = cast(list[object], expected.get("builtin_client_calls") or [])
    return len([name for name in hosted if not name.endswith("_output")]) + len(client)


def _dicts(expected: dict[str, object], key: str) -> list[dict[str, object]]:
    return cast(list[dict[str, object]], expected.get(key) or [])


def _endings(
    decoded: Decoded, answer: Summary, expected: dict[str, object]
) -> Iterator[tuple[str, object, object]]:
    failure = decoded.decoder.failure
    if expected["error"] is not None:
        message = cast(dict[str, str], expected["error"])["message"][:100]
        yield "error", failure and failure.message[: len(message)], message
        yield "stop reason", answer.stop_reason, None
        return
    yield "failure", failure and failure.message, None
    yield "the wire's stop reason", decoded.decoder.wire_stop_reason, expected["stop_reason"]
    wire = cast(str | None, expected["stop_reason"])
    reason = _STOPS.get(wire, wire)
    if reason == "end" and answer.calls:
        reason = "tool_use"
    elif reason == "end" and expected.get("refusal"):
        reason = "refusal"
    yield "stop reason", answer.stop_reason, reason
    ends = [event for event in decoded.events if isinstance(event, e.ResponseFinished)]
    yield "ends", ends, decoded.events[-1:]
