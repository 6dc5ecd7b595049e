"""The Messages stream: the corners that recordings leave open."""

import json

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from tests.providers.decoding import Json, cards, requests, run, run_whole, told


def block(index: int, content: Json) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": content}


def grown(index: int, **delta: object) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def stopped(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def ended(reason: str) -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": reason}}


TOOL: Json = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}


def test_a_thinking_block_gives_back_its_signature_and_not_its_words_twice() -> None:
    events = run(
        AnthropicDecoder(),
        block(0, {"type": "thinking", "thinking": "", "signature": ""}),
        grown(0, type="thinking_delta", thinking="hm"),
        grown(0, type="signature_delta", signature="sig"),
        stopped(0),
        ended("end_turn"),
    )
    assert events == [
        e.ReasoningDelta("hm"),
        ProviderItem("anthropic", {"type": "thinking", "signature": "sig"}),
        ResponseFinished(1, "end"),
    ]


@pytest.mark.parametrize("json_so_far", ["", '{"path": "a', "{"])
def test_a_call_cut_off_by_the_token_limit_is_never_requested(json_so_far: str) -> None:
    events = run(
        AnthropicDecoder(),
        block(0, TOOL),
        grown(0, type="input_json_delta", partial_json=json_so_far),
        stopped(0),
        ended("max_tokens"),
    )
    assert requests(events) == []
    assert events[-1] == ResponseFinished(1, "length")


def test_a_call_without_arguments_is_requested_with_none() -> None:
    events = run(AnthropicDecoder(), block(0, TOOL), stopped(0), ended("tool_use"))
    assert requests(events) == [ToolCallRequested("t1", "read", {})]


def test_a_call_whose_json_the_model_broke_is_requested_as_it_came() -> None:
    events = run(
        AnthropicDecoder(),
        block(0, TOOL),
        grown(0, type="input_json_delta", partial_json='{"a": }'),
        stopped(0),
        ended("tool_use"),
    )
    assert requests(events) == [ToolCallRequested("t1", "read", '{"a": }')]


def test_a_stream_without_any_stop_is_a_cut_and_its_open_call_is_dropped() -> None:
    decoder = AnthropicDecoder()
    events = run(decoder, block(0, TOOL), stopped(0))
    assert requests(events) == []
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


def test_cached_tokens_count_as_input() -> None:
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 1,
    }
    start: Json = {"type": "message_start", "message": {"usage": usage}}
    end: Json = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}}
    events = AnthropicDecoder().feed("", json.dumps(start))
    assert list(events) == [e.Usage(125, 1, 100)]
    decoder = AnthropicDecoder()
    assert e.Usage(125, 9, 100) in run(decoder, start, end, ended("end_turn"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limit"),
        ("api_error", "server"),
        ("invalid_request_error", "invalid_request"),
        ("authentication_error", "auth"),
    ],
)
def test_an_error_inside_the_stream_ends_it(kind: str, expected: str) -> None:
    decoder = AnthropicDecoder()
    error: Json = {"type": "error", "error": {"type": kind, "message": "So it is"}}
    events = run(decoder, block(0, {"type": "text", "text": "a"}), error, ended("end_turn"))
    assert events == [TextDelta("a")]
    assert decoder.failure is not None
    assert (decoder.failure.kind, decoder.failure.message) == (expected, "So it is")


def test_pings_are_heartbeats() -> None:
    assert list(AnthropicDecoder().feed("ping", '{"type": "ping"}')) == [e.Heartbeat()]


def test_a_whole_message_gives_the_same_events() -> None:
    body = {
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Hello"},
            {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    decoder = AnthropicDecoder(2)
    events = [*decoder.decode_whole(json.dumps(body).encode()), *decoder.finish()]
    assert events == [
        e.Usage(3, 4),
        e.ReasoningDelta("hm"),
        ProviderItem("anthropic", {"type": "thinking", "signature": "s"}),
        TextDelta("Hello"),
        e.ToolCallStarted("t1", "read"),
        e.ToolArgumentsDelta("t1", '{"path":"a"}'),
        ToolCallRequested("t1", "read", {"path": "a"}),
        ResponseFinished(2, "tool_use"),
    ]


def test_blocks_inside_message_start_are_an_answer() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}}
    message = {"id": "m", "content": [call], "stop_reason": "tool_use"}
    events = run(
        AnthropicDecoder(),
        {"type": "message_start", "message": message},
        {"type": "message_stop"},
    )
    assert requests(events) == [ToolCallRequested("t1", "read", {"path": "a"})]
    assert events[-1] == ResponseFinished(1, "tool_use")


def test_blocks_inside_message_start_that_are_streamed_as_well_are_said_once() -> None:
    message = {"id": "m", "content": [{"type": "text", "text": "Hello"}]}
    events = run(
        AnthropicDecoder(),
        {"type": "message_start", "message": message},
        block(0, {"type": "text", "text": ""}),
        grown(0, type="text_delta", text="Hello"),
        stopped(0),
        ended("end_turn"),
    )
    assert told(events).text == "Hello"


def test_blocks_inside_message_start_stand_before_those_that_follow() -> None:
    message = {"id": "m", "content": [{"type": "text", "text": "Hel"}]}
    events = run(
        AnthropicDecoder(),
        {"type": "message_start", "message": message},
        block(1, {"type": "text", "text": "lo"}),
        ended("end_turn"),
    )
    assert told(events).text == "Hello"


