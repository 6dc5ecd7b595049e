"""Results of hosted calls, written for a person."""

import pytest

from lfgtui.providers.wire import hosted_tools

EDIT = "text_editor_code_execution"
RESULTS: list[tuple[object, str]] = [
    (None, "no output"),
    ([], "no output"),
    ("plain", "plain"),
    ([{"title": "A", "url": "https://a"}, {"url": "https://b"}], "A https://a\nhttps://b"),
    ({"type": "web_search_tool_result_error", "error_code": "too_long"}, "failed: too_long"),
    ({"type": "x_error", "error_code": "off", "error_message": "No"}, "failed: off: No"),
    (
        {"stdout": "a\n", "stderr": "b\n", "return_code": 2, "content": [{"file_id": "f1"}]},
        "a\nb\nfailed: exit code 2\nfile f1",
    ),
    (
        [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 1}}],
        "a\nfailed: exit code 1",
    ),
    ([{"stdout": "", "outcome": {"type": "timeout"}}], "failed: timeout"),
    ({"type": f"{EDIT}_create_result", "is_file_update": False}, "file created"),
    ({"type": f"{EDIT}_create_result", "is_file_update": True}, "file changed"),
    ({"type": f"{EDIT}_str_replace_result", "lines": ["-a", "+b"]}, "-a\n+b"),
    ({"type": f"{EDIT}_view_result", "content": "x = 1"}, "x = 1"),
    ({"tool_references": [{"tool_name": "a"}, {"tool_name": "b"}]}, "a, b"),
    ({"tool_references": []}, "no tools"),
    ([{"name": "ask", "input_schema": {}}, {"name": "read", "parameters": {}}], "ask\nread"),
    ({"type": "advisor_redacted_result", "encrypted_content": "x"}, "(encrypted)"),
    ({"url": "https://a", "content": {"title": "A"}}, "A https://a"),
    ([{"type": "logs", "logs": "42"}], "42"),
    ([{"filename": "f.pdf", "text": "words", "score": 1}], "f.pdf: words"),
    ({"type": "image", "url": "data:image/png;base64,AAAA"}, "image/png, 3 bytes"),
    ({"odd": 1}, '{"odd":1}'),
]


@pytest.mark.parametrize(("result", "text"), RESULTS)
def test_a_result_is_written_for_a_person(result: object, text: str) -> None:
    assert hosted_tools.outcome(result) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("no", "failed: no"),
        ({"code": 500, "message": "gone"}, "failed: gone"),
        ({"code": "denied", "message": "gone"}, "failed: denied: gone"),
        ([{"type": "text", "text": "no"}], "failed: no"),
        ({"type": "mcp_tool_execution_error", "content": [{"text": "no"}]}, "failed: no"),
        (None, "failed"),
    ],
)
def test_a_failure_begins_with_that(error: object, text: str) -> None:
    assert hosted_tools.failure(error) == text


def test_a_picture_is_named_by_kind_and_size() -> None:
    assert hosted_tools.picture("webp", "A" * 2_000_000, "512x512") == "webp, 512x512, 1.5 MB"


def test_no_base64_and_no_more_than_a_few_lines_reach_the_screen() -> None:
    text = hosted_tools.outcome({"odd": {"data": ["A" * 100_000]}})
    assert len(text) < 200
    assert "100 kB" in text
    assert len(hosted_tools.outcome("x" * 100_000)) == 2000


def test_an_mcp_tool_is_named_with_its_server() -> None:
    assert hosted_tools.tool_name("wiki", "ask") == "wiki/ask"
    assert hosted_tools.tool_name("", "ask") == "ask"
