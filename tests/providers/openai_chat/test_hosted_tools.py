"""What servers of the chat wire ran themselves, and the sources they name."""

from collections.abc import Callable

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from tests.providers.decoding import Json, cards, chunk, run, summarize


def test_executed_tools_are_one_card_each() -> None:
    def executed(**fields: object) -> Json:
        return chunk({"executed_tools": [{"index": 0, "type": "search", **fields}]})

    events = run(
        ChatDecoder(2),
        executed(arguments='{"query":"x"}', search_results={"results": []}),
        executed(arguments='{"query":"x"}', output="Found"),
        chunk({"content": "So"}, "stop"),
    )
    assert cards(events) == {"tool_2_1": ("search", '{"query":"x"}', "Found")}
    assert events[0] == e.HostedTool("search", '{"query":"x"}', "", "tool_2_1")


def test_reasoning_steps_are_reasoning_and_one_card_each() -> None:
    step = {
        "thought": "I look it up.",
        "type": "web_search",
        "web_search": {
            "search_keywords": ["a", "b"],
            "search_results": [{"title": "A", "url": "https://a"}],
        },
    }
    message = {"content": "So", "reasoning_steps": [step]}
    closing: Json = {"choices": [{"delta": {}, "message": message, "finish_reason": "stop"}]}
    events = run(
        ChatDecoder(), chunk({"reasoning_steps": [step]}), chunk({"content": "So"}), closing
    )
    assert summarize(events).reasoning == "I look it up."
    assert summarize(events).text == "So"
    assert cards(events) == {"step_1_1": ("web_search", "a\nb", "A https://a")}


def test_a_picture_is_a_card_without_its_bytes_and_an_item_with_them() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4000}}
    events = run(ChatDecoder(), chunk({"images": [image]}), chunk({"images": [image]}, "stop"))
    assert cards(events) == {"image_1_1": ("image", "", "image/png, 3 kB")}
    assert events.count(ProviderItem("openai-chat", {"image": image})) == 1


@pytest.mark.parametrize(
    "place",
    [
        lambda grounding: {"vertex_ai_grounding_metadata": [grounding], "choices": [{"delta": {}}]},
        lambda grounding: {"choices": [{"delta": {}, "groundingMetadata": grounding}]},
        lambda grounding: chunk(
            {"provider_metadata": {"google": {"groundingMetadata": grounding}}}
        ),
        lambda grounding: chunk({"extra_content": {"google": {"grounding_metadata": grounding}}}),
    ],
)
def test_grounding_is_a_search_and_its_sources(place: Callable[[Json], Json]) -> None:
    source = {"uri": "https://g", "title": "G"}
    for chunks, kind, queries in (
        ("groundingChunks", "web", "webSearchQueries"),
        ("grounding_chunks", "retrieved_context", "web_search_queries"),
    ):
        grounding: Json = {chunks: [{kind: source}, {}], queries: ["a", "b", 3]}
        events = run(ChatDecoder(), place(grounding), place(grounding), chunk({}, "stop"))
        assert cards(events) == {"search_1_1": ("google_search", "a\nb", "done")}
        assert summarize(events).citations == [e.Citation("https://g", "G")]


def test_sources_are_kept_from_wherever_they_stand() -> None:
    nested = {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A"}}
    file = {"type": "file", "file": {"name": "f.pdf", "hash": "x"}}
    lite = {"citation": {"cited_text": "q", "document_title": "D"}}
    events = run(
        ChatDecoder(),
        chunk({"annotations": [nested, {"type": "url_citation", "url": "https://b"}, file]}),
        chunk({"provider_specific_fields": lite}),
        chunk({}, search_results=[{"url": "https://c", "title": "C", "snippet": "s"}]),
        chunk({}, "stop", citations=["https://c", "https://d"]),
    )
    assert summarize(events).citations == [
        e.Citation("https://a", "A"),
        e.Citation("https://b"),
        e.Citation("", "f.pdf"),
        e.Citation("", "D", "q"),
        e.Citation("https://c", "C", "s"),
        e.Citation("https://d"),
    ]
