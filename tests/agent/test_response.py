"""A response that ends with nothing to show is remarked on, whatever wire it came over."""

from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config
from lfgtui.settings.providers import ProviderConfig, WireName
from tests.agent.test_loop import DONE, Surroundings, answer, ending_of, worked
from tests.engine.harness import ticket
from tests.providers.decoding import (
    Json,
    anthropic_stream,
    chat_stream,
    chunk,
    responses_stream,
    sse,
)
from tests.providers.loopback import Answer, Loopback

EMPTY = "the response was empty"
ENCRYPTED: Json = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}


def remarks(context: Surroundings) -> list[str]:
    return [event.message for event in context.seen if isinstance(event, e.Status)]


def silent(item: Json) -> list[Json]:
    """A response on the Messages wire that has this block alone."""
    start: Json = {"type": "content_block_start", "index": 0, "content_block": item}
    stop: Json = {"type": "content_block_stop", "index": 0}
    begun, *_, delta, end = anthropic_stream("")
    return [begun, start, stop, delta, end]


SAID: list[tuple[WireName, list[Json], list[str]]] = [
    ("anthropic", anthropic_stream(""), [EMPTY]),
    ("openai-chat", chat_stream(""), [EMPTY]),
    ("openai-responses", responses_stream(""), [EMPTY]),
    ("agent-sse", [{"type": "done"}], [EMPTY]),
    ("openai-chat", chat_stream(" \n\n "), [EMPTY]),
    (
        "anthropic",
        silent({"type": "glow", "glow": 1}),
        ["nothing in the response can be shown: glow"],
    ),
    (
        "openai-responses",
        [
            {"type": "response.output_item.done", "output_index": 0, "item": ENCRYPTED},
            *responses_stream(""),
        ],
        ["nothing in the response can be shown: reasoning"],
    ),
    ("openai-chat", [chunk({"reasoning_content": "hm"}), *chat_stream("")], []),
    ("openai-responses", responses_stream("Hi"), []),
]


@pytest.mark.parametrize(("wire", "records", "said"), SAID)
async def test_it_says_so_on_every_wire(
    tmp_path: Path, server: Loopback, wire: WireName, records: list[Json], said: list[str]
) -> None:
    server.answer = Answer(sse(*records))
    here = ProviderConfig(wire=wire, base_url=f"{server.url}/v1")
    providers, context = Providers(Config(providers={"p": here})), Surroundings()
    assert await worked(ticket("a", tmp_path), await providers.get("p"), context) == DONE
    await providers.aclose()
    assert remarks(context) == said
    assert isinstance(context.seen[-1], e.ResponseFinished)


SHOWN: list[e.WireEvent] = [
    e.TextDelta("Hi"),
    e.ReasoningDelta("hm"),
    e.Citation("https://a"),
    e.HostedTool("web_search", "q"),
    e.HostedOutputDelta("1", "out"),
    e.ToolCallStarted("1", "read_file"),
]


@pytest.mark.parametrize("event", SHOWN)
async def test_what_is_on_the_screen_needs_no_remark(tmp_path: Path, event: e.WireEvent) -> None:
    context = Surroundings()
    await ending_of(tmp_path, answer("end", event, e.Usage(1, 1)), context=context)
    assert EMPTY not in remarks(context)


async def test_each_response_is_looked_at_by_itself(tmp_path: Path) -> None:
    call = e.ToolCallRequested("1", "list_files", {})
    context = Surroundings()
    assert await ending_of(tmp_path, answer("tool_use", call), answer("end"), context=context) == (
        DONE
    )
    assert remarks(context) == [EMPTY]


async def test_what_the_provider_remarked_is_no_answer(tmp_path: Path) -> None:
    context, compacted = Surroundings(), e.Status("the provider compacted the conversation")
    await ending_of(tmp_path, answer("end", compacted), context=context)
    assert remarks(context) == [compacted.message, EMPTY]
