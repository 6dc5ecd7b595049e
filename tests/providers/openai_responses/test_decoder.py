"""The Responses stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, failure_of, requests, run, run_whole, summarize

CALL: Json = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
OPEN: Json = CALL | {"arguments": ""}
AT_LIMIT = {"reason": "max_output_tokens"}


def done(index: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def closed(status: str = "completed", **more: object) -> Json:
    return {"type": f"response.{status}", "response": {"status": status, **more}}


def text(delta: str, **more: object) -> Json:
    return {"type": "response.output_text.delta", "output_index": 0, "delta": delta, **more}


def text_done(whole: str, **more: object) -> Json:
    return {"type": "response.output_text.done", "output_index": 0, "text": whole, **more}


def arguments(index: int, delta: str) -> Json:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": index, "delta": delta}


def message(words: str, **more: object) -> Json:
    return {"type": "message", "content": [{"type": "output_text", "text": words}], **more}


def test_a_reasoning_item_goes_back_whole() -> None:
    item: Json = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}
    events = run(ResponsesDecoder(), done(0, item), closed())
    assert events == [ProviderItem("openai-responses", item), ResponseFinished(1, "end")]


def test_items_that_were_not_streamed_are_taken_from_the_records_that_close_them() -> None:
    streamed = run(ResponsesDecoder(), done(0, message("Hi")), done(1, CALL), closed())
    assert streamed == run(ResponsesDecoder(), closed(output=[message("Hi"), CALL]))
    assert streamed == [
        TextDelta("Hi"),
        e.ToolCallStarted("c1", "f"),
        e.ToolArgumentsDelta("c1", '{"a":1}'),
        ToolCallRequested("c1", "f", {"a": 1}),
        ResponseFinished(1, "tool_use"),
    ]


@pytest.mark.parametrize(
    "closing",
    [
        text_done("Hello"),
        done(0, message("Hello", id="m")),
        closed(output=[message("Hello", id="m")]),
        closed(output=[{"type": "reasoning", "id": "r"}, message("Hello", id="m")]),
    ],
)
def test_text_is_completed_by_the_record_that_closes_it_and_never_repeated(closing: Json) -> None:
    for streamed in ("", "Hel", "Hello"):
        deltas = [text(streamed)] if streamed else []
        events = run(ResponsesDecoder(), *deltas, closing, closed())
        assert summarize(events).text == "Hello", streamed


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (
            [
                done(0, CALL | {"arguments": '{"a"'}),
                closed("incomplete", incomplete_details=AT_LIMIT),
            ],
            [e.ToolCallStarted("c1", "f"), e.ToolArgumentsDelta("c1", '{"a"')],
        ),
        ([closed("incomplete", output=[message("Once")])], [TextDelta("Once")]),
        (
            [
                text("He"),
                closed(
                    "incomplete",
                    incomplete_details=AT_LIMIT,
                    usage={
                        "input_tokens": 3,
                        "output_tokens": 4,
                        "input_tokens_details": {"cached_tokens": 2},
                    },
                ),
            ],
            [TextDelta("He"), e.Usage(3, 4, 2)],
        ),
    ],
    ids=["inside a call", "for no reason", "inside a text"],
)
def test_an_incomplete_response_is_at_its_limit_and_drops_a_broken_call(
    records: list[Json], expected: list[e.WireEvent]
) -> None:
    assert run(ResponsesDecoder(), *records) == [*expected, ResponseFinished(1, "length")]


def test_a_failed_response_is_a_failure() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    failure = failure_of(ResponsesDecoder(), closed("failed", error=error))
    assert (failure.kind, failure.retryable) == ("rate_limit", True)


def test_a_response_without_its_last_record_is_a_cut() -> None:
    assert failure_of(ResponsesDecoder(), done(0, CALL)).kind == "cut"


def test_records_that_come_twice_count_once() -> None:
    records: list[Json] = [
        {"type": "response.created", "response": {}},
        done(0, {"type": "reasoning", "id": "r", "summary": [{"text": "hm"}]}),
        done(1, message("Hi", id="m")),
        added(2, OPEN | {"id": "c"}),
        done(2, CALL | {"id": "c"}),
        done(3, {"type": "web_search_call", "id": "w", "action": {"query": "q"}}),
        closed(),
    ]
    once = run(ResponsesDecoder(), *records)
    assert run(ResponsesDecoder(), *(r for record in records for r in (record, record))) == once


def test_a_response_resumed_half_way_gives_the_rest() -> None:
    whole = message("Hello world", id="m")
    records = [text(" world"), text_done("Hello world"), done(0, whole), closed(output=[whole])]
    assert summarize(run(ResponsesDecoder(), *records)).text == " world"


@pytest.mark.parametrize(
    "records",
    [
        [arguments(0, '":1}'), done(0, CALL), closed()],
        [added(0, OPEN), arguments(0, ":1}"), done(0, CALL), closed()],
        [added(0, OPEN), arguments(0, '{"a"'), closed(output=[CALL])],
        [
            added(0, OPEN),
            arguments(0, '{"a"'),
            {
                "type": "response.function_call_arguments.done",
                "output_index": 0,
                "arguments": '{"a":1}',
            },
            closed(output=[]),
        ],
    ],
    ids=["resumed half way", "a lost delta", "never done", "done without its item"],
)
def test_a_call_is_requested_as_its_last_record_has_it(records: list[Json]) -> None:
    events = run(ResponsesDecoder(), *records)
    assert requests(events) == [ToolCallRequested("c1", "f", {"a": 1})]


def test_ids_may_change_with_every_record() -> None:
    records: list[Json] = [
        added(0, {"type": "message", "id": "1"}),
        text("Hel", item_id="2"),
        text("lo", item_id="3"),
        text_done("Hello", item_id="4"),
        done(0, message("Hello", id="5")),
        added(1, OPEN | {"id": "6"}),
        done(1, CALL | {"id": "7"}),
        closed(output=[message("Hello", id="8"), CALL | {"id": "9"}]),
    ]
    answer = summarize(run(ResponsesDecoder(), *records))
    assert (answer.text, len(answer.calls)) == ("Hello", 1)


def test_ids_may_change_where_there_are_no_places() -> None:
    records = [
        text("Hello"),
        done(0, message("Hello", id="1")),
        added(0, OPEN | {"id": "2"}),
        arguments(0, '{"a":1}'),
        done(0, CALL | {"id": "4"}),
    ]
    for number, record in enumerate(records):
        del record["output_index"]
        record["item_id"] = str(number)
    closing = closed(output=[message("Hello", id="6"), CALL | {"id": "7"}])
    answer = summarize(run(ResponsesDecoder(), *records, closing))
    assert (answer.text, answer.calls) == ("Hello", [ToolCallRequested("c1", "f", {"a": 1})])


def test_raw_reasoning_and_the_parts_of_a_summary_are_set_apart() -> None:
    def part(index: int, delta: str, place: int = 0) -> list[Json]:
        at: Json = {"output_index": place, "summary_index": index}
        return [
            {"type": "response.reasoning_summary_part.added", **at},
            {"type": "response.reasoning_summary_text.delta", "delta": delta, **at},
        ]

    events = run(ResponsesDecoder(), *part(0, "a"), *part(1, "b"), closed())
    assert summarize(events).reasoning == "a\n\nb"
    turns = [part(index, "a", place) for place, index in ((0, 0), (0, 1), (1, 0), (0, 1), (1, 1))]
    events = run(ResponsesDecoder(), *(record for turn in turns for record in turn), closed())
    assert summarize(events).reasoning == "a\n\naaa\n\na"
    events = run(
        ResponsesDecoder(),
        {"type": "response.reasoning_text.delta", "output_index": 0, "delta": "hm"},
        {"type": "response.reasoning_text.done", "output_index": 0, "text": "hm, so"},
        done(1, {"type": "reasoning", "id": "r", "summary": [{"text": "A"}, {"text": "B"}]}),
        closed(),
    )
    assert summarize(events).reasoning == "hm, soA\n\nB"


def test_a_refusal_is_visible_and_named() -> None:
    refusal = {"type": "refusal", "refusal": "No."}
    item: Json = {"type": "message", "id": "m", "content": [refusal]}
    live: Json = {"type": "response.refusal.delta", "output_index": 0, "delta": "No."}
    for records in ([live, done(0, item)], [done(0, item)]):
        events = run(ResponsesDecoder(), *records, closed())
        assert events == [TextDelta("No."), ResponseFinished(1, "refusal")]


def test_sources_are_kept_whether_they_come_live_or_at_the_end() -> None:
    place = {"start_index": 0, "end_index": 2}
    url = {"type": "url_citation", "url": "https://a", "title": "A", **place}
    file = {"type": "file_citation", "file_id": "f1", "filename": "a.pdf", "index": 9}
    kept = {"type": "container_file_citation", "container_id": "c", "file_id": "f2"}
    part = {"type": "output_text", "text": "Hi", "annotations": [url, file, kept]}
    item: Json = {"type": "message", "id": "m", "content": [part]}
    live: Json = {"type": "response.output_text.annotation.added", "annotation": url}
    sources = [e.Citation("https://a", "A"), e.Citation("f1", "a.pdf"), e.Citation("f2")]
    for records in ([text("Hi"), live], [text("Hi")], []):
        events = run(ResponsesDecoder(), *records, done(0, item), closed(output=[item]))
        assert summarize(events).citations == sources


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
    assert summarize(whole) == summarize(streamed)
    assert summarize(whole).calls == [ToolCallRequested("c1", "f", {"a": 1})]
    assert ProviderItem("openai-responses", items[0]) in whole
