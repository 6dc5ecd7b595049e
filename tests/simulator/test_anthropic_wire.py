"""The Messages wire, driven by the official SDK."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import MessageParam, ToolParam

TOOLS: list[ToolParam] = [
    {"name": "read_file", "input_schema": {"type": "object"}},
    {"name": "list_files", "input_schema": {"type": "object"}},
]
ARGUMENTS = {
    "path": 'a "b" \\ é\n.md',
    "line": 12345,
    "deep": {"list": [1, 2.5, True]},
}
HELLO: MessageParam = {"role": "user", "content": "hello"}


@pytest.fixture
async def client(url: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as client:
        yield client


async def ask(
    client: anthropic.AsyncAnthropic,
    messages: list[MessageParam],
    *,
    thinks: bool = True,
    max_tokens: int = 4000,
) -> anthropic.types.Message:
    async with client.messages.stream(
        model="two-turns",
        max_tokens=max_tokens,
        messages=messages,
        tools=TOOLS,
        thinking={"type": "enabled", "budget_tokens": 1024} if thinks else {"type": "disabled"},
    ) as stream:
        return await stream.get_final_message()


def returned(message: anthropic.types.Message) -> MessageParam:
    content: list[Any] = [block.model_dump(exclude_none=True) for block in message.content]
    return {"role": "assistant", "content": content}


def answered(message: anthropic.types.Message, *, failed: bool = False) -> MessageParam:
    ids = [block.id for block in message.content if block.type == "tool_use"]
    return {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": i, "content": "fine", "is_error": failed}
            for i in ids
        ],
    }


async def refusal(client: anthropic.AsyncAnthropic, messages: list[MessageParam]) -> str:
    with pytest.raises(anthropic.BadRequestError) as caught:
        await ask(client, messages)
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert body["request_id"] == caught.value.response.headers["request-id"]
    return str(body["error"]["message"])


async def test_the_sdk_accumulates_thinking_text_and_calls(
    client: anthropic.AsyncAnthropic,
) -> None:
    message = await ask(client, [HELLO])
    thinking, text, first, second = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking == 'First I think about é, \\ and "quotes".'
    assert thinking.signature
    assert text.type == "text"
    assert text.text == "I will look: **é** and 漢字."
    assert first.type == "tool_use"
    assert first.id.startswith("toolu_01")
    assert (first.name, first.input) == ("read_file", ARGUMENTS)
    assert second.type == "tool_use"
    assert (second.name, second.input) == ("list_files", {})
    assert message.stop_reason == "tool_use"
    assert message.id.startswith("msg_01")
    assert message.usage.output_tokens > 20


async def test_without_streaming_the_message_is_the_same(
    client: anthropic.AsyncAnthropic, url: str
) -> None:
    streamed = await ask(client, [HELLO], thinks=False)
    whole = await client.messages.create(
        model="two-turns", max_tokens=4000, messages=[HELLO], tools=TOOLS
    )
    assert [b.type for b in whole.content] == [b.type for b in streamed.content]
    assert whole.usage == streamed.usage
    assert whole.content[-1].type == "tool_use"


async def test_a_tool_loop_with_thinking_goes_on_to_its_end(
    client: anthropic.AsyncAnthropic,
) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, returned(first), answered(first)])
    assert last.content[-1].type == "text"
    assert last.content[-1].text == "Done."
    assert last.stop_reason == "end_turn"


async def test_a_failed_tool_is_reacted_to(client: anthropic.AsyncAnthropic) -> None:
    first = await ask(client, [HELLO])
    last = await ask(client, [HELLO, returned(first), answered(first, failed=True)])
    assert last.content[-1].type == "text"
    assert last.content[-1].text == "It failed."


async def test_no_thinking_is_sent_unasked(client: anthropic.AsyncAnthropic) -> None:
    message = await ask(client, [HELLO], thinks=False)
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    last = await ask(client, [HELLO, returned(message), answered(message)], thinks=True)
    assert last.stop_reason == "end_turn"


async def test_max_tokens_cuts_the_reply(client: anthropic.AsyncAnthropic) -> None:
    message = await ask(client, [HELLO], thinks=False, max_tokens=3)
    assert message.stop_reason == "max_tokens"
    assert [b.text for b in message.content if b.type == "text"] == ["I will look:"]


async def test_thinking_has_to_come_back(client: anthropic.AsyncAnthropic) -> None:
    first = await ask(client, [HELLO])
    turn = returned(first)
    assert isinstance(turn["content"], list)
    del turn["content"][0]
    said = await refusal(client, [HELLO, turn, answered(first)])
    assert said.startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`"
    )


async def test_thinking_has_to_come_back_unchanged(client: anthropic.AsyncAnthropic) -> None:
    first = await ask(client, [HELLO])
    turn = returned(first)
    content: Any = turn["content"]
    content[0]["thinking"] += "!"
    said = await refusal(client, [HELLO, turn, answered(first)])
    assert said == "messages.1.content.0: Invalid `signature` in `thinking` block"


async def test_every_call_has_to_be_answered(client: anthropic.AsyncAnthropic) -> None:
    first = await ask(client, [HELLO])
    answers = answered(first)
    content: Any = answers["content"]
    missing = content.pop()["tool_use_id"]
    said = await refusal(client, [HELLO, returned(first), answers])
    assert said == (
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after:"
        f" {missing}. Each `tool_use` block must have a corresponding `tool_result` block in the"
        " next message."
    )


async def test_a_result_needs_its_call(client: anthropic.AsyncAnthropic) -> None:
    result: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "toolu_01x", "content": "?"}],
    }
    said = await refusal(client, [HELLO, result])
    assert said.startswith(
        "messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01x."
    )


async def test_a_word_beside_the_results_does_not_start_anew(
    client: anthropic.AsyncAnthropic,
) -> None:
    first = await ask(client, [HELLO])
    answers = answered(first)
    content: Any = answers["content"]
    content.append({"type": "text", "text": "and hurry"})
    last = await ask(client, [HELLO, returned(first), answers])
    assert last.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"max_tokens": 9, "messages": [HELLO]}, "model: Field required"),
        ({"model": "m", "messages": [HELLO]}, "max_tokens: Field required"),
        ({"model": "m", "max_tokens": 9}, "messages: Field required"),
        (
            {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{}]}]},
            "messages.0.content.0.type: Field required",
        ),
        (
            {"model": "m", "max_tokens": 9, "messages": []},
            "messages: at least one message is required",
        ),
        (
            {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}],
            },
            "messages.0.content.0.text: Input should be a valid string",
        ),
        (
            {"model": "m", "max_tokens": 9, "messages": [HELLO], "tools": [{"name": "a"}]},
            "tools.0.input_schema: Field required",
        ),
    ],
)
async def test_a_bad_request_is_refused_as_the_api_refuses_it(
    url: str, body: dict[str, object], message: str
) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        headers = {"anthropic-version": "2023-06-01"}
        response = await http.post("/v1/messages", json=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"] == {"type": "invalid_request_error", "message": message}


async def test_an_unknown_model_is_not_found(client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: no-such-model"):
        await client.messages.create(model="no-such-model", max_tokens=9, messages=[HELLO])


async def test_models_are_listed(client: anthropic.AsyncAnthropic) -> None:
    listed = await client.models.list()
    assert "two-turns" in [model.id for model in listed.data]
