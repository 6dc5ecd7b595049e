import json

import pytest

from lfgtui.ui.items.call_summary import call_summary, text_summary
from lfgtui.ui.items.partial_json import PartialObject


def said_of(text: str) -> str:
    partial = PartialObject()
    partial.feed(text)
    return call_summary(partial)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, ""),
        ({"query": "x"}, "x"),
        ({"query": "x", "type": "search"}, "x"),
        ({"type": "search"}, "search"),
        ({"queries": ["x", "y z"]}, "x, y z"),
        ({"url": "https://example.org/", "timeout": 3}, "https://example.org/ · timeout: 3"),
        ({"code": "\nimport os\nprint(1)\n"}, "import os · 3 lines"),
        ({"city": "Paris"}, "Paris"),
        ({"city": "Paris", "unit": "c"}, "city: Paris · unit: c"),
        ({"content": "a\nb\n"}, "2 lines"),
        ({"content": "a\nb\n", "path": "x"}, "x · 2 lines"),
        ({"path": "x", "old": "a", "new": "b\nc"}, "x · 1 → 2 lines"),
        ({"path": "x", "content": ""}, "x"),
        ({"command": "a\nb", "timeout": 3}, "$ a⏎b"),
        ({"command": "view", "path": "x"}, "x · command: view"),
        ({"command": ["ls", "-a"], "env": {}}, "$ ls -a"),
        ({"commands": ["ls", "pwd"], "timeout_ms": None}, "$ ls; pwd"),
        ({"note": "long " * 20, "to": "x"}, "to: x · 1 line"),
        ({"ask": {"deep": [1]}}, '{"deep": [1]}'),
    ],
)
def test_what_a_call_is_about_comes_first(arguments: dict[str, object], said: str) -> None:
    assert said_of(json.dumps(arguments)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"query": "how to', "how to"),
        ('{"max": 1', ""),
        ('{"city": "Par', "city: Par"),
        ('{"max": 1, "query": ', "max: 1"),
        ('{"max": 1, "query": "x', "x · max: 1"),
    ],
)
def test_what_is_not_certain_is_not_said(text: str, said: str) -> None:
    assert said_of(text) == said


def test_what_reorders_or_moves_is_written_out() -> None:
    assert said_of(json.dumps({"path": "a\u202eb\x1b[2J"})) == r"a\u202eb\e[2J"


def test_what_is_given_as_text_is_its_first_line_or_its_list() -> None:
    assert text_summary("import os\r\nprint(1)\r\n") == "import os · 2 lines"
    assert text_summary('["one", "two"]') == "one, two"
    assert text_summary("[not json") == "[not json"
    assert text_summary("") == ""
