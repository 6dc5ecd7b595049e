"""Custom tools on the Responses wire: calls of ours, whose argument is free text."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ToolCallRequested, WireEvent
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, added, cards, done, failure_of, requests, run, run_whole

PATCH = "*** Begin Patch\n+é\n*** End Patch"
ITEM: Json = {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": PATCH}
OPEN: Json = ITEM | {"id": "ctc", "status": "in_progress", "input": ""}
DONE: Json = ITEM | {"id": "ctc", "status": "completed"}
STARTED = e.ToolCallStarted("c1", "patch")
CALLED: list[WireEvent] = [
    ToolCallRequested("c1", "patch", PATCH),
    ProviderItem("openai-responses", ITEM),
]
CALL_OF_OURS: list[WireEvent] = [
    *(STARTED, e.ToolArgumentsDelta("c1", PATCH[:9]), e.ToolArgumentsDelta("c1", PATCH[9:])),
    *(*CALLED, e.ResponseFinished(1, "tool_use")),
]
AT_LIMIT = {"reason": "max_output_tokens"}


def delta(text: str, index: int = 0) -> Json:
    kind = "response.custom_tool_call_input.delta"
    return {"type": kind, "output_index": index, "item_id": "ctc", "delta": text}


def whole(text: str, index: int = 0) -> Json:
    kind = "response.custom_tool_call_input.done"
    return {"type": kind, "output_index": index, "item_id": "ctc", "input": text}


def closed(status: str = "completed", **more: object) -> Json:
    return {"type": f"response.{status}", "response": {"status": status, **more}}


PIECES = [delta(PATCH[:9]), delta(PATCH[9:])]


@pytest.mark.parametrize(
    "records",
    [
        [added(OPEN), *PIECES, whole(PATCH), done(DONE), closed(output=[DONE])],
        [added(OPEN), *PIECES, done(DONE), closed()],
        [added(OPEN), PIECES[0], whole(PATCH), done(DONE), closed()],
        [added(OPEN), PIECES[0], closed(output=[DONE])],
        [added(OPEN), *PIECES, closed()],
        [added(OPEN), *PIECES, done(DONE | {"input": ""}), closed()],
    ],
    ids=["whole", "no done", "a rest", "in the response", "never done", "done with nothing"],
)
def test_a_call_is_shown_as_it_comes_and_requested_with_its_text(records: list[Json]) -> None:
    assert run(ResponsesDecoder(), *records) == CALL_OF_OURS


def test_a_call_that_was_not_streamed_is_requested() -> None:
    for events in (
        run(ResponsesDecoder(), done(DONE), closed()),
        run(ResponsesDecoder(), *PIECES, done(DONE), closed(output=[DONE])),
        run_whole(ResponsesDecoder(), {"status": "completed", "output": [DONE]}),
    ):
        assert events == [
            *(STARTED, e.ToolArgumentsDelta("c1", PATCH), *CALLED),
            e.ResponseFinished(1, "tool_use"),
        ]


def test_records_that_come_twice_count_once() -> None:
    records = [added(OPEN), delta(PATCH), whole(PATCH), done(DONE), closed(output=[DONE])]
    once = run(ResponsesDecoder(), *records)
    twice = [r for record in records for r in (record, *([] if "delta" in record else [record]))]
    assert run(ResponsesDecoder(), *twice) == once


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ('{"path": "x"}', {"path": "x"}),
        ('{"path"', '{"path"'),
        ("[1]", "[1]"),
        ('say "hi"\\n', 'say "hi"\\n'),
        ("", {}),
    ],
)
def test_an_object_is_arguments_and_all_else_text(given: str, arguments: e.ToolArguments) -> None:
    item = ITEM | {"input": given}
    records = [added(OPEN), *([delta(given)] if given else []), done(item), closed()]
    events = run(ResponsesDecoder(), *records)
    assert [call.arguments for call in requests(events)] == [arguments]
    assert ProviderItem("openai-responses", item) in events  # which goes back as it came


def test_what_goes_back_has_its_namespace_and_nothing_that_was_not_stored() -> None:
    item = DONE | {"namespace": "crm"}
    events = run(ResponsesDecoder(), added(OPEN | {"namespace": "crm"}), *PIECES, done(item))
    assert ProviderItem("openai-responses", ITEM | {"namespace": "crm"}) in events


def test_a_call_that_the_limit_cut_off_is_not_requested() -> None:
    end = closed("incomplete", incomplete_details=AT_LIMIT)
    for records in ([done(DONE | {"status": "incomplete", "input": PATCH[:9]})], []):
        events = run(ResponsesDecoder(), added(OPEN), PIECES[0], *records, end)
        assert events == [
            *(STARTED, e.ToolArgumentsDelta("c1", PATCH[:9])),
            e.ResponseFinished(1, "length"),
        ]


def test_a_call_without_a_name_waits_for_it() -> None:
    records = [added(OPEN | {"name": ""}), *PIECES, done(DONE), closed()]
    events = run(ResponsesDecoder(), *records)
    assert events == [
        *(STARTED, e.ToolArgumentsDelta("c1", PATCH), *CALLED),
        e.ResponseFinished(1, "tool_use"),
    ]


def test_a_call_that_never_gets_a_name_fails_the_response() -> None:
    failure = failure_of(ResponsesDecoder(), added(OPEN | {"name": ""}), *PIECES, closed())
    assert failure.kind == "protocol"


@pytest.mark.parametrize("closing", [whole(PATCH), done(DONE)])
def test_a_text_that_lost_a_piece_on_the_way_is_requested_whole(closing: Json) -> None:
    for at in range(3):
        pieces = [delta(PATCH[i : i + 5]) for i in range(0, 15, 5)]
        del pieces[at]
        events = run(ResponsesDecoder(), added(OPEN), *pieces, closing, done(DONE), closed())
        assert [call.arguments for call in requests(events)] == [PATCH]
        assert events[-3:-1] == CALLED


@pytest.mark.parametrize("closing", [whole("rm -rf build/tmp"), done(ITEM | {"input": "rm"})])
def test_a_text_that_comes_twice_and_differs_fails_the_response(closing: Json) -> None:
    failure = failure_of(
        ResponsesDecoder(), added(OPEN), delta("rm -rf "), delta("."), closing, closed()
    )
    assert (failure.kind, failure.retryable) == ("protocol", True)


def test_calls_of_both_kinds_grow_side_by_side() -> None:
    function: Json = {"type": "function_call", "call_id": "c2", "name": "f", "arguments": ""}
    arguments = {"type": "response.function_call_arguments.delta", "output_index": 1}
    events = run(
        ResponsesDecoder(),
        *(added(OPEN), added(function, 1)),
        *(delta("a"), arguments | {"delta": '{"a"'}, delta("b"), arguments | {"delta": ":1}"}),
        *(done(ITEM | {"input": "ab"}), done(function | {"arguments": '{"a":1}'}, 1), closed()),
    )
    called = [(call.call_id, call.arguments) for call in requests(events)]
    assert called == [("c1", "ab"), ("c2", {"a": 1})]


SEARCHES = ["x_keyword_search", "x_semantic_search", "x_user_search", "x_thread_fetch"]


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("known", [True, False], ids=["named at once", "named when done"])
def test_searches_that_xai_runs_itself_are_cards_and_no_calls(name: str, known: bool) -> None:
    search: Json = {"type": "custom_tool_call", "id": "x", "call_id": "xs", "status": "completed"}
    search |= {"name": name, "input": '{"query":"q"}'}
    function: Json = {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"}
    events = run(
        ResponsesDecoder(),
        added(function | {"arguments": ""}, 1),
        added(search | {"input": "", "name": name if known else ""}),
        *(delta('{"query":'), delta('"q"}'), whole('{"query":"q"}')),
        *(done(search), done(function, 1), closed(output=[search, function])),
    )
    assert cards(events) == {"xs": (name, '{"query":"q"}', "done")}
    assert [(call.name, call.arguments) for call in requests(events)] == [("f", {})]
    assert ProviderItem("openai-responses", search) in events
