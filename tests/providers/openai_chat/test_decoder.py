"""The chat stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import (
    ProviderItem,
    ReasoningDelta,
    ResponseFinished,
    TextDelta,
    ToolCallRequested,
    WireEvent,
)
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

A: Json = {"a": 1}
B: Json = {"b": 2}
END = ResponseFinished(1, "end")
USAGE: Json = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


def used(output: int) -> Json:
    return chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": output})


def both(new: str, whole: str) -> Json:
    return {"choices": [{"delta": {"content": new}, "message": {"content": whole}}]}


ANSWERS: dict[str, tuple[list[Json | str], list[WireEvent]]] = {
    "no reason, but [DONE]": ([chunk({"content": "Hi"}), "[DONE]"], [TextDelta("Hi"), END]),
    "no reason, but usage": (
        [chunk({"content": "Hi"}), USAGE],
        [TextDelta("Hi"), e.Usage(1, 1), END],
    ),
    "two reasons, of which the last counts": (
        [chunk({"content": "a"}, "stop"), chunk({}, "length"), "[DONE]"],
        [TextDelta("a"), ResponseFinished(1, "length")],
    ),
    "several choices, of which the first counts": (
        [chunk({"content": "A"}), {"choices": [{"index": 1, "delta": {"content": "B"}}]}, "[DONE]"],
        [TextDelta("A"), END],
    ),
    "a refusal": (
        [chunk({"refusal": "No."}), chunk({}, "stop")],
        [TextDelta("No."), ResponseFinished(1, "refusal")],
    ),
    "usage that grows with every chunk": (
        [used(1), used(2), "[DONE]"],
        [TextDelta("a"), e.Usage(5, 1), TextDelta("a"), e.Usage(5, 2), END],
    ),
    "reasoning in two fields": (
        [
            chunk({"reasoning_content": "h", "reasoning": "h"}),
            chunk({"reasoning_content": "m"}),
            chunk({"content": "x"}, "stop"),
        ],
        [
            *(ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("x")),
            *(ProviderItem("openai-chat", {"reasoning_field": "reasoning_content"}), END),
        ],
    ),
    "a place for a call that is never used": (
        [chunk({"tool_calls": [{"index": 0, "function": {}}]}), chunk({"content": "a"}, "stop")],
        [TextDelta("a"), END],
    ),
    "half a surrogate pair": (
        [r'{"choices":[{"delta":{"content":"a\ud83d"}}]}', "[DONE]"],
        [TextDelta("a\ufffd"), END],
    ),
    "whole messages beside deltas": (
        [both("1", "1"), both("", "1 2"), both(" 3", "1 2 3"), "[DONE]"],
        [TextDelta("1"), TextDelta(" 2"), TextDelta(" 3"), END],
    ),
    "messages that repeat one delta each": (
        [both("a", "a"), both("a", "a"), both("ab", "ab"), "[DONE]"],
        [TextDelta("a"), TextDelta("a"), TextDelta("ab"), END],
    ),
    "references": (
        [
            chunk({"content": [{"type": "reference", "reference_ids": [1]}]}),
            chunk(
                {"content": [{"type": "tool_reference", "title": "T", "url": "https://t"}]}, "stop"
            ),
        ],
        [e.Citation("", "reference 1"), e.Citation("https://t", "T"), END],
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_form_of_an_answer_is_read(answer: str) -> None:
    records, events = ANSWERS[answer]
    assert run(ChatDecoder(), *records) == events


def custom(**fields: object) -> Json:
    return {"tool_calls": [{"index": 0, "id": "x", "type": "custom", "custom": fields}]}


def at(index: int, call_id: str, **fields: object) -> Json:
    return {"tool_calls": [{"index": index, "id": call_id, "type": "custom", "custom": fields}]}


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
    "a custom tool, whose input is an object": (
        [custom(name="f", input='{"a"'), custom(input=":1}")],
        [("x", "f", A)],
    ),
    "two custom calls at one index": (
        [at(0, "x", name="math", input="4 -"), at(0, "y", name="math", input="5")],
        [("x", "math", "4 -"), ("y", "math", "5")],
    ),
    "arguments before the name": (
        [piece('{"a":', index=0, id="x"), piece("1}", index=0, name="f")],
        [("x", "f", A)],
    ),
    "no id": ([piece(A, index=0, name="f")], [("call_1", "f", A)]),
    "a function call of old": (
        [
            {"function_call": {"name": "f", "arguments": '{"a"'}},
            {"function_call": {"arguments": ":1}"}},
        ],
        [("call_1", "f", A)],
    ),
}
CALLS |= {
    f"{arguments!r} for no arguments": (
        [piece(arguments, index=0, id="x", name="f")],
        [("x", "f", {})],
    )
    for arguments in ("", None, "null", "{}", " ")
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


def test_of_a_cut_answer_only_the_last_call_is_dropped() -> None:
    events = run(
        ChatDecoder(),
        chunk(piece('{"a":1}', index=0, id="x", name="f")),
        chunk(piece('{"a":', index=1, id="y", name="f"), "length"),
    )
    assert [call.call_id for call in requests(events)] == ["x"]
    assert events[-1] == ResponseFinished(1, "length")


@pytest.mark.parametrize(
    "records",
    [
        [chunk(piece('{"a":', index=0, id="x", name="f")), "[DONE]"],
        [USAGE, chunk({"content": "a"})],
    ],
    ids=["inside a call", "usage before the answer"],
)
def test_a_stream_that_is_not_complete_is_a_cut(records: list[Json | str]) -> None:
    assert failure_of(ChatDecoder(), *records).kind == "cut"


@pytest.mark.parametrize("end", [["[DONE]"], [USAGE]], ids=["done", "usage"])
def test_free_text_is_no_call_that_was_cut_off(end: list[Json | str]) -> None:
    events = run(ChatDecoder(), chunk(custom(name="math", input="{4 +")), *end)
    assert [call.arguments for call in requests(events)] == ["{4 +"]


def test_free_text_at_the_limit_is_cut_off_whatever_it_looks_like() -> None:
    first, last = at(0, "x", name="sql", input="SELECT 1"), at(1, "y", name="sql", input="{}")
    events = run(ChatDecoder(), chunk(first), chunk(last, "length"))
    assert [call.call_id for call in requests(events)] == ["x"]


def detail(**fields: object) -> Json:
    return {"reasoning_details": [{"type": "reasoning.text", "index": 0, **fields}]}


def thought(**fields: object) -> Json:
    block = {"type": "thinking", **fields}
    return {"reasoning_content": fields.get("thinking", ""), "thinking_blocks": [block]}


EXTRA: Json = {"google": {"thought_signature": "s"}}
WHOLE_DETAIL = {"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "s"}
HM = [thought(thinking="h"), thought(thinking="m"), thought(thinking="", signature="s")]


@pytest.mark.parametrize(
    ("deltas", "item"),
    [
        (
            [detail(text="a"), detail(text="b"), detail(signature="s")],
            {"reasoning_details": [WHOLE_DETAIL]},
        ),
        (
            [*HM, thought(thinking="more")],
            {"thinking_blocks": [SIGNED, {"type": "thinking", "thinking": "more"}]},
        ),
        (
            [piece("{}", index=0, id="x", name="f", extra_content=EXTRA)],
            {"tool_call_id": "x", "extra_content": EXTRA},
        ),
        ([{"content": "a", "extra_content": EXTRA}], {"message_extra_content": EXTRA}),
        (
            [custom(name="math", input='{"a"'), custom(input=": 1}")],
            {"tool_call_id": "x", "custom": {"name": "math", "input": '{"a": 1}'}},
        ),
    ],
    ids=[
        *("details", "thinking blocks", "signature of a call", "signature of a message"),
        "free text",
    ],
)
def test_items_that_must_go_back_are_kept(deltas: list[Json], item: Json) -> None:
    events = run(ChatDecoder(), *map(chunk, deltas), "[DONE]")
    assert ProviderItem("openai-chat", item) in events


def test_a_closing_message_gives_what_only_it_holds() -> None:
    call = {"id": "x", "function": {"name": "f", "arguments": "{}"}}
    message = {"content": "Hi", "reasoning_content": "hm", "tool_calls": [call]}
    closing: Json = {"choices": [{"delta": {}, "message": message, "finish_reason": "stop"}]}
    expected = summarize(run(ChatDecoder(), chunk({**message}, "stop")))
    assert summarize(run(ChatDecoder(), closing)) == expected
    assert summarize(run(ChatDecoder(), chunk({**message}), closing, "[DONE]")) == expected


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"error": {"code": 429, "message": "Slow"}, "choices": []}, "rate_limit"),
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
        *(TextDelta("Hi"), e.ToolCallStarted("x", "f"), e.ToolArgumentsDelta("x", '{"a":1}')),
        *(e.Usage(3, 4), ToolCallRequested("x", "f", A), ResponseFinished(1, "tool_use")),
    ]


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
PARTS = [{"content": [{"type": "text", "text": "b"}, "c"]}, {"content": None}, {"content": "d"}]
SPEECH = [{"transcript": "Hel"}, {"data": "QUJD"}, {"transcript": "lo"}]


@pytest.mark.parametrize(
    ("deltas", "text", "reasoning"),
    [
        ([{"content": [THINKING]}, {"content": "a"}, *PARTS], "abcd", "hm"),
        ([{"content": {"name": "Ada", "age": 36}}], '{"name":"Ada","age":36}', ""),
        ([{"audio": part} for part in SPEECH], "Hello", ""),
        ([{"content": "a", "reasoning": "r"}], "a", "r"),
        ([{"content": "<think>hm</th"}, {"content": "ink>a"}], "<think>hm</think>a", ""),
    ],
    ids=["strings and lists", "an object", "speech", "both in one chunk", "think tags"],
)
def test_content_is_read_in_every_form(deltas: list[Json], text: str, reasoning: str) -> None:
    events = run(ChatDecoder(), *map(chunk, deltas), chunk({}, "stop"))
    summary = summarize(events)
    assert (summary.text, summary.reasoning) == (text, reasoning)
    assert isinstance(events[0], ReasoningDelta if reasoning else TextDelta)
