"""Calls of custom tools there and back: over HTTP, through the fold, into the next request."""

import json
import re
from collections.abc import AsyncIterator, Sequence

import pytest

from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event, encode_event
from lfgtui.model.fold.call_ids import CallIds, messages_for
from lfgtui.model.fold.conversation import Conversation
from lfgtui.model.redaction import EventRedactor
from lfgtui.providers.base import Request
from lfgtui.providers.sdk.provider import SdkProvider
from lfgtui.text.redactor import Redactor
from tests.providers.decoding import Json, chunk, sse
from tests.providers.loopback import Answer, Loopback
from tests.providers.sdk_wires import FIRST, LAST, events_of, open_wire, request

INPUT = '{ "a" : 1 }'
KEY = "sk-ant-api03-0123456789abcdefghij"
CUSTOM: Json = {"type": "custom_tool_call", "call_id": "c1", "name": "math", "input": INPUT}
ITEMS: list[Json] = [
    CUSTOM,
    CUSTOM | {"call_id": "c2", "name": "list", "input": ""},
    {"type": "function_call", "call_id": "c3", "name": "f", "arguments": "{}"},
    # xAI's own search, which is no call of ours and goes back whole
    CUSTOM | {"id": "x", "call_id": "xs", "name": "x_user_search", "status": "completed"},
]
CALLS: list[Json] = [
    {"id": "c1", "type": "custom", "custom": {"name": "math", "input": INPUT}},
    {"id": "c2", "type": "custom", "custom": {"name": "list", "input": ""}},
    {"id": "c3", "type": "function", "function": {"name": "f", "arguments": "{}"}},
]


def responses_records(items: Sequence[Json]) -> list[Json]:
    records: list[Json] = []
    for index, item in enumerate(items):
        begun: Json = {key: item[key] for key in item if key not in ("input", "arguments")}
        begun = {"type": "response.output_item.added", "output_index": index, "item": begun}
        records += [begun, begun | {"type": "response.output_item.done", "item": item}]
    return [*records, {"type": "response.completed", "response": {"status": "completed"}}]


SENT: dict[str, list[Json]] = {
    "openai-responses": responses_records(ITEMS),
    "openai-chat": [
        chunk({"tool_calls": [{"index": i} | call for i, call in enumerate(CALLS)]}, "tool_calls")
    ],
}


def output(kind: str, call_id: str) -> Json:
    return {"type": f"{kind}_output", "call_id": call_id, "output": "no"}


def tool(call_id: str) -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": "no"}


BACK: dict[str, list[Json]] = {
    "openai-responses": [
        *(*ITEMS, output("custom_tool_call", "c1"), output("custom_tool_call", "c2")),
        output("function_call", "c3"),
    ],
    "openai-chat": [
        {"role": "assistant", "content": "", "tool_calls": CALLS},
        *(tool("c1"), tool("c2"), tool("c3")),
    ],
}

CUSTOM_ONLY_SECOND = ["function", "custom", "function"]
REDACTED = {"openai-responses": CUSTOM_ONLY_SECOND * 2, "openai-chat": CUSTOM_ONLY_SECOND}

pytestmark = pytest.mark.parametrize("wire", list(SENT))


@pytest.fixture
async def provider(wire: str, server: Loopback) -> AsyncIterator[SdkProvider]:
    opened = await open_wire(wire, server.url)
    yield opened
    await opened.aclose()


def remembered(events: Sequence[e.WireEvent]) -> Conversation:
    """The conversation that a resumed process reads from the history, with the calls answered."""
    ids, redactor, conversation = CallIds(0), EventRedactor(Redactor(keys=[KEY])), Conversation()
    own = [ids.own(event) for event in events]
    calls = [event.call_id for event in own if isinstance(event, e.ToolCallRequested)]
    answers = [e.ToolCallFinished(call_id, "no", "no", None, 0.0) for call_id in calls]
    story: list[e.Event] = [e.AttemptStarted("p", "m"), e.UserMessage("Hi"), e.RequestSent(1)]
    for event in (*story, *own, *answers):
        for stored in redactor.feed(event):
            conversation.apply(decode_event(encode_event(stored)), 0)
    return conversation


async def back(
    provider: SdkProvider, server: Loopback, wire: str, records: Sequence[Json], name: str = "p"
) -> list[Json]:
    """What a provider of that name gets in the request after this response."""
    server.answer = Answer(sse(*records))
    answered = remembered(await events_of(provider, request()))
    server.answer = Answer(FIRST[wire] + LAST[wire])
    await events_of(provider, Request("m", tuple(messages_for(name, answered.messages))))
    body = server.asked[-1].body
    said = body.get("input") or body["messages"]
    assert isinstance(said, list)
    return said[1:]


async def test_a_call_goes_back_as_it_came_and_its_result_in_the_same_form(
    wire: str, server: Loopback, provider: SdkProvider
) -> None:
    assert await back(provider, server, wire, SENT[wire]) == BACK[wire]


async def test_calls_of_one_id_are_two(wire: str, server: Loopback, provider: SdkProvider) -> None:
    twice = json.loads(json.dumps(SENT[wire]).replace("c2", "c1"))
    expected = json.loads(json.dumps(BACK[wire]).replace("c2", "call00002"))
    assert await back(provider, server, wire, twice) == expected


async def test_others_get_functions(wire: str, server: Loopback, provider: SdkProvider) -> None:
    said = json.dumps(await back(provider, server, wire, SENT[wire], "q"))
    assert "custom" not in said
    assert r'"arguments": "{\"a\":1}"' in said


async def test_a_text_that_held_a_secret_goes_back_redacted_as_a_function_call(
    wire: str, server: Loopback, provider: SdkProvider
) -> None:
    records = json.loads(json.dumps(SENT[wire]).replace(json.dumps(INPUT), json.dumps(KEY)))
    said = await back(provider, server, wire, records)
    assert KEY not in json.dumps(said)
    assert re.findall(r'"type": "(custom|function)', json.dumps(said)) == REDACTED[wire]
