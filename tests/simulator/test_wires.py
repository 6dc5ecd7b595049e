"""The three wires, driven by the official SDKs."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from .clients import HELLO, Client, Item, connected

ARGUMENTS = {"path": 'a "b" \\ é\n.md', "line": 12345, "deep": {"list": [1, 2.5, True]}}
VERSION = {"anthropic-version": "2023-06-01"}
PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}


@pytest.fixture(params=PATHS)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(url: str, wire: str) -> AsyncIterator[Client]:
    async with connected(wire, url) as client:
        yield client


async def refusal(client: Client, items: list[Item]) -> Item:
    """The error of a request that is refused with a 400, in its service's form."""
    with pytest.raises(client.refusal) as caught:
        await client.ask(items)
    error = caught.value
    assert isinstance(error, anthropic.APIStatusError | openai.APIStatusError)
    body: Any = error.body
    if isinstance(error, openai.APIStatusError):
        assert set(body) == {"message", "type", "param", "code"}
        return dict(body)
    assert body["type"] == "error"
    assert body["request_id"] == error.response.headers["request-id"]
    return dict(body["error"])


async def test_the_sdk_accumulates_reasoning_text_and_calls(client: Client, wire: str) -> None:
    answer = await client.ask([HELLO])
    assert answer.reasoning == 'First I think about é, \\ and "quotes".'
    assert answer.text == "I will look: **é** and 漢字."
    assert list(answer.calls.values()) == [("read_file", ARGUMENTS), ("list_files", {})]
    prefix = "toolu_01" if wire == "anthropic" else "call_"
    assert all(call_id.startswith(prefix) for call_id in answer.calls)
    stops = {"anthropic": "tool_use", "chat": "tool_calls", "responses": "completed"}
    assert answer.stop == stops[wire]


async def test_without_streaming_the_answer_is_the_same(client: Client) -> None:
    streamed = await client.ask([HELLO], reasons=False)
    whole = await client.ask([HELLO], reasons=False, stream=False)
    assert streamed.reasoning == whole.reasoning == ""
    assert (whole.text, list(whole.calls.values())) == (
        streamed.text,
        list(streamed.calls.values()),
    )
    assert (whole.stop, whole.usage) == (streamed.stop, streamed.usage)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("fine", "Done."),
        ("FAILED (failures=1)\nexit code 1", "It failed."),
        ('there is no "a.md"', "It failed."),
        ("edit_file: no", "It failed."),
    ],
)
async def test_a_tool_loop_with_reasoning_goes_on_by_what_its_tools_came_to(
    client: Client, output: str, text: str
) -> None:
    first = await client.ask([HELLO])
    last = await client.ask([HELLO, *first.items, *client.results(first, output)])
    assert last.text == text
    assert last.stop in ("end_turn", "stop", "completed")


async def test_a_message_after_an_answer_has_turns_of_its_own(client: Client) -> None:
    first = await client.ask([HELLO], reasons=False)
    loop = [HELLO, *first.items, *client.results(first)]
    last = await client.ask(loop, reasons=False)
    assert (await client.ask([*loop, *last.items, HELLO], reasons=False)).text == "Gladly."


async def test_reasoning_may_be_asked_for_after_a_turn_without_it(client: Client) -> None:
    first = await client.ask([HELLO], reasons=False)
    last = await client.ask([HELLO, *first.items, *client.results(first)])
    assert last.text == "Done."


async def test_max_tokens_cuts_the_reply(client: Client) -> None:
    answer = await client.ask([HELLO], reasons=False, max_tokens=3)
    assert answer.text == "I will look:"
    assert answer.stop in ("max_tokens", "length", "incomplete")


async def test_every_call_has_to_be_answered(client: Client, wire: str) -> None:
    first = await client.ask([HELLO])
    results = client.results(first)
    (results[0]["content"] if wire == "anthropic" else results).pop()
    error = await refusal(client, [HELLO, *first.items, *results])
    assert error["type"] == "invalid_request_error"
    answered, unanswered = first.calls
    assert unanswered in error["message"] and answered not in error["message"]


ORPHANS: dict[str, Item] = {
    "anthropic": {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "toolu_01x", "content": "?"}],
    },
    "chat": {"role": "tool", "tool_call_id": "call_x", "content": "?"},
    "responses": {"type": "function_call_output", "call_id": "call_x", "output": "?"},
}


async def test_a_result_needs_its_call(client: Client, wire: str) -> None:
    told = {
        "anthropic": "unexpected `tool_use_id` found in `tool_result` blocks: toolu_01x.",
        "chat": "must be a response to a preceeding message with 'tool_calls'.",
        "responses": "No tool call found for function call output with call_id call_x.",
    }
    assert told[wire] in (await refusal(client, [HELLO, ORPHANS[wire]]))["message"]


def without_reasoning(wire: str, items: list[Item]) -> list[Item]:
    if wire == "anthropic":
        return [{**items[0], "content": items[0]["content"][1:]}]
    if wire == "responses":
        return items[1:]
    return [{key: value for key, value in items[0].items() if key != "reasoning_content"}]


