"""Requests, wire by wire."""

from dataclasses import replace

import pytest
from msgspec import structs

from lfgtui.model.fold.conversation import (
    CallPart,
    ItemPart,
    Message,
    ModelTurn,
    ReasoningPart,
    TextPart,
    ToolResult,
    UserTurn,
)
from lfgtui.model.ticket_keys.context import ContextFile, as_message
from lfgtui.providers.anthropic import request as anthropic_request
from lfgtui.providers.base import Request, ToolSpec, effort_of
from lfgtui.providers.openai_chat import request as chat_request
from lfgtui.providers.openai_responses import request as responses_request

Json = dict[str, object]

TOOL = ToolSpec("read", "Read a file", {"type": "object", "properties": {}})
HI: list[Message] = [UserTurn("Hi")]
PLAIN = Request("m", HI)
CLAUDE = "claude-sonnet-4-5"


def loop_of(*parts: TextPart | ReasoningPart | CallPart | ItemPart) -> list[Message]:
    """A tool loop with two calls, one of which failed."""
    first, second = CallPart("a", "read", {"path": "x"}), CallPart("b", "read", {})
    behind = [part for part in parts if isinstance(part, ItemPart) and "tool_call_id" in part.item]
    before = [part for part in parts if part not in behind]
    return [
        UserTurn("Hi"),
        ModelTurn((*before, first, *behind, second)),
        ToolResult("a", "content", failed=False),
        ToolResult("b", "no such file", failed=True),
    ]


# Anthropic


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def anthropic_messages(messages: list[Message], *, cache: bool = False) -> object:
    request = Request(CLAUDE, messages, cache=cache)
    return anthropic_request.request_body(request)["messages"]


SIGNED = ItemPart("anthropic", {"type": "thinking", "signature": "s"})


def test_anthropic_thinking_goes_first_with_its_signature_and_results_go_together() -> None:
    result: Json = {"type": "tool_result"}
    failed = result | {"tool_use_id": "b", "content": "no such file", "is_error": True}
    assert anthropic_messages(loop_of(ReasoningPart("hm"), SIGNED, TextPart("I look"))) == [
        user(text("Hi")),
        assistant(
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            text("I look"),
            {"type": "tool_use", "id": "a", "name": "read", "input": {"path": "x"}},
            {"type": "tool_use", "id": "b", "name": "read", "input": {}},
        ),
        user(result | {"tool_use_id": "a", "content": "content"}, failed),
    ]


def test_anthropic_blocks_of_other_kinds_go_back_as_they_came() -> None:
    redacted: Json = {"type": "redacted_thinking", "data": "x"}
    turn = ModelTurn((ItemPart("anthropic", redacted), SIGNED, TextPart("x")))
    silent: Json = {"type": "thinking", "thinking": "", "signature": "s"}
    sent = anthropic_messages([UserTurn("Hi"), turn])
    assert sent == [user(text("Hi")), assistant(redacted, silent, text("x"))]


def test_anthropic_gets_nothing_of_other_wires_nor_anything_empty() -> None:
    foreign = ItemPart("openai-responses", {"type": "reasoning"})
    unsigned = ItemPart("anthropic", {"type": "thinking", "signature": ""})
    turn = ModelTurn((ReasoningPart("hm"), foreign, unsigned, TextPart(" \n")))
    sent = anthropic_messages([UserTurn("Hi"), turn, UserTurn("Again")])
    assert sent == [user(text("Hi"), text("Again"))]


def test_anthropic_steering_stands_after_the_results() -> None:
    call = ModelTurn((CallPart("functions.read:0", "read", "[1]"),))
    messages: list[Message] = [UserTurn("Hi"), call, UserTurn("Stop")]
    messages.append(ToolResult("functions.read:0", "x", failed=False))
    sent = anthropic_messages(messages)
    assert isinstance(sent, list)
    assert [block["type"] for block in sent[-1]["content"]] == ["tool_result", "text"]
    use = sent[1]["content"][0]
    assert use["id"] == sent[-1]["content"][0]["tool_use_id"] == "functions_read_0"
    assert use["input"] == {"invalid_json": "[1]"}


