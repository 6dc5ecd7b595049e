"""The chat completions wire, driven by the official SDK."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionToolUnionParam

TOOLS: list[ChatCompletionToolUnionParam] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("read_file", "list_files")
]
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
async def client(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    root = f"{url}/v1"
    async with openai.AsyncOpenAI(base_url=root, api_key="any", max_retries=0) as client:
        yield client


async def ask(
    client: openai.AsyncOpenAI, messages: Any, *, reasons: bool = True, max_tokens: int = 4000
) -> ChatCompletion:
    async with client.chat.completions.stream(
        model="two-turns",
        messages=messages,
        tools=TOOLS,
        max_completion_tokens=max_tokens,
        reasoning_effort="low" if reasons else openai.omit,
        stream_options={"include_usage": True},
    ) as stream:
        return await stream.get_final_completion()


def returned(completion: ChatCompletion) -> dict[str, Any]:
    message = completion.choices[0].message.model_dump(exclude_none=True)
    for call in message.get("tool_calls", []):
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    message.pop("parsed", None)
    return message


def answered(completion: ChatCompletion, output: str = "fine") -> list[dict[str, Any]]:
    calls = completion.choices[0].message.tool_calls or []
    return [{"role": "tool", "tool_call_id": call.id, "content": output} for call in calls]


async def refusal(client: openai.AsyncOpenAI, messages: Any) -> dict[str, Any]:
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client, messages)
    body = caught.value.body
    assert isinstance(body, dict)
    assert set(body) == {"message", "type", "param", "code"}
    return body


async def test_the_sdk_accumulates_reasoning_text_and_calls(client: openai.AsyncOpenAI) -> None:
    completion = await ask(client, [HELLO])
    choice = completion.choices[0]
    assert completion.id.startswith("chatcmpl-")
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I will look: **é** and 漢字."
    dumped = choice.message.model_dump()
    assert dumped["reasoning_content"] == 'First I think about é, \\ and "quotes".'
    calls = dumped["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["read_file", "list_files"]
    assert json.loads(calls[0]["function"]["arguments"])["path"] == 'a "b" \\ é\n.md'
    assert calls[1]["function"]["arguments"] == "{}"
    assert all(call["id"].startswith("call_") for call in calls)
    assert completion.usage is not None
    assert completion.usage.total_tokens > completion.usage.prompt_tokens > 0


async def test_the_usage_chunk_has_no_choices_and_done_is_last(url: str) -> None:
    body = {
        "model": "two-turns",
        "messages": [HELLO],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post("/v1/chat/completions", json=body)
    records = response.text.split("\n\n")
    assert records[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(record.removeprefix("data: ")) for record in records[:-2]]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


async def test_without_being_asked_no_usage_is_sent(url: str) -> None:
    body = {"model": "two-turns", "messages": [HELLO], "stream": True}
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post("/v1/chat/completions", json=body)
    assert '"usage"' not in response.text


async def test_without_streaming_the_message_is_the_same(client: openai.AsyncOpenAI) -> None:
    streamed = await ask(client, [HELLO], reasons=False)
    whole = await client.chat.completions.create(
        model="two-turns", messages=[{"role": "user", "content": "hello"}], tools=TOOLS
    )
    assert whole.choices[0].message.content == streamed.choices[0].message.content
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.usage == streamed.usage


async def test_a_tool_loop_with_reasoning_goes_on_to_its_end(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, returned(first), *answered(first)])
    assert last.choices[0].message.content == "Done."
    assert last.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    "output", ["FAILED (failures=1)\nexit code 1", 'there is no "a.md"', "edit_file: no"]
)
async def test_a_failed_tool_is_known_by_its_output(
    client: openai.AsyncOpenAI, output: str
) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, returned(first), *answered(first, output)])
    assert last.choices[0].message.content == "It failed."


async def test_max_tokens_cuts_the_reply(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError) as caught:
        await ask(client, [HELLO], reasons=False, max_tokens=3)
    assert caught.value.completion.choices[0].message.content == "I will look:"


async def test_reasoning_content_has_to_come_back(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    message = returned(first)
    del message["reasoning_content"]
    said = await refusal(client, [HELLO, message, *answered(first)])
    assert said["message"].startswith(
        "Missing `reasoning_content` field in the assistant message at message index 1."
    )


async def test_reasoning_content_has_to_come_back_unchanged(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    message = returned(first)
    message["reasoning_content"] += "!"
    said = await refusal(client, [HELLO, message, *answered(first)])
    assert "must be passed back" in said["message"]


async def test_every_call_has_to_be_answered(client: openai.AsyncOpenAI) -> None:
    first = await ask(client, [HELLO])
    *answers, left_out = answered(first)
    said = await refusal(client, [HELLO, returned(first), *answers])
    assert said["message"].startswith("An assistant message with 'tool_calls' must be followed by")
    assert said["message"].endswith(f"did not have response messages: {left_out['tool_call_id']}")


async def test_a_result_needs_its_call(client: openai.AsyncOpenAI) -> None:
    orphan = {"role": "tool", "tool_call_id": "call_x", "content": "?"}
    said = await refusal(client, [HELLO, orphan])
    assert said["message"] == (
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
        " with 'tool_calls'."
    )
    assert said["param"] == "messages.[1].role"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "m"}, "Missing required parameter: 'messages'."),
        (
            {"model": "m", "messages": []},
            "Invalid 'messages': empty array. Expected an array with minimum length 1,"
            " but got an empty array instead.",
        ),
        (
            {"model": "m", "messages": [HELLO], "tools": [{"type": "function"}]},
            "Missing required parameter: 'tools[0].function'.",
        ),
        (
            {"model": "m", "messages": [{"role": "alien", "content": "x"}]},
            "Invalid value for 'messages[0].role': Input should be 'developer' or 'system' or"
            " 'user' or 'assistant' or 'tool' or 'function'.",
        ),
    ],
)
async def test_a_bad_request_is_refused_as_the_api_refuses_it(
    url: str, body: dict[str, object], message: str
) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post("/v1/chat/completions", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["message"]) == ("invalid_request_error", message)
