"""JSON lines: what is one, and on which line it is wrong."""

from pathlib import Path

import pytest

from lfgtui.errors import SourceError
from lfgtui.text import json_lines, toml_file

HERE = Path("x.jsonl")


def test_each_line_is_a_table_and_blank_ones_are_none() -> None:
    text = '\n{"id": "a", "needs": []}\r\n \n{"id": "b\u2028c"}'
    assert json_lines.parse(HERE, text) == {
        "ticket": [{"id": "a", "needs": []}, {"id": "b\u2028c"}]
    }
    assert toml_file.line_of(text, ("ticket", 1, "id")) == 4
    assert toml_file.line_of(text, ("defaults", "model")) is None


@pytest.mark.parametrize("text", ["{}", ' \n\t{"id": 1}', '[{"id": 1}]', "[\n  {", "[]", "{"])
def test_what_is_meant_as_json_is_known_by_its_beginning(text: str) -> None:
    assert json_lines.is_json(text)


@pytest.mark.parametrize("text", ["", '[["ticket"]]', "[[ticket]]", "a = {}", "['{']", "# {"])
def test_what_may_be_toml_is_toml(text: str) -> None:
    assert not json_lines.is_json(text)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"id": }', "not valid JSON: JSON is malformed: invalid character (byte 7)"),
        ('{"id": "a"} {}', "not valid JSON: JSON is malformed: trailing characters (byte 13)"),
        ("{", "not valid JSON: the object does not end on its line; write one JSON object a line,"),
        ('[{"id": "a"}]', "expected a JSON object: `jq -c '.[]'` splits up a list"),
        ('"a"', "expected a JSON object: write one JSON object a line, as `jq -c` does"),
        ('{"id": ' + "[" * 100_000, "not valid JSON: nested too deeply"),
    ],
)
def test_what_is_no_object_is_refused_at_its_line(line: str, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        json_lines.parse(HERE, '{"id": "a"}\n\n' + line)
    assert (caught.value.line, caught.value.message[: len(why)]) == (3, why)
