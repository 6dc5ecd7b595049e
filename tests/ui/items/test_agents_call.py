"""Cards of calls that an agent makes itself: what it asks for, whole, and what came of it."""

import pytest

from lfgtui.model import events as e
from lfgtui.text.diffs import diff
from tests.ui.fake_live import OPTIONS
from tests.ui.stand import Stand

OLD = "".join(f"line {number}\n" for number in range(1, 11))
NEW = OLD.replace("line 5\n", "five\n5\n")
DIFF = diff(OLD, NEW).text
FILE = "/code/shop/src/cart.py"
EDIT: dict[str, object] = {"filePath": FILE, "oldString": "line 5", "newString": "five\n5"}


def stand(*, width: int = 60, unfolded: bool = False) -> Stand:
    made = Stand(width=width, height=40, workspace="/code/shop")
    if unfolded:
        made.fold("tool")
    return made


def called(
    stand: Stand, name: str, arguments: e.ToolArguments, *more: e.Event, call_id: str = "c"
) -> list[str]:
    """The rows after the call came, with what happened to it."""
    stand.happen(
        e.ToolCallStarted(call_id, name, "agent"),
        e.ToolCallRequested(call_id, name, arguments, origin="agent"),
        *more,
    )
    return [row.text.rstrip() for row in stand.rows()]


def asked(
    name: str,
    arguments: e.ToolArguments,
    summary: str,
    *changes: e.FileChange,
    options: tuple[e.ApprovalOption, ...] = OPTIONS,
    path: str = "",
) -> list[str]:
    question = e.ApprovalRequested("c", name, summary, path=path or FILE, options=options)
    if not path and not changes:
        question = e.ApprovalRequested("c", name, summary, options=options)
    return called(stand(), name, arguments, *changes, question)


@pytest.mark.parametrize(
    ("name", "arguments", "summary"),
    [
        ("Bash", {"command": "pytest -q", "description": "Run the tests"}, "$ pytest -q"),
        ("execute", {"command": ["git", "status"]}, "$ git status"),
        ("Write", {"file_path": FILE, "content": "a\nb\n"}, "src/cart.py · 2 lines"),
        ("edit", EDIT, "src/cart.py · -1 +2 lines"),
        ("read", {"abs_path": "/code/shop/src/cart.py"}, "src/cart.py"),
        ("list", {"path": "/code/shop"}, "."),
        ("read", {"filePath": "/code/shopping/list"}, "/code/shopping/list"),
        ("Grep", {"pattern": "TODO", "path": "/code/shop/src"}, "TODO · src"),
        ("fetch", {"url": "https://example.org/a", "format": "text"}, "https://example.org/a · …"),
        ("other", {"title": "Thinking about it"}, "Thinking about it"),
        ("think", {}, ""),
    ],
)
def test_the_line_says_what_it_is_about(
    name: str, arguments: dict[str, object], summary: str
) -> None:
    line = called(stand(), name, arguments)[-1]
    text, _, seconds = line[4:].rpartition(" 0 s")
    head, dots, _ = f"{name}  {summary}".partition("…")
    assert text.startswith(head) if dots else text.rstrip() == head.rstrip()
    assert seconds == ""


def test_a_command_is_asked_about_exactly() -> None:
    rows = asked("Bash", {"command": "make deploy", "cwd": "/tmp"}, "$ make deploy")
    assert rows[-4:] == [
        "▾ ? Bash  $ make deploy                       needs approval",
        "  │ cwd: /tmp",
        "  │ $ make deploy",
        "  │ a approve · A rules… · d deny",
    ]


@pytest.mark.parametrize(
    ("command", "summary"),
    [
        ("rm -rf build", "Clean up (rm -rf build)"),
        ("make deploy --force", "$ make deploy"),
        ("echo\u200b 1", "$ echo\\u200b 1"),
        ("one\ntwo", "$ one⏎two"),
        ("x" * 700, "$ " + "x" * 700),
    ],
)
def test_a_question_in_the_agents_own_words_hides_no_command(command: str, summary: str) -> None:
    rows = asked("Bash", {"command": command}, summary)
    text = "".join(row.removeprefix("  │ ") for row in rows)
    assert "command:" in text
    assert command.replace("\u200b", "\\u200b").replace("\n", "  ") in text


def test_a_path_in_the_agents_words_is_shown_beside_them_all_the_same() -> None:
    rows = asked("Write", {"path": "/etc/passwd"}, "Write /etc/passwd.bak")
    assert "  │ path: /etc/passwd" in rows


