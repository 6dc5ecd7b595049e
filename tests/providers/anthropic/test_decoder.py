"""The Messages stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem, ResponseFinished, TextDelta, ToolCallRequested
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from tests.providers.decoding import Json, cards, failure_of, requests, run, run_whole, summarize


def block(index: int, content: Json) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": content}


def grown(index: int, **delta: object) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def arguments(index: int, json: str) -> Json:
    return grown(index, type="input_json_delta", partial_json=json)


def stopped(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def started(message_id: str = "m", *content: Json, **more: object) -> Json:
    message = {"id": message_id, "content": list(content), **more}
    return {"type": "message_start", "message": message}


def ended(reason: str) -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": reason}}


TOOL: Json = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
STOP: Json = {"type": "message_stop"}


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


@pytest.mark.parametrize(
    ("json", "reason", "requested"),
    [
        ("", "max_tokens", []),
        ('{"path": "a', "max_tokens", []),
        ("{", "max_tokens", []),
        ("", "refusal", []),
        ("", "tool_use", [{}]),
        ('{"a": }', "tool_use", ['{"a": }']),
    ],
)
def test_a_call_with_empty_or_broken_arguments_is_requested_only_if_nothing_was_cut_off(
    json: str, reason: str, requested: list[object]
) -> None:
    events = run(AnthropicDecoder(), block(0, TOOL), arguments(0, json), stopped(0), ended(reason))
    assert [call.arguments for call in requests(events)] == requested
    names = {"max_tokens": "length"}
    assert events[-1] == ResponseFinished(1, names.get(reason, reason))


def test_a_stream_without_any_stop_is_a_cut() -> None:
    assert failure_of(AnthropicDecoder(), block(0, TOOL), stopped(0)).kind == "cut"


def test_cached_tokens_count_as_input() -> None:
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 1,
    }
    end: Json = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}}
    events = run(AnthropicDecoder(), started(usage=usage), end, ended("end_turn"))
    assert events[:2] == [e.Usage(125, 1, 100), e.Usage(125, 9, 100)]


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
    error: Json = {"type": "error", "error": {"type": kind, "message": "So it is"}}
    text = block(0, {"type": "text", "text": "a"})
    failure = failure_of(AnthropicDecoder(), text, error, ended("end_turn"))
    assert (failure.kind, failure.message) == (expected, "So it is")


def test_pings_are_heartbeats() -> None:
    assert list(AnthropicDecoder().feed("ping", '{"type": "ping"}')) == [e.Heartbeat()]


def test_a_whole_message_gives_the_same_events() -> None:
    body: Json = {
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Hello"},
            TOOL | {"input": {"path": "a"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    assert run_whole(AnthropicDecoder(2), body) == [
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
    start = started("m", TOOL | {"input": {"path": "a"}}, stop_reason="tool_use")
    events = run(AnthropicDecoder(), start, STOP)
    assert requests(events) == [ToolCallRequested("t1", "read", {"path": "a"})]
    assert events[-1] == ResponseFinished(1, "tool_use")


@pytest.mark.parametrize(
    ("first", "streamed"),
    [
        (
            "Hello",
            [block(0, {"type": "text", "text": ""}), grown(0, type="text_delta", text="Hello")],
        ),
        ("Hel", [block(1, {"type": "text", "text": "lo"})]),
    ],
    ids=["streamed again", "followed by others"],
)
def test_blocks_inside_message_start_are_shown_once_and_first(
    first: str, streamed: list[Json]
) -> None:
    start = started("m", {"type": "text", "text": first})
    assert summarize(run(AnthropicDecoder(), start, *streamed, ended("end_turn"))).text == "Hello"


def test_a_record_that_comes_twice_counts_once() -> None:
    records: list[Json] = [
        started(),
        block(0, {"type": "thinking", "thinking": "", "signature": ""}),
        stopped(0),
        block(1, TOOL),
        stopped(1),
        block(2, {"type": "text", "text": "Hi"}),
        stopped(2),
        ended("end_turn"),
        STOP,
    ]
    once = run(AnthropicDecoder(), *records)
    assert run(AnthropicDecoder(), *(r for record in records for r in (record, record))) == once


def test_a_message_that_begins_anew_drops_the_call_that_was_open() -> None:
    events = run(
        AnthropicDecoder(),
        started("m1"),
        block(0, TOOL),
        arguments(0, '{"a'),
        started("m2"),
        block(0, TOOL | {"id": "t2"}),
        arguments(0, '{"a":1}'),
        stopped(0),
        ended("tool_use"),
    )
    assert requests(events) == [ToolCallRequested("t2", "read", {"a": 1})]


def test_blocks_that_never_stop_stop_with_their_message() -> None:
    events = run(
        AnthropicDecoder(),
        block(0, TOOL),
        arguments(0, '{"a":1}'),
        block(1, TOOL | {"id": "t2"}),
        arguments(1, '{"a":2}'),
        ended("tool_use"),
    )
    assert [call.arguments for call in requests(events)] == [{"a": 1}, {"a": 2}]


def test_unknown_deltas_are_counted_and_unknown_blocks_are_kept() -> None:
    decoder = AnthropicDecoder()
    hologram: Json = {"type": "hologram", "data": "x"}
    delta = grown(0, type="hologram_delta", beam="y")
    events = run(decoder, block(0, hologram), delta, stopped(0), ended("end_turn"))
    assert decoder.unknown == {"hologram_delta": 1}
    assert events == [ProviderItem("anthropic", hologram), ResponseFinished(1, "end")]


# hosted tools

USE: Json = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}


def result(content: object, kind: str = "web_search", **more: object) -> Json:
    return {"type": f"{kind}_tool_result", "tool_use_id": "s1", "content": content, **more}


def test_a_hosted_card_appears_at_once_then_gets_its_input_then_its_result() -> None:
    source = {"type": "web_search_result", "title": "A", "url": "https://a"}
    events = run(
        AnthropicDecoder(),
        block(0, dict(USE)),
        arguments(0, '{"query"'),
        arguments(0, ':"x"}'),
        stopped(0),
        block(1, result([source])),
        stopped(1),
        ended("end_turn"),
    )
    assert events == [
        e.HostedTool("web_search", "", "", "s1"),
        e.HostedTool("web_search", '{"query":"x"}', "", "s1"),
        ProviderItem("anthropic", USE | {"input": {"query": "x"}}),
        e.HostedTool("web_search", "", "A https://a", "s1"),
        ProviderItem("anthropic", result([source])),
        ResponseFinished(1, "end"),
    ]


MCP: Json = {"type": "mcp_tool_use", "id": "s1", "name": "ask", "server_name": "wiki"}


@pytest.mark.parametrize(
    ("blocks", "card"),
    [
        (
            [MCP | {"input": {"q": 1}}, result([{"text": "no"}], "mcp", is_error=True)],
            ("wiki/ask", '{"q":1}', "failed: no"),
        ),
        ([result([])], ("web_search", "", "no output")),
    ],
    ids=["MCP", "a call in an earlier response"],
)
def test_a_result_has_the_card_of_its_call(blocks: list[Json], card: tuple[str, str, str]) -> None:
    records = [
        r for index, content in enumerate(blocks) for r in (block(index, content), stopped(index))
    ]
    assert cards(run(AnthropicDecoder(), *records, ended("end_turn"))) == {"s1": card}


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
