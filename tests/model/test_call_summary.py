"""A call in one line: what it is about, and nothing that is not certain."""

import json

import pytest

from lfgtui.model.call_summary import call_summary, members_summary, program
from lfgtui.model.events import ToolArguments
from lfgtui.ui.items.partial_json import PartialObject


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
        ({"path": "x", "old": "a\nb", "new": "a\nc\nd"}, "x · -1 +2 lines"),
        ({"path": "x", "content": ""}, "x · 0 lines"),
        ({"path": "x", "glob": "*.py", "pattern": "a"}, "a · x · *.py"),
        ({"command": "a\nb", "timeout": 3}, "$ a⏎b"),
        ({"command": "view", "path": "x"}, "x · command: view"),
        ({"command": ["ls", "-a"], "env": {}}, "$ ls -a"),
        ({"commands": ["ls", "pwd"], "timeout_ms": None}, "$ ls; pwd"),
        ({"note": "long " * 20, "to": "x"}, "to: x · 1 line"),
        ({"ask": {"deep": [1]}}, 'ask: {"deep": [1]}'),
    ],
)
def test_what_a_call_is_about_comes_first(arguments: dict[str, object], said: str) -> None:
    assert call_summary(arguments) == said
    partial = PartialObject()
    partial.feed(json.dumps(arguments))
    assert members_summary(partial.members.values()) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"query": "how to', "how to"),
        ('{"max": 1', ""),
        ('{"city": "Par', "city: Par"),
        ('{"max": 1, "query": ', "max: 1"),
        ('{"max": 1, "query": "x', "x · max: 1"),
        ('{"path": "x", "old": "a", "new": "b\\nc', "x · 1 → 2 lines"),
    ],
)
def test_what_is_not_certain_is_not_said(text: str, said: str) -> None:
    partial = PartialObject()
    partial.feed(text)
    assert members_summary(partial.members.values()) == said


def test_what_reorders_or_moves_is_written_out() -> None:
    assert call_summary({"path": "a\u202eb\x1b[2J"}) == r"a\u202eb\e[2J"


def test_what_is_given_as_text_is_its_first_line_or_its_list() -> None:
    assert call_summary("import os\r\nprint(1)\r\n") == "import os · 2 lines"
    assert call_summary('["one", "two"]') == "one, two"
    assert call_summary("[not json") == "[not json"
    assert call_summary("") == ""


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("make", "make"),
        ("cd app && CI=1 python3 -m pytest -q", "pytest"),
        ("sudo timeout -k 5 60s /usr/bin/npm run x", "npm"),
        ("(cd a; ./run.sh 2>&1) | tail", "run.sh"),
        ("echo hi >x\n/usr/bin/env FOO=1 cargo build", "cargo"),
        ("for suite in a b; do CI=1 python -m pytest $suite; done", "pytest"),
        ("cd a\nwhile read name\ndo\n  make $name\ndone <names", "make"),
        ("if [ -f x ] && ! (grep -q x y); then npm test; fi", "grep"),
        ("if test -f x; then { npm test; }; fi", "npm"),
        ("sleep 5", "sleep"),
        ("FOO=1", ""),
        ("", ""),
    ],
)
def test_the_program_of_a_command_is_the_one_that_matters(command: str, name: str) -> None:
    assert program({"command": command}) == name


@pytest.mark.parametrize("arguments", [None, "make", {"path": "x"}, {"command": ["ls"]}])
def test_what_is_no_command_has_no_program(arguments: ToolArguments | None) -> None:
    assert program(arguments) == ""