def with_other_reasoning(wire: str, items: list[Item]) -> list[Item]:
    items = json.loads(json.dumps(items))
    if wire == "anthropic":
        items[0]["content"][0]["thinking"] += "!"
    elif wire == "chat":
        items[0]["reasoning_content"] += "!"
    else:
        items[0]["encrypted_content"] = items[0]["encrypted_content"][:-4] + "AAAA"
    return items


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            without_reasoning,
            {
                "anthropic": "messages.1.content.0.type: Expected `thinking` or"
                " `redacted_thinking`, but found `text`",
                "chat": "Missing `reasoning_content` field in the assistant message at message"
                " index 1.",
                "responses": "was provided without its required 'reasoning' item: 'rs_",
            },
        ),
        (
            with_other_reasoning,
            {
                "anthropic": "messages.1.content.0: Invalid `signature` in `thinking` block",
                "chat": "must be passed back",
                "responses": "Encrypted content could not be decrypted or parsed.",
            },
        ),
    ],
)
async def test_reasoning_has_to_come_back_unchanged(
    client: Client, wire: str, change: Any, told: dict[str, str]
) -> None:
    first = await client.ask([HELLO])
    items = [HELLO, *change(wire, first.items), *client.results(first)]
    assert told[wire] in (await refusal(client, items))["message"]


async def test_an_unknown_model_is_not_found(client: Client) -> None:
    with pytest.raises((anthropic.NotFoundError, openai.NotFoundError), match="no-such-model"):
        await client.ask([HELLO], model="no-such-model")


CLAUDE: Item = {"model": "m", "max_tokens": 9, "messages": [HELLO]}
GPT: Item = {"model": "m", "messages": [HELLO]}


async def test_a_system_message_may_be_the_last_as_claude_code_sends_it(url: str) -> None:
    asked = {**CLAUDE, "messages": [HELLO, {"role": "system", "content": "Be brief."}]}
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post(PATHS["anthropic"], json=asked, headers=VERSION)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "message", "param"),
    [
        ("anthropic", {**CLAUDE, "model": None}, "model: Field required", None),
        ("anthropic", {**CLAUDE, "messages": []}, "messages: at least one message", None),
        (
            "anthropic",
            {**CLAUDE, "messages": [{"role": "user", "content": [{}]}]},
            "messages.0.content.0.type: Field required",
            None,
        ),
        (
            "anthropic",
            {**CLAUDE, "messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}]},
            "messages.0.content.0.text: Input should be a valid string",
            None,
        ),
        (
            "anthropic",
            {**CLAUDE, "tools": [{"name": "a"}]},
            "tools.0.input_schema: Field required",
            None,
        ),
        (
            "anthropic",
            {**CLAUDE, "messages": [HELLO, {"role": "assistant", "content": "I"}]},
            "This model does not support assistant message prefill",
            None,
        ),
        ("chat", {**GPT, "messages": None}, "Missing required parameter: 'messages'.", "messages"),
        ("chat", {**GPT, "messages": []}, "Invalid 'messages': empty array.", "messages"),
        (
            "chat",
            {**GPT, "tools": [{"type": "function"}]},
            "Missing required parameter: 'tools[0].function'.",
            "tools[0].function",
        ),
        (
            "chat",
            {**GPT, "messages": [{"role": "alien", "content": "x"}]},
            "Input should be 'developer' or 'system' or 'user' or 'assistant' or 'tool' or"
            " 'function'.",
            "messages[0].role",
        ),
        ("responses", {}, "Missing required parameter: 'model'.", "model"),
        ("responses", {"model": 3}, "Invalid value for 'model'", "model"),
        ("responses", {"model": "m"}, 'One of "input"', "input"),
        (
            "responses",
            {"model": "m", "input": "x", "max_output_tokens": "3"},
            "Input should be a valid integer",
            "max_output_tokens",
        ),
        (
            "responses",
            {"model": "m", "input": "x", "tools": [{"type": "function"}]},
            "Missing required parameter: 'tools[0].name'.",
            "tools[0].name",
        ),
        (
            "responses",
            {"model": "m", "input": "x", "previous_response_id": "resp_1"},
            "Previous response with id 'resp_1' not found.",
            "previous_response_id",
        ),
    ],
)
async def test_a_bad_request_is_refused_in_the_services_words(
    url: str, path: str, body: Item, message: str, param: str | None
) -> None:
    given = {key: value for key, value in body.items() if value is not None}
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post(PATHS[path], json=given, headers=VERSION)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error.get("param")) == ("invalid_request_error", param)
    assert message in error["message"]


async def test_models_are_listed_in_either_form(url: str) -> None:
    async with (
        anthropic.AsyncAnthropic(base_url=url, api_key="any") as claude,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as gpt,
    ):
        for listed in (await claude.models.list(), await gpt.models.list()):
            assert "two-turns" in [model.id for model in listed.data]


# Each wire's own.