def test_a_record_that_comes_twice_says_its_thing_once() -> None:
    start: Json = {"type": "message_start", "message": {"id": "m", "content": []}}
    records: list[Json] = [
        start,
        block(0, {"type": "thinking", "thinking": "", "signature": ""}),
        stopped(0),
        block(1, TOOL),
        stopped(1),
        block(2, {"type": "text", "text": "Hi"}),
        stopped(2),
        ended("end_turn"),
        {"type": "message_stop"},
    ]
    once = run(AnthropicDecoder(), *records)
    assert run(AnthropicDecoder(), *(r for record in records for r in (record, record))) == once


def test_a_message_that_begins_anew_drops_the_call_that_was_open() -> None:
    first: Json = {"type": "message_start", "message": {"id": "m1"}}
    second: Json = {"type": "message_start", "message": {"id": "m2"}}
    events = run(
        AnthropicDecoder(),
        first,
        block(0, TOOL),
        grown(0, type="input_json_delta", partial_json='{"a'),
        second,
        block(0, TOOL | {"id": "t2"}),
        grown(0, type="input_json_delta", partial_json='{"a":1}'),
        stopped(0),
        ended("tool_use"),
    )
    assert requests(events) == [ToolCallRequested("t2", "read", {"a": 1})]


def test_blocks_that_never_stop_stop_with_their_message() -> None:
    events = run(
        AnthropicDecoder(),
        block(0, TOOL),
        grown(0, type="input_json_delta", partial_json='{"a":1}'),
        block(1, TOOL | {"id": "t2"}),
        grown(1, type="input_json_delta", partial_json='{"a":2}'),
        ended("tool_use"),
    )
    assert [call.arguments for call in requests(events)] == [{"a": 1}, {"a": 2}]


def test_unknown_deltas_and_blocks_are_passed_over() -> None:
    decoder = AnthropicDecoder()
    events = run(
        decoder,
        block(0, {"type": "hologram", "data": "x"}),
        grown(0, type="hologram_delta", beam="y"),
        stopped(0),
        ended("end_turn"),
    )
    assert decoder.unknown == {"hologram_delta": 1}
    assert ProviderItem("anthropic", {"type": "hologram", "data": "x"}) in events
    assert events[-1] == ResponseFinished(1, "end")


def test_a_refusal_is_named_and_its_call_dropped() -> None:
    events = run(AnthropicDecoder(), block(0, TOOL), stopped(0), ended("refusal"))
    assert requests(events) == []
    assert events[-1] == ResponseFinished(1, "refusal")


# hosted tools

USE: Json = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}


def result(content: object, kind: str = "web_search", **more: object) -> Json:
    return {"type": f"{kind}_tool_result", "tool_use_id": "s1", "content": content, **more}


def test_a_hosted_card_appears_at_once_then_learns_its_input_then_its_result() -> None:
    found = [
        {"type": "web_search_result", "title": "A", "url": "https://a", "encrypted_content": ""}
    ]
    events = run(
        AnthropicDecoder(),
        block(0, dict(USE)),
        grown(0, type="input_json_delta", partial_json='{"query"'),
        grown(0, type="input_json_delta", partial_json=':"x"}'),
        stopped(0),
        block(1, result(found)),
        stopped(1),
        ended("end_turn"),
    )
    assert events == [
        e.HostedTool("web_search", "", "", "s1"),
        e.HostedTool("web_search", '{"query":"x"}', "", "s1"),
        ProviderItem("anthropic", USE | {"input": {"query": "x"}}),
        e.HostedTool("web_search", "", "A https://a", "s1"),
        ProviderItem("anthropic", result(found)),
        ResponseFinished(1, "end"),
    ]


def test_an_mcp_card_names_server_and_tool() -> None:
    use: Json = {"type": "mcp_tool_use", "id": "s1", "name": "ask", "server_name": "wiki"}
    events = run(
        AnthropicDecoder(),
        block(0, use | {"input": {"q": 1}}),
        stopped(0),
        block(1, result([{"type": "text", "text": "no"}], "mcp", is_error=True)),
        stopped(1),
        ended("end_turn"),
    )
    assert cards(events) == {"s1": ("wiki/ask", '{"q":1}', "failed: no")}


def test_the_result_of_a_call_in_an_earlier_response_has_a_card() -> None:
    events = run(AnthropicDecoder(), block(0, result([])), stopped(0), ended("end_turn"))
    assert cards(events) == {"s1": ("web_search", "", "no output")}


# citations


def test_citations_are_the_same_live_and_whole() -> None:
    cited: Json = {"type": "page_location", "document_title": "f.pdf", "start_page_number": 3}
    live = run(
        AnthropicDecoder(),
        block(0, {"type": "text", "text": "So", "citations": []}),
        grown(0, type="citations_delta", citation=cited),
        stopped(0),
        ended("end_turn"),
    )
    content = [{"type": "text", "text": "So", "citations": [cited]}]
    body: Json = {"type": "message", "content": content, "stop_reason": "end_turn"}
    assert live == run_whole(AnthropicDecoder(), body)
    assert live == [TextDelta("So"), e.Citation("", "f.pdf, page 3"), ResponseFinished(1, "end")]
