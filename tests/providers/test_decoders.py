"""Rules of every decoder."""

import json
import re
from collections.abc import Callable

import pytest
from httpx_sse import ServerSentEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from lfgtui.model import events as e
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.transport.sse import RecordReader
from lfgtui.providers.wire.decoder import Decoder
from tests.providers import mutations
from tests.providers.decoding import (
    Json,
    anthropic_stream,
    chat_stream,
    requests,
    responses_stream,
    run,
    run_body,
    sse,
    summarize,
)
from tests.providers.recordings import cuts

Make = Callable[[], Decoder]
DECODERS: list[Make] = [AnthropicDecoder, ChatDecoder, ResponsesDecoder]
each_decoder = pytest.mark.parametrize("make", DECODERS)

STREAMS: list[tuple[Make, Callable[..., list[Json]]]] = [
    (AnthropicDecoder, anthropic_stream),
    (ChatDecoder, chat_stream),
    (ResponsesDecoder, responses_stream),
]

# any bytes at all

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ALIKE = json.dumps([stream("Hi", ("x", "f", ["{}"])) for _, stream in STREAMS])
WORDS = sorted(set(re.findall(r'"(\w+)":', ALIKE)))
WORDS += ["error", "usage", "citations", "executed_tools", "reasoning_details", "search_results"]
KINDS = sorted(set(re.findall(r'"type": "([\w.]+)"', ALIKE)))
KINDS += ["error", "ping", "thinking", "server_tool_use", "web_search_call", "reasoning"]
LIKELY = st.recursive(
    VALUES | st.sampled_from(KINDS) | st.just(0),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=25,
)
RECORDS = (
    st.binary(max_size=40)
    | st.text(max_size=40)
    | LIKELY.map(json.dumps)
    | st.dictionaries(st.sampled_from(WORDS), LIKELY, min_size=1).map(json.dumps)
)


@each_decoder
@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["", *KINDS]), RECORDS), max_size=8), st.booleans())
def test_nothing_that_comes_in_raises(
    make: Make, records: list[tuple[str, str | bytes]], is_whole: bool
) -> None:
    decoder = make()
    events: list[e.WireEvent] = []
    for name, data in records:
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
        events += decoder.decode_whole(raw) if is_whole else decoder.feed(name, data)
    mutations.check_end(decoder, [*events, *decoder.finish()])


@each_decoder
def test_an_empty_body_is_a_cut(make: Make) -> None:
    decoder = make()
    assert run(decoder) == []
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


@pytest.mark.parametrize(("make", "stream"), STREAMS)
def test_two_calls_of_one_id_stay_two(make: Make, stream: Callable[..., list[Json]]) -> None:
    arguments = {"write": {"path": "x"}, "run": {"command": "ls"}}
    calls = [("x", name, [json.dumps(given)]) for name, given in arguments.items()]
    events = run(make(), *stream("", *calls))
    found = requests(events)
    assert {call.name: call.arguments for call in found} == arguments
    assert len({call.call_id for call in found}) == 2
    assert {call.call_id if call.wire_id is UNSET else call.wire_id for call in found} == {"x"}
    deltas = [event for event in events if isinstance(event, e.ToolArgumentsDelta)]
    for call in found:
        streamed = "".join(delta.json for delta in deltas if delta.call_id == call.call_id)
        assert json.loads(streamed) == call.arguments


# one answer on each wire, and every way that bytes are framed

TEXT = "Žluťoučký kůň 🐍"
BODIES = [(make, b"".join(sse(*stream(TEXT))).decode()) for make, stream in STREAMS]
each_body = pytest.mark.parametrize(("make", "body"), BODIES)
FRAMINGS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda body: body.encode(),
    "CRLF": lambda body: body.replace("\n", "\r\n").encode(),
    "CR": lambda body: body.replace("\n", "\r").encode(),
    "BOM": lambda body: b"\xef\xbb\xbf" + body.encode(),
    "no space after the colon": lambda body: body.replace("data: ", "data:").encode(),
    "no blank line at the end": lambda body: body.rstrip("\n").encode(),
    "comments": lambda body: body.replace("\n\n", "\n\n: PROCESSING\n\n:\n\n").encode(),
    "padding behind": lambda body: body.encode() + b"\n \n\n:\n" + b"\x00" * 4 + b"\n" * 40,
    "a [DONE] where none belongs": lambda body: body.encode() + b"data: [DONE]\n\n" * 2,
    "an unknown field": lambda body: body.replace("data:", "shoe: 44\ndata:").encode(),
    "padding inside records": lambda body: body.replace('{"', '{"p":"' + "x" * 90 + '","').encode(),
    "no event names": lambda body: "\n".join(
        line for line in body.split("\n") if not line.startswith("event:")
    ).encode(),
}


