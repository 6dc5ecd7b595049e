"""Hosted tools on the Responses wire: a card that grows."""

import pytest

from lfgtui.model import events as e
from lfgtui.model.events import ProviderItem
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.providers.decoding import Json, added, cards, done, run

END: Json = {"type": "response.completed", "response": {"status": "completed"}}


def test_a_card_appears_at_once_then_gets_its_input_then_its_result() -> None:
    call: Json = {"type": "code_interpreter_call", "id": "ci", "code": ""}
    ended: Json = call | {"code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]}
    progress = {"output_index": 0, "item_id": "ci"}
    events = run(
        ResponsesDecoder(),
        added(call),
        {"type": "response.code_interpreter_call.in_progress", **progress},
        {"type": "response.code_interpreter_call_code.delta", "delta": "1+", **progress},
        {"type": "response.code_interpreter_call_code.done", "code": "1+1", **progress},
        {"type": "response.code_interpreter_call.interpreting", **progress},
        done(ended),
        END,
    )
    assert events == [
        e.HostedTool("code_interpreter", "", "", "ci"),
        e.HostedTool("code_interpreter", "1+1", "", "ci"),
        e.HostedTool("code_interpreter", "", "2", "ci"),
        ProviderItem("openai-responses", ended),
        e.ResponseFinished(1, "end"),
    ]


ASK: Json = {"server_label": "wiki", "name": "ask"}
GONE = {"type": "mcp_protocol_error", "code": 404, "message": "gone"}
PATCH = {"type": "create_file", "path": "a.md", "diff": "+x\n"}
SOURCES = {"queries": ["a", "b"], "sources": [{"url": "https://a"}]}
TOOLS = [{"name": "ask", "input_schema": {}}, {"name": "read", "input_schema": {}}]
PAGE = {"pattern": "p", "url": "https://a"}
CARDS: list[tuple[str, Json, tuple[str, str, str]]] = [
    ("web_search_call", {"action": {"query": "q"}}, ("web_search", "q", "done")),
    ("web_search_call", {"action": SOURCES}, ("web_search", "a\nb", "https://a")),
    ("web_search_call", {"action": {"url": "https://a"}}, ("web_search", "https://a", "done")),
    ("web_search_call", {"action": PAGE}, ("web_search", "p in https://a", "done")),
    (
        "web_search_call",
        {"status": "failed", "action": PAGE},
        ("web_search", "p in https://a", "failed"),
    ),
    (
        "file_search_call",
        {"queries": ["a", "b"], "results": [{"filename": "f.pdf", "text": "words"}]},
        ("file_search", "a\nb", "f.pdf: words"),
    ),
    ("mcp_call", ASK | {"arguments": '{"q":1}', "output": "yes"}, ("wiki/ask", '{"q":1}', "yes")),
    ("mcp_call", ASK | {"arguments": "{}", "error": GONE}, ("wiki/ask", "{}", "failed: gone")),
    ("mcp_list_tools", {"server_label": "w", "tools": TOOLS}, ("w/list_tools", "", "ask\nread")),
    ("mcp_approval_request", ASK | {"arguments": "{}"}, ("wiki/ask", "{}", "")),
    (
        "image_generation_call",
        {"revised_prompt": "a cat", "output_format": "webp", "size": "8x8", "result": "A" * 4000},
        ("image_generation", "a cat", "webp, 8x8, 3 kB"),
    ),
    ("shell_call", {"action": {"commands": ["ls", "pwd"]}}, ("shell", "ls\npwd", "")),
    ("local_shell_call", {"action": {"command": ["ls", "a b"]}}, ("local_shell", "ls 'a b'", "")),
    ("apply_patch_call", {"operation": PATCH}, ("apply_patch", "create_file a.md\n+x", "")),
    ("x_search_call", {"name": "x_find", "arguments": '{"q":1}'}, ("x_find", '{"q":1}', "done")),
    (
        "custom_tool_call",
        {"name": "x_keyword_search", "input": "q"},
        ("x_keyword_search", "q", "done"),
    ),
    ("from_the_future_call", {"glow": 1}, ("from_the_future", "", "done")),
]


@pytest.mark.parametrize(("kind", "fields", "card"), CARDS)
def test_every_kind_of_item_shows_its_input_and_its_result(
    kind: str, fields: Json, card: tuple[str, str, str]
) -> None:
    item = {"type": kind, "id": "i", "status": "completed"} | fields
    events = run(ResponsesDecoder(), added({"id": "i", "type": kind}), done(item), END)
    assert cards(events) == {"i": card}
    assert ProviderItem("openai-responses", item) in events
    assert cards(run(ResponsesDecoder(), done(item), END)) == {"i": card}


def test_a_shell_call_and_its_output_are_one_card_that_prints_as_it_runs() -> None:
    call: Json = {"type": "shell_call", "id": "a", "call_id": "c", "action": {"commands": []}}
    out: Json = {"type": "shell_call_output", "id": "b", "call_id": "c", "output": []}
    printed = {"stdout": "hi\n", "outcome": {"type": "exit", "exit_code": 0}}
    events = run(
        ResponsesDecoder(),
        added(call),
        {"type": "response.shell_call_command.done", "output_index": 0, "command": "echo hi"},
        done(call | {"action": {"commands": ["echo hi"]}}),
        added(out, 1),
        {
            "type": "response.shell_call_output_content.delta",
            "output_index": 1,
            "delta": {"stdout": "hi\n"},
        },
        done(out | {"output": [printed]}, 1),
        END,
    )
    assert cards(events) == {"c": ("shell", "echo hi", "hi")}
    assert e.HostedOutputDelta("c", "hi\n") in events


def test_an_output_without_an_id_belongs_to_the_call_before_it() -> None:
    tools = [{"name": "a", "parameters": {}}]
    events = run(
        ResponsesDecoder(),
        done(
            {"type": "tool_search_call", "id": "t", "call_id": None, "arguments": {"paths": ["a"]}}
        ),
        done({"type": "tool_search_output", "id": "o", "call_id": None, "tools": tools}, 1),
        END,
    )
    assert cards(events) == {"t": ("tool_search", '{"paths":["a"]}', "a")}


def test_a_compaction_is_kept_and_is_no_tool() -> None:
    item: Json = {"type": "compaction", "id": "c", "encrypted_content": "x"}
    events = run(ResponsesDecoder(), added(item), done(item), END)
    assert cards(events) == {}
    assert ProviderItem("openai-responses", item) in events


def test_an_item_whose_id_changes_is_one_card() -> None:
    call: Json = {"type": "web_search_call", "id": "1"}
    events = run(
        ResponsesDecoder(), added(call), done(call | {"id": "2", "action": {"query": "q"}}), END
    )
    assert cards(events) == {"1": ("web_search", "q", "done")}
