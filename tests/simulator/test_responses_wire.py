"""The Responses wire, driven by the official SDK."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import Response, ToolParam

TOOLS: list[ToolParam] = [
    {"type": "function", "name": name, "parameters": {"type": "object"}, "strict": False}
    for name in ("read_file", "list_files")
]
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
async def client(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    root = f"{url}/v1"
    async with openai.AsyncOpenAI(base_url=root, api_key="any", max_retries=0) as client:
        yield client


async def ask(
    client: openai.AsyncOpenAI, items: Any, *, reasons: bool = True, max_tokens: int = 4000
) -> Response:
    whole: Response | None = None
    async with client.responses.stream(
        model="two-turns",
        input=items,
        tools=TOOLS,
        store=False,
        include=["reasoning.encrypted_content"],
        max_output_tokens=max_tokens,
        reasoning={"effort": "low", "summary": "auto"} if reasons else openai.omit,
    ) as stream:
        async for event in stream:
            if event.type in ("response.completed", "response.incomplete"):
                whole = event.response
    assert whole is not None
    return whole


def returned(response: Response) -> list[dict[str, Any]]:
    items = [item.model_dump(exclude_none=True) for item in response.output]
    for item in items:
        item.pop("parsed_arguments", None)
        for part in item.get("content", []):
            part.pop("parsed", None)
    return items


def answered(response: Response, output: str = "fine") -> list[dict[str, Any]]:
    return [
        {"type": "function_call_output", "call_id": item.call_id, "output": output}
        for item in response.output
        if item.type == "function_call"
    ]


async def refusal(client: openai.AsyncOpenAI, items: Any) -> str:
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client, items)
    body = caught.value.body
    assert isinstance(body, dict)
    assert set(body) == {"message", "type", "param", "code"}
    return str(body["message"])


async def test_the_sdk_accumulates_reasoning_text_and_calls(client: openai.AsyncOpenAI) -> None:
    response = await ask(client, [HELLO])
    reasoning, message, first, second = response.output
    assert response.id.startswith("resp_")
    assert response.status == "completed"
    assert reasoning.type == "reasoning"
    assert reasoning.id.startswith("rs_")
    assert reasoning.summary[0].text == 'First I think about é, \\ and "quotes".'
    assert reasoning.encrypted_content is not None
    assert message.type == "message"
    assert response.output_text == "I will look: **é** and 漢字."
    assert first.type == "function_call"
    assert (first.id or "").startswith("fc_")
    assert first.call_id.startswith("call_")
    assert json.loads(first.arguments)["path"] == 'a "b" \\ é\n.md'
    assert second.type == "function_call"
    assert second.arguments == "{}"
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 0


async def test_events_are_named_and_numbered_without_a_gap(url: str) -> None:
    body = {"model": "two-turns", "input": "hello", "stream": True, "reasoning": {"effort": "low"}}
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post("/v1/responses", json=body)
    records = [record.split("\n") for record in response.text.strip().split("\n\n")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in records]
    assert [name.removeprefix("event: ") for name, _ in records] == [e["type"] for e in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = list(dict.fromkeys(event["type"] for event in events))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.completed",
    ]


async def test_without_streaming_the_response_is_the_same(client: openai.AsyncOpenAI) -> None:
    streamed = await ask(client, "hello", reasons=False)
    whole = await client.responses.create(
        model="two-turns", input="hello", tools=TOOLS, store=False
    )
    assert whole.output_text == streamed.output_text
    assert [item.type for item in whole.output] == [item.type for item in streamed.output]
    assert whole.usage == streamed.usage


@pytest.mark.parametrize("output", ["fine", "hi\nexit code 0"])
async def test_a_tool_loop_with_reasoning_goes_on_to_its_end(
    client: openai.AsyncOpenAI, output: str
) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, *returned(first), *answered(first, output)])
    assert last.output_text == "Done."


async def test_outputs_may_stand_right_behind_their_calls(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    *before, one, two = returned(first)
    answer_one, answer_two = answered(first)
    last = await ask(client, [HELLO, *before, one, answer_one, two, answer_two])
    assert last.output_text == "Done."


async def test_a_failed_tool_is_reacted_to(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, *returned(first), *answered(first, "oops\nexit code 3")])
    assert last.output_text == "It failed."


async def test_max_output_tokens_cuts_the_reply(client: openai.AsyncOpenAI) -> None:
    response = await ask(client, [HELLO], max_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_the_reasoning_item_has_to_come_back(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    reasoning, *rest = returned(first)
    said = await refusal(client, [HELLO, *rest, *answered(first)])
    assert said == (
        f"Item '{rest[1]['id']}' of type 'function_call' was provided without its required"
        f" 'reasoning' item: '{reasoning['id']}'."
    )


async def test_leaving_the_item_id_out_does_not_help(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    _, *rest = returned(first)
    for item in rest:
        if item["type"] == "function_call":
            item.pop("id")
    said = await refusal(client, [HELLO, *rest, *answered(first)])
    assert "was provided without its required 'reasoning' item" in said


async def test_encrypted_content_has_to_come_back_unchanged(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    items = returned(first)
    items[0]["encrypted_content"] = items[0]["encrypted_content"][:-4] + "AAAA"
    said = await refusal(client, [HELLO, *items, *answered(first)])
    assert said.endswith("Reason: Encrypted content could not be decrypted or parsed.")


async def test_an_item_that_was_not_stored_is_not_found(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    items = returned(first)
    del items[0]["encrypted_content"]
    with pytest.raises(openai.NotFoundError, match="Items are not persisted"):
        await ask(client, [HELLO, *items, *answered(first)])


async def test_every_call_has_to_be_answered(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    *answers, left_out = answered(first)
    said = await refusal(client, [HELLO, *returned(first), *answers])
    assert said == f"No tool output found for function call {left_out['call_id']}."


async def test_a_result_needs_its_call(client: openai.AsyncOpenAI) -> None:
    orphan = {"type": "function_call_output", "call_id": "call_x", "output": "?"}
    said = await refusal(client, [HELLO, orphan])
    assert said == "No tool call found for function call output with call_id call_x."


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": "x", "max_output_tokens": "3"}, "max_output_tokens"),
        ({"model": "m", "input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"model": "m", "input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"model": 3}, "model"),
    ],
)
async def test_a_bad_request_names_its_parameter(
    url: str, body: dict[str, object], param: str
) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post("/v1/responses", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