@pytest.mark.parametrize("wire", ["anthropic"], indirect=True)
async def test_a_word_beside_the_results_does_not_start_anew(client: Client) -> None:
    first = await client.ask([HELLO])
    results = client.results(first)
    results[0]["content"].append({"type": "text", "text": "and hurry"})
    assert (await client.ask([HELLO, *first.items, *results])).text == "Done."
    results[0]["content"][0]["is_error"] = True
    assert (await client.ask([HELLO, *first.items, *results])).text == "It failed."


async def stream_of(url: str, path: str, **body: object) -> list[str]:
    async with httpx2.AsyncClient(base_url=url) as http:
        response = await http.post(path, json={"model": "two-turns", "stream": True, **body})
    return response.text.split("\n\n")


async def test_chat_sends_usage_where_it_is_asked_for_in_a_chunk_without_choices(url: str) -> None:
    options = {"include_usage": True}
    records = await stream_of(url, PATHS["chat"], messages=[HELLO], stream_options=options)
    assert records[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(record.removeprefix("data: ")) for record in records[:-2]]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert '"usage"' not in "".join(await stream_of(url, PATHS["chat"], messages=[HELLO]))


async def test_responses_events_are_named_and_numbered_without_a_gap(url: str) -> None:
    effort = {"effort": "low"}
    records = await stream_of(url, PATHS["responses"], input="hello", reasoning=effort)
    named = [record.split("\n") for record in records[:-1]]
    events = [json.loads(data.removeprefix("data: ")) for _, data in named]
    assert [name.removeprefix("event: ") for name, _ in named] == [e["type"] for e in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert list(dict.fromkeys(event["type"].removeprefix("response.") for event in events)) == [
        *("created", "in_progress", "output_item.added", "output_item.done"),
        *("content_part.added", "output_text.delta", "output_text.done", "content_part.done"),
        "completed",
    ]


@pytest.fixture
async def responses(url: str) -> AsyncIterator[Client]:
    async with connected("responses", url) as client:
        yield client


async def test_outputs_may_stand_right_behind_their_calls(responses: Client) -> None:
    first = await responses.ask([HELLO])
    *before, one, two = first.items
    result_one, result_two = responses.results(first)
    last = await responses.ask([HELLO, *before, one, result_one, two, result_two])
    assert last.text == "Done."


async def test_leaving_the_item_id_out_does_not_help(responses: Client) -> None:
    first = await responses.ask([HELLO])
    items = [{k: v for k, v in item.items() if k != "id"} for item in first.items[2:]]
    error = await refusal(responses, [HELLO, first.items[1], *items, *responses.results(first)])
    assert "was provided without its required 'reasoning' item" in error["message"]


async def test_an_item_that_was_not_stored_is_not_found(responses: Client) -> None:
    first = await responses.ask([HELLO])
    del first.items[0]["encrypted_content"]
    with pytest.raises(openai.NotFoundError, match="Items are not persisted"):
        await responses.ask([HELLO, *first.items, *responses.results(first)])


def as_custom(item: Item) -> Item:
    """The call, or the output of one, as a custom tool's."""
    if "arguments" not in item:
        return item | {"type": item["type"].replace("function", "custom_tool")}
    called = {"call_id": item["call_id"], "name": item["name"], "input": item["arguments"]}
    return {"type": "custom_tool_call", **called}


async def test_a_custom_tools_call_is_answered_in_its_own_form(responses: Client) -> None:
    first = await responses.ask([HELLO])
    *before, one, two = first.items
    result_one, result_two = responses.results(first)
    said = [HELLO, *before, as_custom(one), two]
    last = await responses.ask([*said, as_custom(result_one), result_two])
    assert last.text == "Done."
    error = await refusal(responses, [*said, result_one, result_two])
    assert error["message"].startswith("No tool call found for function call output")
    error = await refusal(responses, [*said, result_two])
    assert error["message"] == f"No tool output found for custom tool call {one['call_id']}."


async def test_chat_takes_the_call_of_a_custom_tool(url: str) -> None:
    async with connected("chat", url) as client:
        first = await client.ask([HELLO])
        (message,) = first.items
        called = message["tool_calls"][0]
        function = called.pop("function")
        custom = {"name": function["name"], "input": "free text"}
        message["tool_calls"][0] = called | {"type": "custom", "custom": custom}
        assert (await client.ask([HELLO, message, *client.results(first)])).text == "Done."


LOAD_ALL_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from lfgtui.simulator.wires.shapes import load_shape

sys.setswitchinterval(1e-5)
shapes = [
    "openai.types.chat.completion_create_params:CompletionCreateParamsBase",
    "openai.types.responses.response_create_params:ResponseCreateParamsBase",
    "anthropic.types.message_create_params:MessageCreateParamsBase",
]
with ThreadPoolExecutor(3) as pool:
    print(len(list(pool.map(load_shape, shapes))))
"""


def test_first_requests_on_all_wires_may_come_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL_AT_ONCE], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("3", "")
