"""The Messages stream: the corners that recordings leave open."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import (
    ProviderItem,
    ResponseFinished,
    TextDelta,
    ToolCallRequested,
    WireEvent,
)
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from tests.providers.decoding import Json, cards, failure_of, requests, run, run_whole, summarize


def block(index: int, content: Json, *deltas: Json) -> list[Json]:
    """The records of a block, from its start to its stop; `deltas` without their frame."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def arguments(json: str) -> Json:
    return {"type": "input_json_delta", "partial_json": json}


def started(message_id: str = "m", *content: Json, **more: object) -> Json:
    message = {"id": message_id, "content": list(content), **more}
    return {"type": "message_start", "message": message}


def ended(reason: str = "end_turn", **usage: int) -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


END = ResponseFinished(1, "end")
TOOL: Json = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
OTHER = TOOL | {"id": "t2"}
STOP: Json = {"type": "message_stop"}
THINKING: Json = {"type": "thinking", "thinking": "", "signature": ""}
HOLOGRAM: Json = {"type": "hologram", "data": "x"}
SIGNATURE = ProviderItem("anthropic", {"type": "thinking", "signature": "sig"})
USED = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20}

# hosted tools
USE: Json = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
SOURCE = {"type": "web_search_result", "title": "A", "url": "https://a"}


def result(content: object, kind: str = "web_search", **more: object) -> Json:
    return {"type": f"{kind}_tool_result", "tool_use_id": "s1", "content": content, **more}


ANSWERS: dict[str, tuple[list[Json], list[WireEvent]]] = {
    "thinking, whose signature goes back and not its words": (
        [
            *block(
                0,
                THINKING,
                {"type": "thinking_delta", "thinking": "hm"},
                {"type": "signature_delta", "signature": "sig"},
            ),
            ended(),
        ],
        [e.ReasoningDelta("hm"), SIGNATURE, END],
    ),
    "cached tokens, which count as input": (
        [started(usage=USED | {"output_tokens": 1}), ended(output_tokens=9)],
        [e.Usage(125, n, 100, cache_write=20) for n in (1, 9)] + [END],
    ),
    "a block of no known kind": (
        [*block(0, HOLOGRAM, {"type": "hologram_delta", "beam": "y"}), ended()],
        [ProviderItem("anthropic", HOLOGRAM), END],
    ),
    "a call inside message_start": (
        [started("m", TOOL | {"input": {"path": "a"}}, stop_reason="tool_use"), STOP],
        [
            *(e.ToolCallStarted("t1", "read"), e.ToolArgumentsDelta("t1", '{"path":"a"}')),
            ToolCallRequested("t1", "read", {"path": "a"}),
            ResponseFinished(1, "tool_use"),
        ],
    ),
    "a hosted card, its input, its result": (
        [
            *block(0, dict(USE), arguments('{"query"'), arguments(':"x"}')),
            *block(1, result([SOURCE])),
            ended(),
        ],
        [
            e.HostedTool("web_search", "", "", "s1"),
            e.HostedTool("web_search", '{"query":"x"}', "", "s1"),
            ProviderItem("anthropic", USE | {"input": {"query": "x"}}),
            e.HostedTool("web_search", "", "A https://a", "s1"),
            *(ProviderItem("anthropic", result([SOURCE])), END),
        ],
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_form_of_an_answer_is_read(answer: str) -> None:
    records, events = ANSWERS[answer]
    assert run(AnthropicDecoder(), *records) == events


def test_pings_are_heartbeats_and_unknown_deltas_are_counted() -> None:
    decoder = AnthropicDecoder()
    assert list(decoder.feed("ping", '{"type": "ping"}')) == [e.Heartbeat()]
    run(decoder, *block(0, HOLOGRAM, {"type": "hologram_delta"}), ended())
    assert decoder.unknown == {"hologram_delta": 1}


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
    events = run(AnthropicDecoder(), *block(0, TOOL, arguments(json)), ended(reason))
    assert [call.arguments for call in requests(events)] == requested
    names = {"max_tokens": "length"}
    assert events[-1] == ResponseFinished(1, names.get(reason, reason))


def test_a_call_without_any_stop_is_a_cut() -> None:
    assert failure_of(AnthropicDecoder(), *block(0, TOOL)).kind == "cut"


def test_a_whole_message_gives_the_same_events() -> None:
    content = [
        THINKING | {"thinking": "hm", "signature": "sig"},
        text("Hello"),
        TOOL | {"input": {"a": 1}},
    ]
    usage = {"input_tokens": 3, "output_tokens": 4}
    body: Json = {"type": "message", "content": content, "stop_reason": "tool_use", "usage": usage}
    assert run_whole(AnthropicDecoder(2), body) == [
        *(e.Usage(3, 4), e.ReasoningDelta("hm"), SIGNATURE, TextDelta("Hello")),
        *(e.ToolCallStarted("t1", "read"), e.ToolArgumentsDelta("t1", '{"a":1}')),
        *(ToolCallRequested("t1", "read", {"a": 1}), ResponseFinished(2, "tool_use")),
    ]


@pytest.mark.parametrize(
    ("first", "streamed"),
    [
        ("Hello", block(0, text(""), {"type": "text_delta", "text": "Hello"})),
        ("Hel", block(1, text("lo"))),
    ],
    ids=["streamed again", "followed by others"],
)
def test_blocks_in_message_start_are_shown_once_first(first: str, streamed: list[Json]) -> None:
    answer = run(AnthropicDecoder(), started("m", text(first)), *streamed, ended())
    assert summarize(answer).text == "Hello"


def test_a_record_that_comes_twice_counts_once() -> None:
    records = [
        started(),
        *block(0, THINKING),
        *block(1, TOOL),
        *block(2, text("Hi")),
        ended(),
        STOP,
    ]
    once = run(AnthropicDecoder(), *records)
    assert run(AnthropicDecoder(), *(r for record in records for r in (record, record))) == once


def test_a_message_that_begins_anew_drops_the_call_that_was_open() -> None:
    broken = [started("m1"), *block(0, TOOL, arguments('{"a'))[:-1]]
    again = [started("m2"), *block(0, OTHER, arguments('{"a":1}'))]
    events = run(AnthropicDecoder(), *broken, *again, ended("tool_use"))
    assert requests(events) == [ToolCallRequested("t2", "read", {"a": 1})]


@pytest.mark.parametrize("index", [0, 1])
def test_blocks_that_never_stop_stop_with_their_message_or_their_place(index: int) -> None:
    calls = [block(0, TOOL, arguments('{"a":1}')), block(index, OTHER, arguments('{"a":2}'))]
    events = run(AnthropicDecoder(), *calls[0][:-1], *calls[1][:-1], ended("tool_use"))
    assert [call.arguments for call in requests(events)] == [{"a": 1}, {"a": 2}]


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
    records = [record for index, content in enumerate(blocks) for record in block(index, content)]
    assert cards(run(AnthropicDecoder(), *records, ended())) == {"s1": card}


def test_citations_are_the_same_live_and_whole() -> None:
    cited: Json = {"type": "page_location", "document_title": "f.pdf", "start_page_number": 3}
    delta: Json = {"type": "citations_delta", "citation": cited}
    live = run(AnthropicDecoder(), *block(0, text("So") | {"citations": []}, delta), ended())
    content = [text("So") | {"citations": [cited]}]
    body: Json = {"type": "message", "content": content, "stop_reason": "end_turn"}
    assert live == run_whole(AnthropicDecoder(), body)
    assert live == [TextDelta("So"), e.Citation("", "f.pdf, page 3"), END]