def test_a_change_is_shown_whole_with_its_path_and_what_is_not_in_it() -> None:
    change = e.FileChange("c", FILE, DIFF)
    rows = asked("edit", {**EDIT, "replaceAll": True}, "edit src/cart.py", change)
    assert rows[-15:] == [
        "▾ ? edit  src/cart.py · replaceAll: … +2 −1 · needs approval",
        f"  │ filePath: {FILE}",
        "  │ replaceAll: true",
        *(f"  │ {row}" for row in numbered()),
        "  │ edit src/cart.py",
        "  │ a approve · A rules… · d deny",
    ]


def numbered() -> list[str]:
    body = ["2   line 2", "3   line 3", "4   line 4", "5 - line 5", "5 + five", "6 + 5"]
    return [
        "@@ -2,7 +2,8 @@",
        *(f" {row}" for row in [*body, "7   line 6", "8   line 7", "9   line 8"]),
    ]


def test_arguments_that_say_something_else_than_the_diff_are_shown() -> None:
    change = e.FileChange("c", FILE, DIFF)
    rows = asked("edit", {**EDIT, "newString": "rm -rf ~"}, "edit", change)
    assert "  │ newString: rm -rf ~" in rows


def test_a_file_that_stands_in_no_argument_is_named() -> None:
    rows = asked("edit", {"diff": DIFF}, "edit", e.FileChange("c", FILE, DIFF))
    assert f"  │ file: {FILE}" in rows and not any("diff:" in row for row in rows)
    assert "src/cart.py" in rows[-14]


def test_changes_of_several_files_are_all_shown() -> None:
    other = e.FileChange("c", "/code/shop/b", "@@ -0,0 +1,1 @@\n+b\n")
    rows = asked("edit", {"edits": "2"}, "edit", e.FileChange("c", FILE, DIFF), other)
    assert f"  │ {FILE}:" in rows and "  │ /code/shop/b:" in rows
    assert any(row.endswith("+ five") for row in rows) and any(row.endswith("+ b") for row in rows)
    assert "+3 −1 · needs approval" in "\n".join(rows)


def test_arguments_that_are_no_object_are_shown_to_their_end() -> None:
    text = "\n".join(f"step {number}" for number in range(100))
    assert "  │ step 99" in asked("patch", text, "patch")


def test_where_an_agent_has_only_lasting_answers_the_keys_say_so() -> None:
    lasting = tuple(one for one in OPTIONS if one.kind.endswith("always"))
    rows = asked("Bash", {"command": "ls"}, "$ ls", options=lasting)
    keys = "a approve (Always allow) · A rules… · d deny (Never allow)"
    assert " ".join(row.removeprefix("  │ ") for row in rows[-2:]) == keys


def test_a_change_that_was_made_is_shown_with_the_answer_that_allowed_it() -> None:
    it = stand(unfolded=True)
    rows = called(
        it,
        "edit",
        EDIT,
        e.FileChange("c", FILE, DIFF),
        e.ApprovalRequested("c", "edit", "edit", options=OPTIONS),
        e.ApprovalGiven("c", option="Always allow"),
        e.ToolRunStarted("c"),
        e.ToolCallFinished("c", "Edited.", None, None, 0.2),
    )
    line = next(row for row in rows if "edit" in row)
    assert line.startswith("▾ ✓ edit  src/cart.py") and line.endswith("+2 −1 · 0.2 s")
    assert "  │ answered: Always allow" in rows and "  │ + five" in rows
    assert "  │ Edited." in rows
    assert it.find("five") == 1


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ((e.ToolCallFinished("c", "boom", "boom", 2, 0.2),), "exit 2"),
        ((e.ToolCallFinished("c", "boom", "boom", None, 0.2),), "failed"),
        ((e.ResponseFinished(1, "stopped"),), "stopped"),
        (
            (
                e.ApprovalRequested("c", "Bash", "ls"),
                e.ApprovalDenied("c", "no", "Never allow"),
                e.ToolCallFinished("c", "", "rejected", None, 0.0),
            ),
            "denied",
        ),
    ],
)
def test_how_it_ended_is_in_the_line(ending: tuple[e.Event, ...], state: str) -> None:
    rows = called(stand(unfolded=True), "Bash", {"command": "ls"}, *ending)
    assert state in next(row for row in rows if "Bash" in row)
