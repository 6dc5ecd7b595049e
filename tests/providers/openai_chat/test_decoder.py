"""The chat stream: the corners that recordings leave open."""

import json

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from tests.providers.decoding import Json, chunk, piece, requests, run, run_whole, told


def test_calls_that_share_an_index_are_told_apart_by_id() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":1}', index=0, id="x", name="f")),
        chunk(piece('{"a":2}', index=0, id="y", name="f"), "tool_calls"),
    )
    assert [call.call_id for call in requests(events)] == ["x", "y"]
    assert [call.arguments for call in requests(events)] == [{"a": 1}, {"a": 2}]


def test_an_id_that_changes_inside_the_arguments_means_nothing() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":', index=0, id="x1", name="f")),
        chunk(piece("1", index=0, id="x2", name="f")),
        chunk(piece("}", index=0, id="x3")),
        chunk(piece('{"a":2}', index=0, id="y", name="f"), "tool_calls"),
    )
    assert [(call.call_id, call.arguments) for call in requests(events)] == [
        ("x1", {"a": 1}),
        ("y", {"a": 2}),
    ]


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


def test_a_call_without_an_id_has_none_on_the_wire() -> None:
    events = run(ChatDecoder(3), chunk(piece({"a": 1}, index=0, name="f"), "tool_calls"))
    assert requests(events) == [ToolCallRequested("call_1", "f", {"a": 1}, wire_id="")]


def test_a_call_whose_arguments_never_come_has_none() -> None:
    call = {"index": 0, "id": "x", "function": {"name": "f"}}
    events = run(ChatDecoder(), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"))
    assert requests(events) == [ToolCallRequested("x", "f", {})]


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


def test_content_may_change_between_string_and_list() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    events = run(
        ChatDecoder(),
        chunk({"content": [thinking]}),
        chunk({"content": "a"}),
        chunk({"content": [{"type": "text", "text": "b"}, "c"]}),
        chunk({"content": None}),
        chunk({"content": [{"type": "reference", "reference_ids": [1]}]}),
        chunk({"content": [{"type": "tool_reference", "title": "T", "url": "https://t"}]}),
        chunk({"content": "d"}, "stop"),
    )
    answer = told(events)
    assert (answer.text, answer.reasoning) == ("abcd", "hm")
    assert answer.citations == [e.Citation("", "reference 1"), e.Citation("https://t", "T")]


def test_content_that_is_an_object_is_said_as_json() -> None:
    message = {"content": {"name": "Ada", "age": 36}}
    body: Json = {"choices": [{"message": message, "finish_reason": "stop"}]}
    assert told(run_whole(ChatDecoder(), body)).text == '{"name":"Ada","age":36}'


def test_what_an_audio_model_speaks_is_its_text() -> None:
    events = run(
        ChatDecoder(),
        chunk({"audio": {"id": "a", "transcript": "Hel"}}),
        chunk({"audio": {"data": "QUJD"}}),
        chunk({"audio": {"transcript": "lo"}}, "stop"),
    )
    assert told(events).text == "Hello"


def test_reasoning_and_text_of_one_chunk_are_both_there_in_order() -> None:
    events = run(ChatDecoder(), chunk({"content": "a", "reasoning": "r"}, "stop"))
    assert events[:2] == [e.ReasoningDelta("r"), TextDelta("a")]


def test_think_tags_stay_in_the_text() -> None:
    events = run(
        ChatDecoder(), chunk({"content": "<think>hm</th"}), chunk({"content": "ink>a"}, "stop")
    )
    assert told(events).text == "<think>hm</think>a"


def test_a_name_and_an_id_that_are_repeated_are_the_same_call() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece("", index=0, id="x", name="f")),
        chunk(piece('{"a":', index=0, id="x", name="f")),
        chunk(piece("1}", index=0, id="", name="")),
        chunk({}, "tool_calls"),
    )
    assert requests(events) == [ToolCallRequested("x", "f", {"a": 1})]
    assert sum(isinstance(event, e.ToolCallStarted) for event in events) == 1


def test_an_index_that_begins_at_one_is_as_good() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece("{}", index=1, id="x", name="f")),
        chunk(piece('{"a":', index=2, id="y", name="g")),
        chunk(piece("1}", index=2), "tool_calls"),
    )
    assert [(call.call_id, call.arguments) for call in requests(events)] == [
        ("x", {}),
        ("y", {"a": 1}),
    ]


def test_calls_and_text_in_the_finishing_chunk_count() -> None:
    events = run(
        ChatDecoder(), chunk({"content": "So", **piece("{}", index=0, id="x", name="f")}, "stop")
    )
    assert told(events).text == "So"
    assert requests(events) == [ToolCallRequested("x", "f", {})]
    assert events[-1] == ResponseFinished(1, "tool_use")


