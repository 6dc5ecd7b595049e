"""The Responses stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, requests, run, run_whole, told


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
    body: Json = {"type": "message", "content": [{"text": "Once upon"}]}
    events = run(ResponsesDecoder(), closed("incomplete", output=[body]))
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


def text(delta: str, place: int = 0, **more: object) -> Json:
    return {"type": "response.output_text.delta", "output_index": place, "delta": delta, **more}


def added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def message(*texts: str, **more: object) -> Json:
    return {
        "type": "message",
        "content": [{"type": "output_text", "text": t} for t in texts],
        **more,
    }


@pytest.mark.parametrize(
    "closing",
    [
        {"type": "response.output_text.done", "output_index": 0, "text": "Hello"},
        done(0, message("Hello", id="m")),
        closed(output=[message("Hello", id="m")]),
        closed(output=[{"type": "reasoning", "id": "r"}, message("Hello", id="m")]),
    ],
)
def test_what_was_lost_on_the_way_is_taken_from_what_closes_it(closing: Json) -> None:
    for streamed in ("", "Hel", "Hello"):
        events = run(ResponsesDecoder(), *([text(streamed)] if streamed else []), closing, closed())
        assert told(events).text == "Hello", streamed


def test_records_that_come_twice_say_their_thing_once() -> None:
    records: list[Json] = [
        {"type": "response.created", "response": {}},
        done(0, {"type": "reasoning", "id": "r", "summary": [{"text": "hm"}]}),
        done(1, message("Hi", id="m")),
        added(2, CALL | {"id": "c", "arguments": ""}),
        done(2, CALL | {"id": "c"}),
        done(3, {"type": "web_search_call", "id": "w", "action": {"query": "q"}}),
        closed(),
    ]
    once = run(ResponsesDecoder(), *records)
    assert run(ResponsesDecoder(), *(r for record in records for r in (record, record))) == once


def test_a_response_resumed_half_way_says_what_is_left() -> None:
    whole = message("Hello world", id="m")
    events = run(
        ResponsesDecoder(),
        text(" world"),
        {"type": "response.output_text.done", "output_index": 0, "text": "Hello world"},
        done(0, whole),
        closed(output=[whole]),
    )
    assert told(events).text == " world"


def test_a_call_resumed_half_way_is_requested_whole() -> None:
    events = run(
        ResponsesDecoder(),
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '":1}'},
        done(0, CALL),
        closed(),
    )
    assert requests(events) == [ToolCallRequested("c1", "f", {"a": 1})]


def test_a_call_that_lost_a_piece_is_requested_as_its_closing_record_has_it() -> None:
    events = run(
        ResponsesDecoder(),
        added(0, CALL | {"arguments": ""}),
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": ":1}"},
        done(0, CALL),
        closed(),
    )
    assert requests(events) == [ToolCallRequested("c1", "f", {"a": 1})]


def test_items_that_are_never_done_are_done_with_their_response() -> None:
    streamed: list[Json] = [
        text("Hi"),
        added(1, CALL | {"arguments": ""}),
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"a"'},
        {
            "type": "response.function_call_arguments.done",
            "output_index": 1,
            "arguments": '{"a":1}',
        },
    ]
    for output in ([], [message("Hi"), CALL]):
        events = run(ResponsesDecoder(), *streamed, closed(output=output))
        assert told(events).text == "Hi"
        assert requests(events) == [ToolCallRequested("c1", "f", {"a": 1})]


def test_ids_may_change_with_every_record() -> None:
    place: Json = {"output_index": 0}
    records: list[Json] = [
        added(0, {"type": "message", "id": "1"}),
        text("Hel", item_id="2"),
        text("lo", item_id="3"),
        {"type": "response.output_text.done", "item_id": "4", "text": "Hello", **place},
        done(0, message("Hello", id="5")),
        added(1, CALL | {"id": "6", "arguments": ""}),
        done(1, CALL | {"id": "7"}),
        closed(output=[message("Hello", id="8"), CALL | {"id": "9"}]),
    ]
    answer = told(run(ResponsesDecoder(), *records))
    assert (answer.text, len(answer.calls)) == ("Hello", 1)


def test_ids_may_change_where_no_place_is_told() -> None:
    def unplaced(record: Json, item_id: str) -> Json:
        return {key: v for key, v in record.items() if key != "output_index"} | {"item_id": item_id}

    arguments: Json = {"type": "response.function_call_arguments.delta", "delta": '{"a":1}'}
    answer = told(
        run(
            ResponsesDecoder(),
            unplaced(text("Hello"), "1"),
            unplaced(done(0, message("Hello", id="2")), "2"),
            unplaced(added(0, CALL | {"id": "3", "arguments": ""}), "3"),
            unplaced(arguments, "4"),
            unplaced(done(0, CALL | {"id": "5"}), "5"),
            closed(output=[message("Hello", id="6"), CALL | {"id": "7"}]),
        )
    )
    assert (answer.text, answer.calls) == ("Hello", [ToolCallRequested("c1", "f", {"a": 1})])


def test_raw_reasoning_and_its_summary_are_both_reasoning() -> None:
    events = run(
        ResponsesDecoder(),
        {"type": "response.reasoning_text.delta", "output_index": 0, "delta": "hm"},
        {"type": "response.reasoning_text.done", "output_index": 0, "text": "hm, so"},
        done(1, {"type": "reasoning", "id": "r", "summary": [{"text": "A"}, {"text": "B"}]}),
        closed(),
    )
    assert told(events).reasoning == "hm, soA\n\nB"


def test_a_refusal_is_visible_and_named() -> None:
    refusal = {"type": "refusal", "refusal": "No."}
    item: Json = {"type": "message", "id": "m", "content": [refusal]}
    live: Json = {"type": "response.refusal.delta", "output_index": 0, "delta": "No."}
    for records in ([live, done(0, item)], [done(0, item)]):
        events = run(ResponsesDecoder(), *records, closed())
        assert events == [TextDelta("No."), ResponseFinished(1, "refusal")]


def test_a_cut_response_keeps_its_text_and_names_its_limit() -> None:
    details = {"reason": "max_output_tokens"}
    usage = {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 2}}
    events = run(
        ResponsesDecoder(),
        text("He"),
        closed("incomplete", incomplete_details=details, usage=usage),
    )
    assert events == [TextDelta("He"), e.Usage(3, 4, 2), ResponseFinished(1, "length")]


def test_a_stream_without_its_first_record_is_an_answer() -> None:
    assert told(run(ResponsesDecoder(), text("Hi"), closed())).stop_reason == "end"


def test_sources_are_kept_whether_they_come_live_or_at_the_end() -> None:
    url = {
        "type": "url_citation",
        "url": "https://a",
        "title": "A",
        "start_index": 0,
        "end_index": 2,
    }
    file = {"type": "file_citation", "file_id": "f1", "filename": "a.pdf", "index": 9}
    kept = {"type": "container_file_citation", "container_id": "c", "file_id": "f2"}
    part = {"type": "output_text", "text": "Hi", "annotations": [url, file, kept]}
    item: Json = {"type": "message", "id": "m", "content": [part]}
    live: Json = {"type": "response.output_text.annotation.added", "annotation": url}
    for records in ([text("Hi"), live], [text("Hi")], []):
        events = run(ResponsesDecoder(), *records, done(0, item), closed(output=[item]))
        assert told(events).citations == [
            e.Citation("https://a", "A"),
            e.Citation("f1", "a.pdf"),
            e.Citation("f2"),
        ]


def test_a_whole_response_gives_the_same_substance() -> None:
    items: list[Json] = [
        {"type": "reasoning", "id": "r", "summary": [{"text": "hm"}], "encrypted_content": "x"},
        message("Hi", id="m"),
        {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": "q"}},
        CALL | {"id": "c"},
    ]
    usage = {"input_tokens": 3, "output_tokens": 4}
    end = closed(output=items, usage=usage)
    streamed = run(ResponsesDecoder(), *(done(i, item) for i, item in enumerate(items)), end)
    whole = run_whole(ResponsesDecoder(), {"status": "completed", "output": items, "usage": usage})
    assert told(whole) == told(streamed)
    assert told(whole).calls == [ToolCallRequested("c1", "f", {"a": 1})]
    assert ProviderItem("openai-responses", items[0]) in whole
