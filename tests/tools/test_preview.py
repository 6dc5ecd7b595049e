"""What a person approves by: a true line, a true diff, nothing hidden in either."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lfgtui.errors import ToolError
from lfgtui.model.events import ToolArguments
from lfgtui.model.ticket_keys.approvals import ALL_TOOLS
from lfgtui.text.diffs import LONGEST_LINE, MOST_LINES, diff
from lfgtui.tools import Preview, ToolLimits, preview

from .conftest import Call

each_example = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def previewed(workspace: Path, name: str, arguments: ToolArguments) -> Preview:
    return preview(name, arguments, workspace, ToolLimits(max_file_bytes=1_000_000))


def refused(workspace: Path, name: str, **arguments: object) -> str:
    """Why there is nothing to ask about."""
    with pytest.raises(ToolError) as caught:
        previewed(workspace, name, arguments)
    return str(caught.value)


# The line


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("run_command", {"command": "python3 -m unittest"}, "$ python3 -m unittest"),
        ("run_command", {"command": "cd a\nls"}, "$ cd a⏎ls"),
        ("read_file", {"path": "a"}, "read_file a"),
        ("read_file", {"path": "a", "start_line": 5}, "read_file a · start_line: 5"),
        ("list_files", {}, "list_files"),
        ("list_files", {"path": "src", "pattern": "*.py"}, "list_files *.py · src"),
        ("search_files", {"pattern": "TODO", "glob": "*.c"}, "search_files TODO · *.c"),
        ("write_file", {"path": "src/a.py", "content": "x\n" * 40}, "create src/a.py (40 lines)"),
        ("write_file", {"path": "new", "content": "x"}, "create new (1 line)"),
        ("write_file", {"path": "ten", "content": "1\nB\nC\n"}, "overwrite ten (+2 −9)"),
        ("write_file", {"path": "empty", "content": "1\n2\n"}, "overwrite empty (+2 −0)"),
        ("write_file", {"path": "empty", "content": ""}, "overwrite empty (no changes)"),
        ("edit_file", {"path": "ten", "old": "2\n3\n", "new": "2\nX\nY\n"}, "edit ten (+2 −1)"),
        (
            "edit_file",
            {"path": "ten", "old": "1", "new": "", "replace_all": True},
            "edit ten (+2 −2)",
        ),
        (
            "edit_file",
            {"path": "link", "old": "1\n2", "new": "1"},
            "edit link (+0 −1), through a link to ten",
        ),
    ],
)
def test_the_line_says_what_the_call_would_do_and_how_much(
    workspace: Path, name: str, arguments: ToolArguments, line: str
) -> None:
    (workspace / "ten").write_text("".join(f"{n}\n" for n in range(1, 11)))
    (workspace / "empty").write_text("")
    (workspace / "link").symlink_to("ten")
    assert previewed(workspace, name, arguments).summary == line


def test_what_is_too_long_is_cut_openly_in_the_middle(workspace: Path) -> None:
    command = "a" * 1_000 + " && rm -rf build"
    line = previewed(workspace, "run_command", {"command": command}).summary
    assert line.startswith("$ aaa")
    assert line.endswith("&& rm -rf build")
    assert "[... 418 more characters ...]" in line


def test_a_file_that_becomes_utf_8_is_named(workspace: Path) -> None:
    (workspace / "a").write_bytes("é\n".encode("utf-16"))
    asked = previewed(workspace, "write_file", {"path": "a", "content": "é\n"})
    assert asked.summary == "overwrite a (no changes, utf-16-le becomes utf-8)"


@each_example
@given(
    name=st.sampled_from([*ALL_TOOLS, "none"]),
    arguments=st.text()
    | st.dictionaries(
        st.sampled_from(["path", "command", "content", "old", "new", "pattern", "x"]),
        st.text() | st.integers() | st.none() | st.lists(st.text()),
    ),
)
def test_any_call_has_a_line_of_text(workspace: Path, name: str, arguments: ToolArguments) -> None:
    try:
        line = previewed(workspace, name, arguments).summary
    except ToolError as error:
        line = str(error)
    assert line.isprintable() or len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("raed_file", {}, 'there is no tool "raed_file"; did you mean "read_file"?'),
        ("edit_file", {"path": "a", "old": "x", "new": "y"}, '"old" is not in a'),
        ("edit_file", {"path": "b", "old": "x", "new": "y"}, 'there is no "b"'),
        ("write_file", {"path": "../b", "content": ""}, "leads outside the workspace"),
        ("write_file", {"path": "folder", "content": ""}, '"folder" is a folder, not a file'),
        ("write_file", {"path": ".git/config", "content": ""}, "is in .git"),
        (
            *("write_file", {"path": "binary", "content": "x"}),
            "so nobody could see what would be lost; move it first",
        ),
        ("write_file", {"path": "huge", "content": "x"}, "more than the 1,000,000"),
    ],
)
def test_there_is_no_question_about_what_cannot_run_or_be_shown(
    workspace: Path, name: str, arguments: dict[str, object], why: str
) -> None:
    (workspace / "a").write_text("one\n")
    (workspace / "folder").mkdir()
    (workspace / "binary").write_bytes(b"\0\1\2")
    (workspace / "huge").write_bytes(b"x" * 1_000_001)
    assert why in refused(workspace, name, **arguments)


# The diff


BEFORE = "".join(f"line {n}\n" for n in range(1, 31))


def diff_of(before: str, after: str) -> list[str]:
    return diff(before, after).text.splitlines()


def test_a_file_that_is_created_is_all_added(workspace: Path) -> None:
    asked = previewed(workspace, "write_file", {"path": "a", "content": "one\ntwo"})
    assert asked.diff == "@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"


def test_changes_stand_in_three_lines_of_context() -> None:
    after = BEFORE.replace("line 5\n", "").replace("line 20\n", "line XX\nand more\n")
    assert diff_of(BEFORE, after) == [
        *("@@ -2,7 +2,6 @@", " line 2", " line 3", " line 4", "-line 5"),
        *(" line 6", " line 7", " line 8"),
        *("@@ -17,7 +16,8 @@", " line 17", " line 18", " line 19", "-line 20"),
        *("+line XX", "+and more", " line 21", " line 22", " line 23"),
    ]


def test_a_last_line_without_its_newline_is_another_line() -> None:
    end = "\\ No newline at end of file"
    assert diff_of("a\n", "a") == ["@@ -1,1 +1,1 @@", "-a", "+a", end]
    assert diff_of("a", "a\n") == ["@@ -1,1 +1,1 @@", "-a", end, "+a"]


def test_line_endings_are_shown_where_they_change_and_only_there() -> None:
    assert diff_of("a\r\nb\r\n", "a\r\nc\r\n") == ["@@ -1,2 +1,2 @@", " a", "-b", "+c"]
    assert diff_of("a\r\n", "a\n") == ["@@ -1,1 +1,1 @@", "-a␍", "+a"]
    assert diff_of("", "a\r\n") == ["@@ -0,0 +1,1 @@", "+a␍"]


def test_a_return_that_ends_no_line_is_shown() -> None:
    end = "\\ No newline at end of file"
    assert diff_of("", "a\r") == ["@@ -0,0 +1,1 @@", "+a␍", end]
    assert diff_of("a", "a\r") == ["@@ -1,1 +1,1 @@", "-a", end, "+a␍", end]
    assert diff_of("a\r\nb", "a\r\nb\r")[2:] == ["-b", end, "+b␍", end]


def test_blanks_at_the_end_of_a_changed_line_are_seen() -> None:
    assert diff_of("a\nb \n", "a \t\nb \n") == ["@@ -1,2 +1,2 @@", "-a", "+a\\x20\\t", " b "]


@pytest.mark.parametrize(
    "hidden", ["\x1b[2J", "\x9b2J", "\u202e", "\u200b", "\x00", "\u2028", "\x0c"]
)
def test_nothing_in_a_diff_can_control_a_terminal_or_hide(hidden: str) -> None:
    for text in (
        diff(f"{hidden}\nold\n", f"{hidden}\nnew\n").text,
        diff(f"{hidden}\n", "").text,
        diff("", f"{hidden}").text,
    ):
        assert hidden not in text
        assert text.replace("\n", "").isprintable()


def test_a_long_line_is_left_out_openly_if_it_stays_and_refused_if_it_changes() -> None:
    long = "x" * (LONGEST_LINE + 1)
    assert diff_of(f"{long}\na\n", f"{long}\nb\n")[1] == " [... 10,001 characters ...]"
    with pytest.raises(ToolError, match="too long to approve: 10,001 characters"):
        diff(f"{long}\n", "b\n")


def test_a_diff_too_long_to_be_read_is_refused() -> None:
    assert diff("x\n" * (MOST_LINES - 1), "").removed == MOST_LINES - 1
    with pytest.raises(ToolError, match="the diff is too long to approve: 3,001 changed"):
        diff("x\n" * MOST_LINES, "y\n")
    with pytest.raises(ToolError, match="the diff is too long to approve: 20,000"):
        diff("x\ny\n" * 5_000, "y\nz\n" * 5_000)


def test_few_edits_far_apart_in_a_long_file_are_few_lines(workspace: Path) -> None:
    lines = [f"line {n}\n" for n in range(100_000)]
    for at in (10, 50_000, 99_990):
        lines[at] = "HERE\n"
    (workspace / "a").write_text("".join(lines))
    limits = ToolLimits()
    edit: ToolArguments = {"path": "a", "old": "HERE\n", "new": "one\ntwo\n", "replace_all": True}
    asked = preview("edit_file", edit, workspace, limits)
    assert asked.summary == "edit a (+6 −3)"
    assert [row for row in asked.diff.splitlines() if row.startswith("@@")] == [
        *("@@ -8,7 +8,8 @@", "@@ -49998,7 +49999,8 @@", "@@ -99988,7 +99990,8 @@")
    ]


def patched(before: str, changes: str) -> str:
    """The text after the diff, as `patch` would make it."""
    old, new = before.splitlines(keepends=True), list[str]()
    unread = 0
    for row in re.sub(r"\n\\ No newline.*", "\0", changes).splitlines(keepends=True):
        sign, text = row[:1], row[1:].replace("\0\n", "")
        if sign == "@":
            first, count = map(int, row.split()[1][1:].split(","))
            begin = first - (count > 0)
            new += old[unread:begin]
            unread = begin
        elif sign in " -":
            assert old[unread] == text
            unread += 1
            new += [text] if sign == " " else []
        else:
            new.append(text)
    return "".join([*new, *old[unread:]])


texts = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "aab\n"]), max_size=30).map("".join)


@given(texts, texts)
def test_whatever_is_written_the_diff_leads_from_what_is_there_to_it(one: str, other: str) -> None:
    assert patched(one, diff(one, other).text) == other


@each_example
@given(
    texts, st.sampled_from(["a", "b\n", "\n", "a\nb", "a\na"]), st.sampled_from(["", "c", "b\n\n"])
)
def test_whatever_is_edited_the_diff_leads_to_what_the_tool_then_makes(
    workspace: Path, call: Call, before: str, old: str, new: str
) -> None:
    (workspace / "a").write_text(before + "end\n")
    arguments = {"path": "a", "old": old, "new": new, "replace_all": True}
    assume(old in before)
    changes = previewed(workspace, "edit_file", arguments).diff
    assert call("edit_file", **arguments).error is None
    assert patched(before + "end\n", changes) == (workspace / "a").read_text()


def test_another_version_of_the_file_is_another_question(workspace: Path) -> None:
    def asked() -> Iterator[Preview]:
        for name, arguments in (
            ("write_file", {"path": "a", "content": "x\n"}),
            ("edit_file", {"path": "a", "old": "line 5\n", "new": ""}),
        ):
            yield previewed(workspace, name, dict[str, object](arguments))

    (workspace / "a").write_text(BEFORE)
    before = list(asked())
    assert before == list(asked())
    (workspace / "a").write_text(BEFORE + "more\n")
    for one, other in zip(before, asked(), strict=True):
        assert one != other


# What cannot be seen


HIDDEN = (
    *("\u00a0", "\u200b", "\u200d", "\u2003", "\u202e", "\u2066", "\u2800", "\u3000", "\u3164"),
    *("\ufe0f", "\ufeff", "\u034f", "\u115f", "\U000e0041", "\U000e0100", "\x07", "\x7f", "\x9b"),
)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(
    ("name", "argument"),
    [("run_command", "command"), ("write_file", "path"), ("search_files", "pattern")],
)
def test_what_is_unseen_is_escaped(workspace: Path, hidden: str, name: str, argument: str) -> None:
    arguments: ToolArguments = {"content": ""} if name == "write_file" else {}
    assert isinstance(arguments, dict)
    line = previewed(workspace, name, arguments | {argument: f"a{hidden}b"}).summary
    assert hidden not in line
    assert f"{ord(hidden):02x}b" in line or f"{ord(hidden):x}b" in line


def test_blanks_at_the_ends_are_seen(workspace: Path) -> None:
    def line(name: str, **arguments: object) -> str:
        return previewed(workspace, name, arguments).summary

    assert line("run_command", command=" ls ") == "$ \\x20ls\\x20"
    assert line("write_file", path="a ", content="") == "create a\\x20 (0 lines)"
    assert line("run_command", command="  ") == "$ \\x20\\x20"