@pytest.mark.parametrize("framing", list(FRAMINGS))
@each_body
def test_an_answer_is_the_same_however_it_is_framed(make: Make, body: str, framing: str) -> None:
    framed = FRAMINGS[framing](body)
    for how in ("whole", "bytes", "random"):
        decoder = make()
        answer = summarize(run_body(decoder, framed, how))
        assert (answer.text, answer.stop_reason) == (TEXT, "end"), how
        assert decoder.failure is None


@each_body
def test_bytes_that_are_no_utf8_fail_the_response(make: Make, body: str) -> None:
    broken = body.encode().replace("🐍".encode(), b"\xff\xf0\x9f")
    for how in ("whole", "bytes"):
        reader = RecordReader(tail=True)
        for record in (r for cut in cuts(broken, how) for r in reader.feed(cut)):
            assert not isinstance(record, ServerSentEvent) or record.data != "[DONE]"
        assert reader.failure is not None
        assert (reader.failure.kind, reader.failure.retryable) == ("protocol", True)
        assert "UTF-8" in reader.failure.message


@each_body
def test_a_stream_that_ends_anywhere_keeps_what_came(make: Make, body: str) -> None:
    raw = body.encode()
    for at in range(len(raw)):
        decoder = make()
        answer = summarize(run_body(decoder, raw[:at]))
        assert TEXT.startswith(answer.text)
        assert (answer.stop_reason is None) == (decoder.failure is not None)


@each_body
def test_records_that_are_not_known_do_no_harm(make: Make, body: str) -> None:
    strange = '\n\nevent: moon\ndata: {"type":"moon.phase","object":"moon"}\n\ndata: 1\n\n'
    decoder = make()
    answer = summarize(run_body(decoder, body.replace("\n\n", strange).encode()))
    assert answer.text == TEXT
    assert decoder.unknown.keys() <= {"moon", "moon.phase", "no record"}
    assert decoder.unknown.total() == 2 * body.count("\n\n")


@each_body
@pytest.mark.parametrize(
    "error",
    [
        'event: error\ndata: {"type":"error","error":{"type":"overloaded","message":"Later"}}',
        'data: {"type":"error","error":{"code":"overloaded","message":"Later"}}',
        'event: error\ndata: {"error":{"type":"overloaded","message":"Later"}}',
        'error: {"type":"error","error":{"type":"overloaded","message":"Later"}}',
    ],
)
def test_an_error_inside_a_200_fails_and_keeps_what_came(make: Make, body: str, error: str) -> None:
    at = body.index("\n\n", body.index("Žluťoučký")) + 2
    broken = f"{body[:at]}{error}\n\n{body[at:]}".encode()
    for how in ("whole", "bytes"):
        decoder = make()
        answer = summarize(run_body(decoder, broken, how))
        assert (answer.text, answer.stop_reason) == ("Žluťoučký ", None)
        assert decoder.failure is not None
        assert (decoder.failure.kind, decoder.failure.message) == ("overloaded", "Later")


@each_decoder
@pytest.mark.parametrize("wrap", ['{"type":"error","error":%s}', '{"error":%s}', '[{"error":%s}]'])
def test_a_body_that_is_an_error_is_a_failure(make: Make, wrap: str) -> None:
    error = wrap % '{"code":"invalid_api_key","message":"No"}'
    decoder = make()
    assert list(decoder.decode_whole(error.encode())) == []
    assert decoder.failure is not None
    assert (decoder.failure.kind, decoder.failure.message) == ("auth", "No")


@each_decoder
@pytest.mark.parametrize("strange", [b"", b"<html>", b"[]", b"1", b"{}", b'{"choices"', b"null"])
def test_a_body_of_no_known_form_is_a_protocol_failure(make: Make, strange: bytes) -> None:
    decoder = make()
    assert [*decoder.decode_whole(strange), *decoder.finish()] == []
    assert decoder.failure is not None
    assert decoder.failure.kind == "protocol"
