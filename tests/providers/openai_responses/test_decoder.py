"""The Responses stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import (
    ProviderItem,
    ResponseFinished,
    TextDelta,
    ToolCallRequested,
    WireEvent,
)
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, failure_of, requests, run, run_whole, summarize

CALL: Json = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
OPEN: Json = CALL | {"arguments": ""}
CALLED = ToolCallRequested("c1", "f", {"a": 1})
AT_LIMIT = {"reason": "max_output_tokens"}
END = ResponseFinished(1, "end")
LENGTH = ResponseFinished(1, "length")


def done(index: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def closed(status: str = "completed", **more: object) -> Json:
    return {"type": f"response.{status}", "response": {"status": status, **more}}


def text(delta: str, kind: str = "output_text", **more: object) -> Json:
    return {"type": f"response.{kind}.delta", "output_index": 0, "delta": delta, **more}


def text_done(whole: str, kind: str = "output_text", **more: object) -> Json:
    return {"type": f"response.{kind}.done", "output_index": 0, "text": whole, **more}


def arguments(index: int, delta: str) -> Json:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": index, "delta": delta}


def message(words: str, **more: object) -> Json:
    return {"type": "message", "content": [{"type": "output_text", "text": words}], **more}


REASONING: Json = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}
REFUSAL: Json = {"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "No."}]}
REFUSED = [TextDelta("No."), ResponseFinished(1, "refusal")]
USED = {"input_tokens": 3, "output_tokens": 4}
CUT = closed("incomplete", incomplete_details=AT_LIMIT)
CACHED = USED | {"input_tokens_details": {"cached_tokens": 2}}
WRITTEN = USED | {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 3}}
TAKEN: list[WireEvent] = [
    *(TextDelta("Hi"), e.ToolCallStarted("c1", "f"), e.ToolArgumentsDelta("c1", '{"a":1}')),
    *(CALLED, ResponseFinished(1, "tool_use")),
]
ANSWERS: dict[str, tuple[list[Json], list[WireEvent]]] = {
    "reasoning, which goes back whole": (
        [done(0, REASONING), closed()],
        [ProviderItem("openai-responses", REASONING), END],
    ),
    "items that were not streamed": ([done(0, message("Hi")), done(1, CALL), closed()], TAKEN),
    "items in the last record only": ([closed(output=[message("Hi"), CALL])], TAKEN),
    "a limit inside a call": (
        [done(0, CALL | {"arguments": '{"a"'}), CUT],
        [e.ToolCallStarted("c1", "f"), e.ToolArgumentsDelta("c1", '{"a"'), LENGTH],
    ),
    "a limit for no reason": (
        [closed("incomplete", output=[message("Once")])],
        [TextDelta("Once"), LENGTH],
    ),
    "tokens written to the cache": (
        [text("He"), closed("incomplete", incomplete_details=AT_LIMIT, usage=WRITTEN)],
        [TextDelta("He"), e.Usage(3, 4, cache_write=3), LENGTH],
    ),
    "a limit inside a text": (
        [text("He"), closed("incomplete", incomplete_details=AT_LIMIT, usage=CACHED)],
        [TextDelta("He"), e.Usage(3, 4, 2), LENGTH],
    ),
    "a refusal": ([text("No.", "refusal"), done(0, REFUSAL), closed()], REFUSED),
    "a refusal that was not streamed": ([done(0, REFUSAL), closed()], REFUSED),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_form_of_an_answer_is_read(answer: str) -> None:
    records, events = ANSWERS[answer]
    assert run(ResponsesDecoder(), *records) == events


HELLO = message("Hello", id="m")


@pytest.mark.parametrize(
    "closing",
    [
        text_done("Hello"),
        done(0, HELLO),
        closed(output=[HELLO]),
        closed(output=[{"type": "reasoning", "id": "r"}, HELLO]),
    ],
)
def test_text_is_completed_by_the_record_that_closes_it_and_never_repeated(closing: Json) -> None:
    for streamed in ("", "Hel", "Hello"):
        deltas = [text(streamed)] if streamed else []
        events = run(ResponsesDecoder(), *deltas, closing, closed())
        assert summarize(events).text == "Hello", streamed


def test_a_failed_response_is_a_failure() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    failure = failure_of(ResponsesDecoder(), closed("failed", error=error))
    assert (failure.kind, failure.retryable) == ("rate_limit", True)


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
    records = [text("lo"), text_done("Hello"), done(0, HELLO), closed(output=[HELLO])]
    assert summarize(run(ResponsesDecoder(), *records)).text == "lo"


WHOLE = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"a":1}'}


@pytest.mark.parametrize(
    "records",
    [
        [arguments(0, '":1}'), done(0, CALL), closed()],
        [added(0, OPEN), arguments(0, ":1}"), done(0, CALL), closed()],
        [added(0, OPEN), arguments(0, '{"a"'), closed(output=[CALL])],
        [added(0, OPEN), arguments(0, '{"a"'), WHOLE, closed(output=[])],
    ],
    ids=["resumed half way", "a lost delta", "never done", "done without its item"],
)
def test_a_call_is_requested_as_its_last_record_has_it(records: list[Json]) -> None:
    assert requests(run(ResponsesDecoder(), *records)) == [CALLED]


def test_ids_may_change_with_every_record_and_places_may_be_missing() -> None:
    records: list[Json] = [
        added(0, {"type": "message"}),
        text("Hel"),
        text("lo"),
        text_done("Hello"),
        done(0, message("Hello")),
        added(1, OPEN),
        arguments(1, '{"a":1}'),
        done(1, CALL),
    ]
    for number, record in enumerate(records):
        record["item_id"] = str(number)
        if "item" in record:
            record["item"] |= {"id": f"i{number}"}  # type: ignore[operator]  # an object
    closing = closed(output=[message("Hello", id="8"), CALL | {"id": "9"}])
    bare = [{k: v for k, v in record.items() if k != "output_index"} for record in records]
    bare = [bare[1] | {"delta": "Hello"}, *bare[4:]]  # one delta: nothing else joins two
    for stream in (records, bare):
        answer = summarize(run(ResponsesDecoder(), *stream, closing))
        assert (answer.text, answer.calls) == ("Hello", [CALLED])


def summary(place: int, index: int, delta: str) -> list[Json]:
    at: Json = {"output_index": place, "summary_index": index}
    part = "response.reasoning_summary_part.added"
    return [{"type": part, **at}, text(delta, "reasoning_summary_text", **at)]


SUMMARY: Json = {"type": "reasoning", "id": "r", "summary": [{"text": "A"}, {"text": "B"}]}


@pytest.mark.parametrize(
    ("records", "reasoning"),
    [
        ([*summary(0, 0, "a"), *summary(0, 1, "b")], "a\n\nb"),
        (
            [
                *(*summary(0, 0, "a"), *summary(0, 1, "a"), *summary(1, 0, "a")),
                *(*summary(0, 1, "a"), *summary(1, 1, "a")),
            ],
            "a\n\naaa\n\na",
        ),
        (
            [text("hm", "reasoning_text"), text_done("hm, so", "reasoning_text"), done(1, SUMMARY)],
            "hm, soA\n\nB",
        ),
    ],
    ids=["two parts", "parts in turn", "raw"],
)
def test_raw_reasoning_and_summary_parts_are_set_apart(records: list[Json], reasoning: str) -> None:
    assert summarize(run(ResponsesDecoder(), *records, closed())).reasoning == reasoning


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
    search: Json = {"type": "web_search_call", "id": "w", "action": {"query": "q"}}
    items = [REASONING | {"summary": [{"text": "hm"}]}, HELLO, search, CALL | {"id": "c"}]
    end = closed(output=items, usage=USED)
    streamed = run(ResponsesDecoder(), *(done(i, item) for i, item in enumerate(items)), end)
    whole = run_whole(ResponsesDecoder(), {"status": "completed", "output": items, "usage": USED})
    assert summarize(whole) == summarize(streamed)
    assert summarize(whole).calls == [CALLED]
    assert ProviderItem("openai-responses", items[0]) in whole
