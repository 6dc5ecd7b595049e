"""The chat stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from tests.providers.decoding import (
    Json,
    chunk,
    failure_of,
    piece,
    requests,
    run,
    run_whole,
    summarize,
)

A, B = {"a": 1}, {"b": 2}


def custom(**fields: object) -> Json:
    return {"tool_calls": [{"index": 0, "id": "x", "type": "custom", "custom": fields}]}


def old(**fields: object) -> Json:
    return {"function_call": fields}


CALLS: dict[str, tuple[list[Json], list[tuple[str, str, object]]]] = {
    "two ids at one index": (
        [piece('{"a":1}', index=0, id="x", name="f"), piece('{"b":2}', index=0, id="y", name="f")],
        [("x", "f", A), ("y", "f", B)],
    ),
    "an id that changes inside the arguments": (
        [
            piece('{"a":', index=0, id="x1", name="f"),
            piece("1", index=0, id="x2", name="f"),
            piece("}", index=0, id="x3"),
            piece('{"b":2}', index=0, id="y", name="f"),
        ],
        [("x1", "f", A), ("y", "f", B)],
    ),
    "no index": (
        [piece('{"a":', id="x", name="f"), piece("1}"), piece('{"b":2}', id="y", name="g")],
        [("x", "f", A), ("y", "g", B)],
    ),
    "a repeated name and id": (
        [
            piece("", index=0, id="x", name="f"),
            piece('{"a":', index=0, id="x", name="f"),
            piece("1}", index=0, id="", name=""),
        ],
        [("x", "f", A)],
    ),
    "an index that begins at one": (
        [
            piece("{}", index=1, id="x", name="f"),
            piece('{"a":', index=2, id="y", name="g"),
            piece("1}", index=2),
        ],
        [("x", "f", {}), ("y", "g", A)],
    ),
    "arguments that never come": (
        [{"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f"}}]}],
        [("x", "f", {})],
    ),
    "a custom tool, whose input is no JSON": (
        [custom(name="math", input=""), custom(input="4 "), custom(input="+ 4")],
        [("x", "math", "4 + 4")],
    ),
    "no id": ([piece(A, index=0, name="f")], [("call_1", "f", A)]),
    "a function call of old": (
        [old(name="f", arguments='{"a"'), old(arguments=":1}")],
        [("call_1", "f", A)],
    ),
}


@pytest.mark.parametrize("form", CALLS)
def test_calls_are_collected_in_every_form(form: str) -> None:
    deltas, expected = CALLS[form]
    for finish in ("tool_calls", "stop"):
        events = run(ChatDecoder(), *map(chunk, deltas), chunk({}, finish))
        calls = requests(events)
        assert [(call.call_id, call.name, call.arguments) for call in calls] == expected
        assert sum(isinstance(event, e.ToolCallStarted) for event in events) == len(calls)
        if expected[0][0] == "call_1":
            assert calls[0].wire_id == ""
        assert events[-1] == ResponseFinished(1, "tool_use")


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


USAGE: Json = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@pytest.mark.parametrize(
    "records",
    [
        [chunk(piece('{"a":', index=0, id="x", name="f")), "[DONE]"],
        [chunk({"content": "Hel"})],
        [USAGE, chunk({"content": "Hel"})],
    ],
    ids=["inside a call", "without any ending", "usage before the answer"],
)
def test_a_stream_that_is_not_complete_is_a_cut(records: list[Json | str]) -> None:
    assert failure_of(ChatDecoder(), *records).kind == "cut"


@pytest.mark.parametrize("ending", ["[DONE]", USAGE])
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


def detail(**fields: object) -> Json:
    return {"reasoning_details": [{"type": "reasoning.text", "index": 0, **fields}]}


def thought(**fields: object) -> Json:
    block = {"type": "thinking", **fields}
    return {"reasoning_content": fields.get("thinking", ""), "thinking_blocks": [block]}


EXTRA: Json = {"google": {"thought_signature": "s"}}


@pytest.mark.parametrize(
    ("deltas", "item"),
    [
        (
            [detail(text="a"), detail(text="b"), detail(signature="s")],
            {
                "reasoning_details": [
                    {"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"}
                ]
            },
        ),
        (
            [
                thought(thinking="h"),
                thought(thinking="m"),
                thought(thinking="", signature="s"),
                thought(thinking="more"),
            ],
            {
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "thinking", "thinking": "more"},
                ]
            },
        ),
        (
            [piece("{}", index=0, id="x", name="f", extra_content=EXTRA)],
            {"tool_call_id": "x", "extra_content": EXTRA},
        ),
        ([{"content": "a", "extra_content": EXTRA}], {"message_extra_content": EXTRA}),
    ],
    ids=["details", "thinking blocks", "signature of a call", "signature of a message"],
)
def test_items_that_must_go_back_are_kept(deltas: list[Json], item: Json) -> None:
    events = run(ChatDecoder(), *map(chunk, deltas), "[DONE]")
    assert ProviderItem("openai-chat", item) in events


def test_a_whole_message_beside_deltas_gives_only_what_they_left_out() -> None:
    def both(new: str, whole: str) -> Json:
        return {"choices": [{"delta": {"content": new}, "message": {"content": whole}}]}

    events = run(ChatDecoder(), both("1", "1"), both("", "1 2"), both(" 3", "1 2 3"), "[DONE]")
    assert events[:-1] == [TextDelta("1"), TextDelta(" 2"), TextDelta(" 3")]
    repeated = run(ChatDecoder(), both("a", "a"), both("a", "a"), both("ab", "ab"), "[DONE]")
    assert summarize(repeated).text == "aaab"


def test_a_closing_message_gives_what_only_it_holds() -> None:
    call = {"id": "x", "function": {"name": "f", "arguments": "{}"}}
    message = {"content": "Hi", "reasoning_content": "hm", "tool_calls": [call]}
    closing: Json = {"choices": [{"delta": {}, "message": message, "finish_reason": "stop"}]}
    expected = summarize(run(ChatDecoder(), chunk({**message}, "stop")))
    assert summarize(run(ChatDecoder(), closing)) == expected
    assert summarize(run(ChatDecoder(), chunk({**message}), closing, "[DONE]")) == expected


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
    for finish in (None, "length"):
        failure = failure_of(ChatDecoder(), chunk({"content": "a"}, finish), record, "[DONE]")
        assert failure.kind == kind


def test_a_whole_completion_gives_the_same_events() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [call]}
    body: Json = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    assert run_whole(ChatDecoder(), body) == [
        TextDelta("Hi"),
        e.ToolCallStarted("x", "f"),
        e.ToolArgumentsDelta("x", '{"a":1}'),
        e.Usage(3, 4),
        ToolCallRequested("x", "f", {"a": 1}),
        ResponseFinished(1, "tool_use"),
    ]


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}


@pytest.mark.parametrize(
    ("deltas", "text", "reasoning"),
    [
        (
            [
                {"content": [THINKING]},
                {"content": "a"},
                {"content": [{"type": "text", "text": "b"}, "c"]},
                {"content": None},
                {"content": "d"},
            ],
            "abcd",
            "hm",
        ),
        ([{"content": {"name": "Ada", "age": 36}}], '{"name":"Ada","age":36}', ""),
        (
            [
                {"audio": {"id": "a", "transcript": "Hel"}},
                {"audio": {"data": "QUJD"}},
                {"audio": {"transcript": "lo"}},
            ],
            "Hello",
            "",
        ),
        ([{"content": "a", "reasoning": "r"}], "a", "r"),
        ([{"content": "<think>hm</th"}, {"content": "ink>a"}], "<think>hm</think>a", ""),
    ],
    ids=["strings and lists", "an object", "speech", "both in one chunk", "think tags"],
)
def test_content_is_read_in_every_form(deltas: list[Json], text: str, reasoning: str) -> None:
    chunks = [chunk(delta, id=str(number)) for number, delta in enumerate(deltas)]
    events = run(ChatDecoder(), *chunks, chunk({}, "stop"))
    summary = summarize(events)
    assert (summary.text, summary.reasoning) == (text, reasoning)
    if reasoning:
        assert isinstance(events[0], e.ReasoningDelta)


def test_references_in_the_content_are_sources() -> None:
    parts = [
        {"type": "reference", "reference_ids": [1]},
        {"type": "tool_reference", "title": "T", "url": "https://t"},
    ]
    events = run(ChatDecoder(), chunk({"content": parts}, "stop"))
    assert summarize(events).citations == [
        e.Citation("", "reference 1"),
        e.Citation("https://t", "T"),
    ]


def test_of_two_finish_reasons_the_last_counts() -> None:
    events = run(ChatDecoder(), chunk({"content": "a"}, "stop"), chunk({}, "length"), "[DONE]")
    assert events == [TextDelta("a"), ResponseFinished(1, "length")]


def test_usage_in_every_chunk_is_counted_as_it_grows() -> None:
    def used(output: int) -> Json:
        return chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": output})

    events = run(ChatDecoder(), used(1), used(2), "[DONE]")
    usage = [event for event in events if isinstance(event, e.Usage)]
    assert usage == [e.Usage(5, 1), e.Usage(5, 2)]


def test_only_the_first_choice_is_the_answer() -> None:
    other: Json = {"choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}]}
    events = run(ChatDecoder(), chunk({"content": "A"}), other, chunk({}, "stop"))
    assert events == [TextDelta("A"), ResponseFinished(1, "end")]