STOPPED_IN: list[ItemPart] = [
    SIGNED,
    ItemPart("anthropic", {"type": "redacted_thinking", "data": "d"}),
    ItemPart("anthropic", {"type": "server_tool_use", "id": "s", "name": "web_search"}),
]


@pytest.mark.parametrize("unfinished", STOPPED_IN)
def test_anthropic_gets_no_unfinished_end_of_a_stopped_response(unfinished: ItemPart) -> None:
    stop = UserTurn("Stop", is_said=True)
    said = [*HI, ModelTurn((TextPart("I search"), unfinished)), stop]
    assert anthropic_messages(said) == [
        user(text("Hi")),
        assistant(text("I search")),
        user(text("Stop")),
    ]
    assert anthropic_messages([*HI, ModelTurn((unfinished,)), stop]) == [
        user(text("Hi"), text("Stop"))
    ]


def test_anthropic_gets_back_what_it_paused_in() -> None:
    paused = ModelTurn((STOPPED_IN[-1],))
    assert anthropic_messages([*HI, paused]) == [
        user(text("Hi")),
        assistant(paused.items("anthropic")[0]),
    ]


def test_anthropic_caches_system_tools_and_the_last_message() -> None:
    request = Request(CLAUDE, HI, system="Be brief", tools=(TOOL, TOOL))
    body = anthropic_request.request_body(request)
    marked = {"type": "ephemeral"}
    assert body["system"] == [{"type": "text", "text": "Be brief", "cache_control": marked}]
    tools, messages = body["tools"], body["messages"]
    assert isinstance(tools, list)
    assert isinstance(messages, list)
    assert ["cache_control" in tool for tool in tools] == [False, True]
    assert messages[-1]["content"][-1]["cache_control"] == marked
    uncached = replace(request, cache=False)
    assert "cache_control" not in str(anthropic_request.request_body(uncached))


FILES = (ContextFile("a.md", 1, "00", "A"), ContextFile('b "c".md', 2, "11", "B\n"))
GIVEN = UserTurn(as_message(FILES), files=FILES)
ASKED: list[Message] = [GIVEN, UserTurn("Do it.")]


def test_files_are_a_text_in_which_a_tag_names_each() -> None:
    assert GIVEN.text == (
        "Files of the workspace, as they were when this began:\n\n"
        '<file path="a.md">\nA\n</file>\n\n'
        """<file path='b "c".md'>\nB\n</file>"""
    )