def test_a_custom_tool_takes_text_that_is_no_json() -> None:
    def custom(**fields: object) -> Json:
        return chunk({"tool_calls": [{"index": 0, "id": "x", "type": "custom", "custom": fields}]})

    events = run(
        ChatDecoder(),
        custom(name="math", input=""),
        custom(input="4 "),
        custom(input="+ 4"),
        chunk({}, "tool_calls"),
    )
    assert requests(events) == [ToolCallRequested("x", "math", "4 + 4")]


def test_a_function_call_of_old_is_a_call() -> None:
    events = run(
        ChatDecoder(),
        chunk({"function_call": {"name": "f", "arguments": '{"a"'}}),
        chunk({"function_call": {"arguments": ":1}"}}),
        chunk({}, "function_call"),
    )
    assert requests(events) == [ToolCallRequested("call_1", "f", {"a": 1}, wire_id="")]


def test_of_two_finish_reasons_the_last_counts() -> None:
    decoder = ChatDecoder()
    events = run(decoder, chunk({"content": "a"}, "stop"), chunk({}, "length"), "[DONE]")
    assert events == [TextDelta("a"), ResponseFinished(1, "length")]


def test_an_error_after_a_finish_reason_is_a_failure() -> None:
    decoder = ChatDecoder()
    error: Json = {"error": {"code": 400, "message": "Token limit reached"}}
    events = run(decoder, chunk({"content": "a"}), chunk({}, "length"), error, "[DONE]")
    assert events == [TextDelta("a")]
    assert decoder.failure is not None
    assert decoder.failure.message == "Token limit reached"


def test_usage_in_every_chunk_is_counted_as_it_grows() -> None:
    def used(text: str, output: int, finish: str | None = None) -> Json:
        usage = {"prompt_tokens": 5, "completion_tokens": output}
        return chunk({"content": text}, finish, usage=usage)

    events = run(ChatDecoder(), used("a", 1), used("b", 2, "stop"))
    assert [event for event in events if isinstance(event, e.Usage)] == [
        e.Usage(5, 1),
        e.Usage(5, 2),
    ]


def test_usage_before_the_answer_ends_nothing() -> None:
    usage: Json = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 0}}
    decoder = ChatDecoder()
    run(decoder, usage, chunk({"content": "Hel"}))
    assert decoder.failure is not None
    assert decoder.failure.kind == "cut"


def test_only_the_first_choice_is_the_answer() -> None:
    other: Json = {"choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}]}
    events = run(ChatDecoder(), chunk({"content": "A"}), other, chunk({}, "stop"))
    assert events == [TextDelta("A"), ResponseFinished(1, "end")]


def test_ids_that_change_from_chunk_to_chunk_mean_nothing() -> None:
    events = run(ChatDecoder(), *(chunk({"content": c}, id=c) for c in "abc"), "[DONE]")
    assert told(events).text == "abc"


def test_what_only_the_closing_message_holds_is_taken_from_it() -> None:
    call = {"id": "x", "function": {"name": "f", "arguments": "{}"}}
    message = {"content": "Hi", "reasoning_content": "hm", "tool_calls": [call]}
    closing: Json = {"choices": [{"delta": {}, "message": message, "finish_reason": "stop"}]}
    assert told(run(ChatDecoder(), closing)) == told(run(ChatDecoder(), chunk({**message}, "stop")))
    streamed = run(ChatDecoder(), chunk({**message}), closing, "[DONE]")
    assert told(streamed) == told(run(ChatDecoder(), chunk({**message}, "stop")))


def test_a_message_that_only_repeats_its_delta_adds_nothing() -> None:
    def both(text: str, finish: str | None = None) -> Json:
        said = {"content": text}
        return {"choices": [{"delta": said, "message": said, "finish_reason": finish}]}

    assert told(run(ChatDecoder(), both("a"), both("a"), both("ab", "stop"))).text == "aaab"


def test_thinking_blocks_go_back_with_their_signatures() -> None:
    def thought(**more: object) -> Json:
        block = {"type": "thinking", **more}
        words = more.get("thinking", "")
        return chunk({"reasoning_content": words, "thinking_blocks": [block]})

    events = run(
        ChatDecoder(),
        thought(thinking="h"),
        thought(thinking="m"),
        thought(thinking="", signature="s"),
        thought(thinking="more"),
        "[DONE]",
    )
    assert told(events).reasoning == "hmmore"
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "more"},
    ]
    assert ProviderItem("openai-chat", {"thinking_blocks": blocks}) in events


def test_a_thought_signature_of_the_message_is_kept() -> None:
    extra = {"google": {"thought_signature": "s"}}
    events = run(ChatDecoder(), chunk({"content": "a", "extra_content": extra}, "stop"))
    assert ProviderItem("openai-chat", {"message_extra_content": extra}) in events
