"""The line a person approves by: true, one line, nothing hidden in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model.events import ToolArguments
from lfgtui.model.tickets import ALL_TOOLS
from lfgtui.tools import summary


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        (
            "write_file",
            {"path": "a.py", "content": "x\n" * 34},
            "write_file a.py · 34 lines",
        ),
        ("write_file", {"path": "a", "content": "x"}, "write_file a · 1 line"),
        ("run_command", {"command": "python3 -m unittest"}, "$ python3 -m unittest"),
        ("run_command", {"command": "cd a\nls"}, "$ cd a⏎ls"),
        (
            "edit_file",
            {"path": "README.md", "old": "a\nb\nc\nd\n", "new": "a\nB\nC\nX\nd\n"},
            "edit_file README.md · -2 +3 lines",
        ),
        (
            "edit_file",
            {"path": "a", "old": "x", "new": "", "replace_all": True},
            "edit_file a · replace_all: true · -1 +0 lines",
        ),
        ("read_file", {"path": "a"}, "read_file a"),
        ("read_file", {"path": "a", "start_line": 5}, "read_file a · start_line: 5"),
        ("list_files", {}, "list_files"),
        ("list_files", {"path": "src", "pattern": "*.py"}, "list_files *.py · src"),
        ("search_files", {"pattern": "TODO", "glob": "*.c"}, "search_files TODO · *.c"),
        (
            "raed_file",
            {},
            'cannot run: there is no tool "raed_file"; did you mean "read_file"?',
        ),
        (
            "run_command",
            {"cmd": "ls"},
            'cannot run: run_command: there is no argument "cmd"; did you mean "command"?',
        ),
        (
            "read_file",
            {"path": "a", "max_lines": "\ud800"},
            "cannot run: read_file: the arguments have half a surrogate pair in them; leave it out",
        ),
    ],
)
def test_it_says_what_the_call_would_do(name: str, arguments: ToolArguments, line: str) -> None:
    assert summary(name, arguments) == line


def test_what_is_too_long_is_cut_openly_in_the_middle() -> None:
    line = summary("run_command", {"command": "a" * 1_000 + " && rm -rf build"})
    assert line.startswith("$ aaa")
    assert line.endswith("&& rm -rf build")
    assert "[... 418 more characters ...]" in line


@given(
    name=st.sampled_from([*ALL_TOOLS, "none"]),
    arguments=st.text()
    | st.dictionaries(
        st.sampled_from(["path", "command", "content", "old", "new", "pattern", "x"]),
        st.text() | st.integers() | st.none() | st.lists(st.text()),
    ),
)
def test_any_arguments_have_a_summary_of_one_line(name: str, arguments: ToolArguments) -> None:
    assert len(summary(name, arguments).splitlines()) == 1


HIDDEN = (
    *("\u00a0", "\u200b", "\u200d", "\u2003", "\u202e", "\u2066", "\u2800", "\u3000", "\u3164"),
    *("\ufe0f", "\ufeff", "\u034f", "\u115f", "\U000e0041", "\U000e0100", "\x07", "\x7f", "\x9b"),
)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(
    ("name", "argument"),
    [("run_command", "command"), ("write_file", "path"), ("search_files", "pattern")],
)
def test_what_shows_nothing_is_written_out(hidden: str, name: str, argument: str) -> None:
    arguments: ToolArguments = {"content": ""} if name == "write_file" else {}
    assert isinstance(arguments, dict)
    line = summary(name, arguments | {argument: f"a{hidden}b"})
    assert hidden not in line
    assert f"{ord(hidden):02x}b" in line or f"{ord(hidden):x}b" in line


def test_blanks_at_the_ends_are_seen() -> None:
    assert summary("run_command", {"command": " ls "}) == "$ \\x20ls\\x20"
    assert summary("write_file", {"path": "a ", "content": ""}) == "write_file a\\x20 · 0 lines"
    assert summary("run_command", {"command": "  "}) == "$ \\x20\\x20"