@pytest.mark.parametrize("system", ["Be brief", None])
def test_anthropic_caches_what_ends_with_the_files_and_marks_four_blocks_at_most(
    system: str | None,
) -> None:
    request = Request(CLAUDE, [*ASKED, *loop_of()[1:]], system=system, tools=(TOOL,))
    body = anthropic_request.request_body(request)
    messages = body["messages"]
    assert isinstance(messages, list)
    files, prompt = messages[0]["content"]
    assert files == text(GIVEN.text) | {"cache_control": {"type": "ephemeral"}}
    assert prompt == text("Do it.")
    assert messages[-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    # One is left for `extra`; the tools are in what ends with the system prompt.
    assert str(body).count("cache_control") == 3
    uncached = replace(request, cache=False)
    assert "cache_control" not in str(anthropic_request.request_body(uncached))


OPENAI = "api.openai.com"
MARKED: Json = {"prompt_cache_breakpoint": {"mode": "explicit"}}


@pytest.mark.parametrize(
    ("model", "marks"),
    [
        ("gpt-5.6", True),
        ("gpt-5.10-sol", True),
        ("gpt-6", True),
        ("gpt-5.5", False),
        ("gpt-5-mini", False),
        ("gpt-4o", False),
        ("o4-mini", False),
    ],
)
def test_openai_models_since_5_6_are_told_where_the_files_end(model: str, marks: bool) -> None:
    request = Request(model, ASKED, system="Be brief")
    part: Json = {"type": "input_text", "text": GIVEN.text}
    given, asked = responses_request.input_items(ASKED, marks_files=marks)
    assert responses_request.request_body(request, OPENAI)["input"] == [given, asked]
    assert given["content"] == [part | MARKED if marks else part]
    chat = chat_request.request_body(request, OPENAI)["messages"]
    assert isinstance(chat, list)
    first: Json = {"type": "text", "text": GIVEN.text} | MARKED
    parts = [first, {"type": "text", "text": "\n\nDo it."}]
    assert chat[1]["content"] == (parts if marks else f"{GIVEN.text}\n\nDo it.")


@pytest.mark.parametrize(
    ("host", "more", "is_keyed"),
    [
        (OPENAI, {}, True),
        ("eu.api.openai.com", {}, True),
        ("openrouter.ai", {}, False),
        ("", {}, False),
        (OPENAI, {"cache": False}, False),
    ],
)
def test_openai_alone_gets_a_key_for_its_cache(host: str, more: Json, is_keyed: bool) -> None:
    request = replace(Request("gpt-5.6", ASKED), **more)  # type: ignore[arg-type]
    for body in (
        chat_request.request_body(request, host),
        responses_request.request_body(request, host),
    ):
        assert ("prompt_cache_key" in body) == is_keyed
        assert ("prompt_cache_breakpoint" in str(body)) == is_keyed


def test_the_key_is_that_of_all_that_begin_alike() -> None:
    def key(messages: list[Message], **keys: object) -> object:
        request = Request("gpt-5", messages, **keys)  # type: ignore[arg-type]
        body = responses_request.request_body(request, OPENAI)
        assert (
            body["prompt_cache_key"]
            == chat_request.request_body(request, OPENAI)["prompt_cache_key"]
        )
        return body["prompt_cache_key"]

    assert key(ASKED) == key([GIVEN, UserTurn("Something else.")])
    assert key(HI) == key(loop_of()) != key([UserTurn("Ho")])
    assert key(HI) != key(HI, system="Be brief") != key(HI, tools=(TOOL,))
    own = Request("gpt-5", HI, extra={"prompt_cache_key": "mine"})
    assert responses_request.request_body(own, OPENAI)["prompt_cache_key"] == "mine"


@pytest.mark.parametrize(
    ("reasoning", "most", "budget", "sent"),
    [("low", 8192, 2048, 8192), ("high", 8192, 16384, 24576), (5000, 5000, 5000, 10000)],
)
def test_anthropic_thinks_within_a_budget_below_max_tokens(
    reasoning: "str | int", most: int, budget: int, sent: int
) -> None:
    request = Request(CLAUDE, HI, max_output_tokens=most, reasoning=reasoning)  # type: ignore[arg-type]  # parametrize widens the literal
    body = anthropic_request.request_body(request)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert body["max_tokens"] == sent


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("claude-sonnet-4-5-20250929", "enabled"),
        ("claude-opus-4-20250514", "enabled"),
        ("claude-3-7-sonnet-latest", "enabled"),
        ("claude-opus-4-6", "adaptive"),
        ("claude-sonnet-5", "adaptive"),
        ("my-own-model", "enabled"),
    ],
)
def test_anthropic_models_since_4_6_set_their_own_budget(model: str, kind: str) -> None:
    body = anthropic_request.request_body(Request(model, HI, reasoning="low"))
    thinking = body["thinking"]
    assert isinstance(thinking, dict)
    assert thinking["type"] == kind
    assert ("output_config" in body) == (kind == "adaptive")


def test_anthropic_does_not_begin_to_think_inside_a_tool_loop() -> None:
    for parts, thinks in (((), False), ((SIGNED,), True)):
        request = Request(CLAUDE, loop_of(*parts), reasoning="low")
        assert ("thinking" in anthropic_request.request_body(request)) == thinks


