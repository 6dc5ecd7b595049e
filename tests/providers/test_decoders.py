"""What the decoders make of hand-made streams: the corners that recordings leave open."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui import events as e
from lfgtui.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.anthropic_decoder import AnthropicDecoder
from lfgtui.providers.base import Decoder
from lfgtui.providers.chat_decoder import ChatDecoder
from lfgtui.providers.responses_decoder import ResponsesDecoder

DECODERS: list[Callable[[], Decoder]] = [AnthropicDecoder, ChatDecoder, ResponsesDecoder]

Json = dict[str, object]


def run(decoder: Decoder, *records: Json | str) -> list[e.WireEvent]:
    events: list[e.WireEvent] = []
    for record in records:
        events += decoder.feed("", record if isinstance(record, str) else json.dumps(record))
    return [*events, *decoder.finish()]


def requests(events: list[e.WireEvent]) -> list[ToolCallRequested]:
    return [event for event in events if isinstance(event, ToolCallRequested)]


# any bytes at all

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WORDS = [
    "type", "index", "delta", "content_block", "choices", "message", "content", "tool_calls",
    "function", "arguments", "name", "id", "text", "thinking", "error", "response", "item",
    "output", "output_index", "usage", "input_tokens", "prompt_tokens", "reasoning_details",
    "executed_tools", "finish_reason", "status", "partial_json", "search_results", "citations",
]  # fmt: skip
KINDS = [
    "content_block_start", "content_block_delta", "content_block_stop", "message_start",
    "message_delta", "message_stop", "error", "ping", "text", "tool_use", "input_json_delta",
    "server_tool_use", "web_search_tool_result", "thinking", "citations_delta",
    "response.output_item.added", "response.output_item.done", "response.output_text.delta",
    "response.function_call_arguments.delta", "response.completed", "response.failed",
    "function_call", "reasoning", "message", "web_search_call",
    "response.output_text.annotation.added", "response.reasoning_summary_part.added",
]  # fmt: skip
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


@pytest.mark.parametrize("decoder_class", DECODERS)
@given(records=st.lists(st.tuples(st.sampled_from(["", *KINDS]), RECORDS), max_size=8))
def test_nothing_that_comes_in_raises(
    decoder_class: Callable[[], Decoder], records: list[tuple[str, str | bytes]]
) -> None:
    decoder = decoder_class()
    events = [event for name, data in records for event in decoder.feed(name, data)]
    events += decoder.finish()
    finished = [event for event in events if isinstance(event, ResponseFinished)]
    assert len(finished) == (decoder.failure is None)
    assert not finished or events[-1] is finished[0]
    for event in events:
        assert e.decode_event(e.encode_event(event)) is not None


@pytest.mark.parametrize("decoder_class", DECODERS)
@given(body=RECORDS)
def test_no_whole_body_raises(decoder_class: Callable[[], Decoder], body: str | bytes) -> None:
    decoder = decoder_class()
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    events = [*decoder.decode_whole(raw), *decoder.finish()]
    assert any(isinstance(event, ResponseFinished) for event in events) == (decoder.failure is None)


@pytest.mark.parametrize("decoder_class", DECODERS)
def test_an_empty_body_is_a_cut(decoder_class: Callable[[], Decoder]) -> None:
    decoder = decoder_class()
    assert run(decoder) == []
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


@pytest.mark.parametrize("decoder_class", DECODERS)
def test_unknown_records_are_counted_and_passed_over(
    decoder_class: Callable[[], Decoder],
) -> None:
    decoder = decoder_class()
    assert list(decoder.feed("", '{"type": "from.the.future"}')) == []
    assert list(decoder.feed("", "{cut off")) == []
    assert decoder.unknown.total() == 2


def test_half_a_surrogate_pair_does_not_reach_the_screen() -> None:
    decoder = ChatDecoder()
    events = run(decoder, r'{"choices":[{"delta":{"content":"a\ud83d"}}]}', "[DONE]")
    assert events[0] == TextDelta("a�")


# Anthropic


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


# chat completions


def chunk(delta: Json, finish: str | None = None, **more: object) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def piece(arguments: object, **more: object) -> Json:
    name = more.pop("name", None)
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"function": function, **more}]}


def test_calls_that_share_an_index_are_told_apart_by_id() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":1}', index=0, id="x", name="f")),
        chunk(piece('{"a":2}', index=0, id="y", name="f"), "tool_calls"),
    )
    assert [call.call_id for call in requests(events)] == ["x", "y"]
    assert [call.arguments for call in requests(events)] == [{"a": 1}, {"a": 2}]


def test_calls_without_an_index_are_continued_by_what_follows() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":', id="x", name="f")),
        chunk(piece("1}")),
        chunk(piece('{"b":2}', id="y", name="g"), "stop"),
    )
    assert requests(events) == [
        ToolCallRequested("x", "f", {"a": 1}),
        ToolCallRequested("y", "g", {"b": 2}),
    ]
    assert events[-1] == ResponseFinished(1, "tool_use")


def test_calls_without_an_id_get_one_that_no_other_turn_has() -> None:
    events = run(ChatDecoder(3), chunk(piece({"a": 1}, index=0, name="f"), "tool_calls"))
    assert requests(events) == [ToolCallRequested("call_3_1", "f", {"a": 1})]


@pytest.mark.parametrize("arguments", ["", None, "null", "{}", " "])
def test_no_arguments_is_an_empty_object(arguments: str | None) -> None:
    events = run(ChatDecoder(), chunk(piece(arguments, index=0, id="x", name="f"), "tool_calls"))
    assert requests(events) == [ToolCallRequested("x", "f", {})]


def test_of_a_cut_answer_only_the_last_call_is_dropped() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":1}', index=0, id="x", name="f")),
        chunk(piece('{"a":', index=1, id="y", name="f"), "length"),
    )
    assert [call.call_id for call in requests(events)] == ["x"]
    assert events[-1] == ResponseFinished(1, "length")


def test_a_stream_that_stops_inside_a_call_without_a_reason_is_a_cut() -> None:
    decoder = ChatDecoder()
    run(decoder, chunk(piece('{"a":', index=0, id="x", name="f")), "[DONE]")
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


def test_text_without_any_ending_is_a_cut() -> None:
    decoder = ChatDecoder()
    assert run(decoder, chunk({"content": "Hel"})) == [TextDelta("Hel")]
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


@pytest.mark.parametrize(
    "ending", ["[DONE]", {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}]
)
def test_done_or_a_closing_usage_record_end_an_answer_without_a_reason(ending: Json | str) -> None:
    decoder = ChatDecoder()
    events = run(decoder, chunk({"content": "Hello"}), ending)
    assert events[-1] == ResponseFinished(1, "end")
    assert decoder.wire_stop_reason is None


def test_reasoning_goes_back_under_the_name_it_came_by() -> None:
    events = run(
        ChatDecoder(),
        chunk({"reasoning_content": "h", "reasoning": "h"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "x"}, "stop"),
    )
    assert events == [
        e.ReasoningDelta("h"),
        e.ReasoningDelta("m"),
        TextDelta("x"),
        ProviderItem("openai-chat", {"reasoning_field": "reasoning_content"}),
        ResponseFinished(1, "end"),
    ]


def test_reasoning_details_are_joined_and_keep_their_signature() -> None:
    def detail(**more: object) -> Json:
        return chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, **more}]})

    events = run(ChatDecoder(), detail(text="a"), detail(text="b"), detail(signature="s"), "[DONE]")
    kept = {"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"}
    assert ProviderItem("openai-chat", {"reasoning_details": [kept]}) in events


def test_a_thought_signature_is_kept_with_its_call() -> None:
    extra = {"google": {"thought_signature": "s"}}
    events = run(
        ChatDecoder(),
        chunk(piece("{}", index=0, id="x", name="f", extra_content=extra), "tool_calls"),
    )
    item: Json = {"tool_call_id": "x", "extra_content": extra}
    assert ProviderItem("openai-chat", item) in events


def test_a_whole_message_beside_deltas_gives_only_what_they_left_out() -> None:
    def both(new: str, whole: str) -> Json:
        return {"choices": [{"delta": {"content": new}, "message": {"content": whole}}]}

    events = run(ChatDecoder(), both("1", "1"), both("", "1 2"), both(" 3", "1 2 3"), "[DONE]")
    assert events[:-1] == [TextDelta("1"), TextDelta(" 2"), TextDelta(" 3")]


def test_a_refusal_is_visible_and_named() -> None:
    events = run(ChatDecoder(), chunk({"refusal": "No."}), chunk({}, "stop"))
    assert events == [TextDelta("No."), ResponseFinished(1, "refusal")]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"error": {"code": 502, "message": "Upstream died"}}, "server"),
        ({"error": {"code": 429, "message": "Slow"}, "choices": []}, "rate_limit"),
        ({"error": {"code": "context_length_exceeded", "message": "No"}}, "context_overflow"),
        ({"error": {"message": "This model's maximum context length is 8192"}}, "context_overflow"),
        ({"error": "out of memory"}, "server"),
        ({"object": "error", "message": "bad", "code": 400}, "invalid_request"),
        ({"choices": [{"delta": {}, "finish_reason": "error"}]}, "server"),
    ],
)
def test_an_error_in_a_chat_stream_is_a_failure(record: Json, kind: str) -> None:
    decoder = ChatDecoder()
    run(decoder, chunk({"content": "a"}), record, "[DONE]")
    assert decoder.failure is not None
    assert decoder.failure.kind == kind


def test_a_whole_completion_gives_the_same_events() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [call]}
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    decoder = ChatDecoder()
    events = [*decoder.decode_whole(json.dumps(body).encode()), *decoder.finish()]
    assert events == [
        TextDelta("Hi"),
        e.ToolCallStarted("x", "f"),
        e.ToolArgumentsDelta("x", '{"a":1}'),
        e.Usage(3, 4),
        ToolCallRequested("x", "f", {"a": 1}),
        ResponseFinished(1, "tool_use"),
    ]


# Responses


def done(index: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def closed(status: str = "completed", **more: object) -> Json:
    return {"type": f"response.{status}", "response": {"status": status, **more}}


CALL: Json = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}


def test_a_reasoning_item_goes_back_whole() -> None:
    item: Json = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}
    events = run(ResponsesDecoder(), done(0, item), closed())
    assert events == [ProviderItem("openai-responses", item), ResponseFinished(1, "end")]


def test_what_was_not_streamed_is_taken_from_what_closes_it() -> None:
    message: Json = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    streamed = run(ResponsesDecoder(), done(0, message), done(1, CALL), closed())
    whole = run(ResponsesDecoder(), closed(output=[message, CALL]))
    assert streamed == whole
    assert streamed == [
        TextDelta("Hi"),
        e.ToolCallStarted("c1", "f"),
        e.ToolArgumentsDelta("c1", '{"a":1}'),
        ToolCallRequested("c1", "f", {"a": 1}),
        ResponseFinished(1, "tool_use"),
    ]


def test_what_was_streamed_is_not_said_again() -> None:
    message: Json = {"type": "message", "id": "m", "content": [{"text": "Hi"}]}
    delta: Json = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}
    events = run(ResponsesDecoder(), delta, done(0, message), closed(output=[message]))
    assert events == [TextDelta("Hi"), ResponseFinished(1, "end")]


def test_a_response_at_its_token_limit_drops_the_call_that_was_cut() -> None:
    cut = CALL | {"arguments": '{"a"'}
    details = {"reason": "max_output_tokens"}
    events = run(ResponsesDecoder(), done(0, cut), closed("incomplete", incomplete_details=details))
    assert requests(events) == []
    assert events[-1] == ResponseFinished(1, "length")


def test_a_response_that_is_incomplete_for_no_reason_is_at_its_limit() -> None:
    message: Json = {"type": "message", "content": [{"text": "Once upon"}]}
    events = run(ResponsesDecoder(), closed("incomplete", output=[message]))
    assert events == [TextDelta("Once upon"), ResponseFinished(1, "length")]


def test_a_failed_response_is_a_failure() -> None:
    decoder = ResponsesDecoder()
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    run(decoder, closed("failed", error=error))
    assert decoder.failure is not None
    assert decoder.failure.kind == "rate_limit"
    assert decoder.failure.retryable


def test_a_response_without_its_last_record_is_a_cut() -> None:
    decoder = ResponsesDecoder()
    run(decoder, done(0, CALL))
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


def test_parts_of_a_reasoning_summary_are_set_apart() -> None:
    def part(index: int, text: str) -> list[Json]:
        at: Json = {"output_index": 0, "summary_index": index}
        return [
            {"type": "response.reasoning_summary_part.added", **at},
            {"type": "response.reasoning_summary_text.delta", "delta": text, **at},
        ]

    events = run(ResponsesDecoder(), *part(0, "a"), *part(1, "b"), closed())
    reasoning = [event.text for event in events if isinstance(event, e.ReasoningDelta)]
    assert "".join(reasoning) == "a\n\nb"
