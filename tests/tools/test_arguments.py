"""What the model is told of the tools, and what it is told of its mistakes."""

import msgspec
import pytest

from lfgtui.errors import ToolError
from lfgtui.model.events import ToolArguments
from lfgtui.model.ticket_keys.approvals import ALL_TOOLS
from lfgtui.tools import TOOLS
from lfgtui.tools.arguments import Arguments, ListFiles, ReadFile, RunCommand, WriteFile, parse


def test_there_is_a_tool_for_every_name_a_ticket_may_list() -> None:
    assert tuple(TOOLS) == ALL_TOOLS


@pytest.mark.parametrize("name", ALL_TOOLS)
def test_a_schema_is_a_plain_object_schema_that_describes_every_property(name: str) -> None:
    tool = TOOLS[name]
    assert tool.description.endswith(".")
    assert tool.parameters["type"] == "object"
    assert tool.parameters["additionalProperties"] is False
    properties = tool.parameters["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == set(tool.arguments.__struct_fields__)
    for schema in properties.values():
        assert schema["type"] in {"string", "integer", "number", "boolean"}
        assert schema["description"].endswith(".")
    assert b"$ref" not in msgspec.json.encode(tool.parameters)


def test_arguments_that_can_be_left_out_are_not_required() -> None:
    assert TOOLS["read_file"].parameters["required"] == ["path"]
    assert not TOOLS["list_files"].parameters.get("required")


@pytest.mark.parametrize(
    ("name", "arguments", "parsed"),
    [
        ("read_file", {"path": "a", "start_line": 3}, ReadFile("a", 3)),
        # A number in quotes is taken for a number, and null for left out.
        ("read_file", {"path": "a", "start_line": "3", "max_lines": None}, ReadFile("a", 3)),
        ("run_command", {"command": "ls", "timeout": "2.5"}, RunCommand("ls", 2.5)),
        ("list_files", "", ListFiles()),
        ("write_file", {"path": "a", "content": ""}, WriteFile("a", "")),
    ],
)
def test_arguments_become_values_where_their_meaning_is_plain(
    name: str, arguments: ToolArguments, parsed: Arguments
) -> None:
    assert parse(name, arguments) == parsed


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("raed_file", {}, 'there is no tool "raed_file"; did you mean "read_file"?'),
        ("read_file", {}, 'the argument "path" is missing; send {"path": ..., "start_line"?: ...,'),
        ("read_file", {"path": None}, 'the argument "path" is missing'),
        ("read_file", {"path": "a", "start_lin": 1}, '"start_lin"; did you mean "start_line"?'),
        ("read_file", {"path": 3}, '"path": expected a string, got an integer'),
        ("read_file", {"path": ""}, '"path": expected a string that is not empty'),
        ("read_file", {"path": "a", "start_line": "b"}, "expected an integer, got a string"),
        ("read_file", {"path": "a", "start_line": 0}, "expected an integer of at least 1"),
        ("run_command", {"command": "ls", "timeout": 0}, "expected a number above 0"),
        ("list_files", {"path": [1]}, '"path": expected a string, got an array'),
        ("write_file", '{"path": "a", "con', "the arguments are not a JSON object: "),
    ],
)
def test_a_mistake_is_named_and_explained(name: str, arguments: ToolArguments, said: str) -> None:
    with pytest.raises(ToolError) as caught:
        parse(name, arguments)
    assert said in str(caught.value)