# Responses


def test_responses_items_keep_their_order_and_ids() -> None:
    kept: Json = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}
    item = ItemPart("openai-responses", kept | {"status": None})
    messages = loop_of(ReasoningPart("hm"), item, TextPart("I look"))
    call: Json = {"type": "function_call", "name": "read"}
    output: Json = {"type": "function_call_output"}
    assert responses_request.input_items(messages) == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        kept,
        {"type": "message", "role": "assistant", "content": "I look"},
        call | {"call_id": "a", "arguments": '{"path":"x"}'},
        call | {"call_id": "b", "arguments": "{}"},
        output | {"call_id": "a", "output": "content"},
        output | {"call_id": "b", "output": "no such file"},
    ]


def test_responses_reasoning_that_the_wire_would_refuse_is_left_out() -> None:
    bare = ItemPart("openai-responses", {"type": "reasoning", "id": "rs", "summary": []})
    last = ItemPart("openai-responses", {"type": "reasoning", "encrypted_content": "x"})
    foreign = ItemPart("anthropic", {"type": "thinking", "signature": "s"})
    turn = ModelTurn((bare, TextPart("x"), foreign, last))
    sent = responses_request.input_items([turn])
    assert [item["type"] for item in sent] == ["message"]


def test_responses_store_nothing_and_ask_for_encrypted_reasoning() -> None:
    request = Request("m", HI, system="Be brief", tools=(TOOL,), reasoning=9000)
    body = responses_request.request_body(request)
    assert body["store"] is False
    assert body["tools"] == [{"type": "function", "strict": False, **structs.asdict(TOOL)}]
    assert body["instructions"] == "Be brief"
    assert body["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert body["include"] == ["reasoning.encrypted_content"]
    assert "include" not in responses_request.request_body(PLAIN)


@pytest.mark.parametrize(
    ("model", "asks"),
    [("gpt-5-mini", True), ("o4-mini", True), ("gpt-4o", False), ("gpt-5-chat-latest", False)],
)
def test_responses_models_that_reason_by_themselves_are_asked_too(model: str, asks: bool) -> None:
    body = responses_request.request_body(Request(model, HI))
    assert ("include" in body) == asks


# chat completions


FIELD = ItemPart("openai-chat", {"reasoning_field": "reasoning_content"})


def test_chat_messages_carry_calls_results_and_the_reasoning_of_the_loop() -> None:
    extra = {"google": {"thought_signature": "s"}}
    signed = ItemPart("openai-chat", {"tool_call_id": "a", "extra_content": extra})
    messages = loop_of(ReasoningPart("hm"), TextPart("I look"), FIELD, signed)
    functions = [{"name": "read", "arguments": given} for given in ('{"path":"x"}', "{}")]
    calls = [
        {"id": "a", "type": "function", "function": functions[0], "extra_content": extra},
        {"id": "b", "type": "function", "function": functions[1]},
    ]
    spoken: Json = {"role": "assistant", "content": "I look", "reasoning_content": "hm"}
    assert chat_request.chat_messages("Be brief", messages) == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "Hi"},
        spoken | {"tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "content"},
        {"role": "tool", "tool_call_id": "b", "content": "no such file"},
    ]


def test_chat_messages_of_a_loop_all_have_the_field_once_one_has() -> None:
    last = ModelTurn((TextPart("Done"),))
    sent = chat_request.chat_messages(None, [*loop_of(ReasoningPart("hm"), FIELD), last])
    assert [m.get("reasoning_content") for m in sent if m["role"] == "assistant"] == ["hm", ""]


@pytest.mark.parametrize(("host", "sent"), [("api.deepseek.com", ""), ("api.x.ai", None)])
def test_deepseek_gets_empty_reasoning_for_foreign_turns(host: str, sent: str | None) -> None:
    foreign = loop_of(ReasoningPart("hm"), ItemPart("anthropic", {"signature": "s"}))
    messages = chat_request.chat_messages(None, foreign, host)
    assert messages[1].get("reasoning_content") == sent


def test_chat_messages_of_the_user_in_a_row_are_one() -> None:
    only_thought = ModelTurn((ReasoningPart("hm"),))
    messages = [*HI, only_thought, UserTurn("Stop", is_said=True)]
    assert chat_request.chat_messages(None, messages) == [{"role": "user", "content": "Hi\n\nStop"}]


@pytest.mark.parametrize(
    ("host", "roles"),
    [
        ("api.mistral.ai", ["user", "assistant", "tool", "tool", "assistant", "user"]),
        ("api.openai.com", ["user", "assistant", "tool", "tool", "user"]),
    ],
)
def test_mistral_gets_an_answer_between_results_and_a_message(host: str, roles: list[str]) -> None:
    messages = [*loop_of(), UserTurn("Stop", is_said=True)]
    assert [one["role"] for one in chat_request.chat_messages(None, messages, host)] == roles


def test_chat_reasoning_outside_a_tool_loop_stays_here() -> None:
    turn = ModelTurn((ReasoningPart("hm"), TextPart("x"), FIELD))
    sent = chat_request.chat_messages(None, [UserTurn("Hi"), turn, UserTurn("More")])
    assert sent[1] == {"role": "assistant", "content": "x"}


@pytest.mark.parametrize("name", ["reasoning_details", "thinking_blocks"])
def test_chat_reasoning_details_go_back_as_they_came(name: str) -> None:
    details: list[object] = [{"type": "reasoning.text", "text": "hm", "signature": "s"}]
    item = ItemPart("openai-chat", {name: details})
    sent = chat_request.chat_messages(None, loop_of(ReasoningPart("hm"), item))
    assert sent[1][name] == details


def test_a_chat_message_goes_back_with_its_own_signature() -> None:
    extra = {"google": {"thought_signature": "s"}}
    item = ItemPart("openai-chat", {"message_extra_content": extra})
    sent = chat_request.chat_messages(None, [ModelTurn((TextPart("Hi"), item)), UserTurn("More")])
    assert sent[0] == {"role": "assistant", "content": "Hi", "extra_content": extra}


@pytest.mark.parametrize(
    ("host", "limit", "usage", "reasoning"),
    [
        ("api.openai.com", "max_completion_tokens", True, "reasoning_effort"),
        ("api.x.ai", "max_tokens", True, "reasoning_effort"),
        ("api.mistral.ai", "max_tokens", False, "reasoning_effort"),
        ("openrouter.ai", "max_tokens", True, "reasoning"),
        ("127.0.0.1", "max_tokens", True, "reasoning_effort"),
    ],
)
def test_chat_bodies_suit_the_host(host: str, limit: str, usage: bool, reasoning: str) -> None:
    request = Request("m", HI, tools=(TOOL,), reasoning="low", max_output_tokens=7)
    body = chat_request.request_body(request, host)
    assert body[limit] == 7
    assert body["tools"] == [{"type": "function", "function": structs.asdict(TOOL)}]
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1
    assert ("stream_options" in body) == usage
    assert reasoning in body


def test_extra_fields_win() -> None:
    request = Request("m", HI, extra={"max_completion_tokens": 5, "seed": 1})
    body = chat_request.request_body(request, "localhost")
    assert body["max_completion_tokens"] == 5
    assert body["seed"] == 1
    assert "max_tokens" not in body
    extra = Request("m", HI, extra={"max_tokens": 5})
    assert anthropic_request.request_body(extra)["max_tokens"] == 5


@pytest.mark.parametrize(
    ("tokens", "effort"), [(0, "low"), (5000, "low"), (5200, "medium"), (99999, "high")]
)
def test_a_number_of_tokens_becomes_the_nearest_effort(tokens: int, effort: str) -> None:
    assert effort_of(tokens) == effort
