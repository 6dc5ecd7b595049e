"""Tool calls while their arguments arrive, and those that only stand in the text."""

import json
from pathlib import Path

import pytest
from msgspec import UNSET

from lfgtui.model import events as e
from lfgtui.model.fold.items import SETUP
from lfgtui.tools import ToolLimits, preview
from tests.ui.stand import Stand

CONTENT = "".join(f"line {number}\n" for number in range(1, 43))


def stand_of(name: str, *, width: int = 50, unfolded: bool = False, origin: bool = False) -> Stand:
    stand = Stand(width=width, height=40)
    if unfolded:
        stand.fold("tool")
    started = e.ToolCallStarted("c", name)
    stand.happen(e.ToolCallStarted("c", name, "text") if origin else started)
    return stand


def arrive(stand: Stand, json_text: str) -> None:
    stand.happen(e.ToolArgumentsDelta("c", json_text))


def card(stand: Stand) -> list[str]:
    """The rows of the card, without the prompt above it."""
    return [row.text.rstrip() for row in stand.rows()[1:]]


def line(stand: Stand) -> str:
    """The card's line, without marker and sign."""
    return card(stand)[0][4:]


def test_the_path_is_in_the_line_once_it_is_there_then_the_count_of_lines() -> None:
    stand = stand_of("write_file")
    assert line(stand) == "write_file"
    for piece, said in (
        ('{"pa', ""),
        ('th": "src/a', "src/a"),
        ('pp.py", "cont', "src/app.py"),
        ('ent": "import os', "src/app.py · 1 line"),
        ("\\nimport sys\\", "src/app.py · 2 lines"),
        ("nx", "src/app.py · 3 lines"),
        ('\\n"}', "src/app.py · 3 lines"),
    ):
        arrive(stand, piece)
        assert line(stand) == f"write_file  {said}".rstrip()


def test_arguments_that_are_complete_are_summed_up_as_they_will_be() -> None:
    arguments = {"path": "a.py", "old": "x\ny\n", "new": "x\nz\nz\n"}
    stand = stand_of("edit_file")
    arrive(stand, json.dumps(arguments))
    early = line(stand)
    stand.happen(e.ToolCallRequested("c", "edit_file", dict[str, object](arguments)))
    assert early == line(stand) == "edit_file  a.py · -1 +2 lines"


def test_an_edit_tells_how_many_lines_become_how_many() -> None:
    stand = stand_of("edit_file")
    arrive(stand, '{"path": "a.py", "old": "x\\ny')
    assert line(stand) == "edit_file  a.py · 2 lines"
    arrive(stand, '", "new": "1\\n2\\n3')
    assert line(stand) == "edit_file  a.py · 2 → 3 lines"


def test_a_command_grows_in_the_line() -> None:
    stand = stand_of("run_command")
    arrive(stand, '{"command": "pytest -q \\u00')
    assert line(stand) == "run_command  $ pytest -q"
    arrive(stand, '2d\\u001b[2J\\n"')
    assert line(stand) == r"run_command  $ pytest -q -\e[2J⏎"


def test_unfolded_the_end_of_the_content_is_seen_to_grow() -> None:
    stand = stand_of("write_file", unfolded=True)
    text = json.dumps({"path": "a.txt", "content": CONTENT})
    arrive(stand, text[: text.index("line 31") + 6])
    shown = [row.removeprefix("  │ ") for row in card(stand)]
    assert shown[1:4] == ["path: a.txt", "content:", "  … 19 more lines"]
    assert shown[4:] == [f"  line {number}" for number in range(20, 31)] + ["  line 3"]
    arrive(stand, "1\\nli")
    assert card(stand)[-2:] == ["  │   line 31", "  │   li"]
    assert len(card(stand)) == len(shown)


def test_once_it_is_requested_the_beginning_is_shown() -> None:
    stand = stand_of("write_file", unfolded=True)
    arguments: dict[str, object] = {"path": "a.txt", "content": CONTENT}
    arrive(stand, json.dumps(arguments))
    early = card(stand)
    stand.happen(e.ToolCallRequested("c", "write_file", arguments))
    assert card(stand)[1:] == early[1:]
    assert early[3:5] == ["  │   line 1", "  │   line 2"]
    assert early[-1] == "  │   … 18 more lines"


def test_what_an_edit_removes_and_adds_is_marked() -> None:
    stand = stand_of("edit_file", unfolded=True)
    arrive(stand, '{"path": "a", "old": "one\\ntwo", "new": "1\\n2')
    assert card(stand)[2:] == [
        *("  │ old:", "  │ - one", "  │ - two"),
        *("  │ new:", "  │ + 1", "  │ + 2"),
    ]


@pytest.mark.parametrize("text", ["no json", '{"path": "a"} and more', '["path"]', '{"a": tru}'])
def test_what_is_no_object_is_shown_as_it_came(text: str) -> None:
    stand = stand_of("write_file", unfolded=True)
    arrive(stand, text)
    assert line(stand) == f"write_file  {text}"
    assert card(stand)[1:] == [f"  │ {text}"]


def test_a_number_is_shown_when_it_is_over_and_json_as_json() -> None:
    stand = stand_of("read_file", unfolded=True)
    arrive(stand, '{"path": "a", "start_line": 1')
    assert card(stand)[2] == "  │ start_line:"
    arrive(stand, '2, "deep": {"is": [true, "a\\u00')
    assert card(stand)[2:] == ["  │ start_line: 12", '  │ deep: {"is": [true, "a']
    arrive(stand, 'e9", null]}}')
    arguments = json.loads('{"path": "a", "start_line": 12, "deep": {"is": [true, "aé", null]}}')
    stand.happen(e.ToolCallRequested("c", "read_file", arguments))
    assert card(stand)[2:] == ["  │ start_line: 12", '  │ deep: {"is": [true, "aé", null]}']


def test_a_call_that_never_began_is_shown_as_not_run() -> None:
    stand = stand_of("write_file")
    stand.happen(
        e.ToolCallRequested("c", "write_file", {"path": "a.txt"}),
        e.ResponseFinished(1, "tool_use"),
        e.ToolCallFinished("c", "not run: the person watching stopped this", "not run", None, 0.0),
    )
    assert card(stand)[0].startswith("▸ ■ write_file  a.txt")
    assert card(stand)[0].endswith("  not run")


def test_a_call_cut_short_keeps_what_came() -> None:
    stand = stand_of("write_file", unfolded=True)
    arrive(stand, json.dumps({"path": "a.txt", "content": CONTENT})[:-40])
    stand.happen(e.TicketCancelled())
    assert card(stand)[0].startswith("▾ ■ write_file  a.txt · 38 lines")
    assert card(stand)[0].endswith("stopped")
    assert card(stand)[3] == "  │   line 1"


def test_a_call_in_the_text_is_shown_as_it_came_and_says_that_it_is_not_run() -> None:
    stand = stand_of("tool_call", width=70, origin=True)
    arrive(stand, '<tool_call>\n{"name": "f"}')
    assert card(stand)[0].endswith("written as text, not run")
    stand.happen(e.ResponseFinished(1, "end"))
    assert card(stand)[0].startswith('▸ ¶ tool_call  <tool_call> {"name": "f"} ')
    assert card(stand)[0].endswith("written as text, not run")
    assert stand.lines.views[-1].is_settled
    stand.happen(e.TicketDone("end"))
    stand.fold("tool")
    assert card(stand)[0].startswith("▾ ¶ tool_call")
    assert [row.lstrip(" │") for row in card(stand)[1:3]] == ["<tool_call>", '{"name": "f"}']


def test_a_line_without_end_costs_no_more_rows_than_any_other() -> None:
    stand = stand_of("write_file", unfolded=True)
    arrive(stand, '{"content": "' + "x" * 100_000)
    rows = card(stand)
    assert len(rows) == 15
    assert rows[2] == "  │   … 99,484 more characters"
    arrive(stand, '"}')
    stand.happen(e.ToolCallRequested("c", "write_file", {"content": "x" * 100_000}))
    assert len(card(stand)) < 30


def test_nothing_in_arguments_reaches_the_terminal_raw() -> None:
    stand = stand_of("write_file", unfolded=True)
    arrive(stand, '{"path": "\\u001b]0;x\\u0007", "content": "\\u009b2J\\n\\u202e\\ud800\\n')
    shown = "".join(card(stand))
    assert shown.isprintable()


def test_what_arrives_is_found() -> None:
    stand = stand_of("write_file", width=30, unfolded=True)
    arrive(stand, '{"path": "a", "content": "one\\ntwo words that are wrapped over an edge')
    assert stand.find("words that are wrapped over") == 1
    arrive(stand, "\\none")
    assert stand.find("one") == 2


# Requests for approval


def asking(
    folder: Path, name: str, arguments: dict[str, object], *, width: int = 50, diff: str = ""
) -> list[str]:
    """The rows of a call that waits for a person."""
    stand = stand_of(name, width=width)
    asked = preview(name, arguments, folder, ToolLimits())
    stand.happen(e.ToolCallRequested("c", name, arguments), e.ResponseFinished(1, "tool_use"))
    stand.happen(e.ApprovalRequested("c", name, asked.summary, diff or asked.diff or UNSET))
    return card(stand)


def test_all_of_a_command_is_shown_to_who_is_asked_about_it(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(600)]
    command = "cat <<EOF\n" + " ".join(words) + "\nEOF"
    rows = asking(tmp_path, "run_command", {"command": command})
    assert not any("more" in row for row in rows)
    shown = "".join(row.removeprefix("  │").strip() for row in rows)
    assert all(word in shown for word in words)


def test_a_command_of_one_long_line_is_shown_whole(tmp_path: Path) -> None:
    command = "echo " + "".join(f"{number:05}" for number in range(999))
    rows = asking(tmp_path, "run_command", {"command": command})
    assert not any("more" in row for row in rows)
    assert command.replace(" ", "") in "".join(row.removeprefix("  │ ") for row in rows[1:])
    assert "(5,000 characters)" in rows[-2]


@pytest.mark.parametrize(
    ("hidden", "shown"), [("\x1b]0;x\x07", "␛]0;x␇"), ("\u202e", "\\u202e"), ("\r", "␍")]
)
def test_control_characters_of_a_command_are_seen(tmp_path: Path, hidden: str, shown: str) -> None:
    rows = asking(tmp_path, "run_command", {"command": f"echo a{hidden}b\nls"})
    assert f"  │   echo a{shown}b" in rows


def test_a_question_does_not_repeat_a_command_that_stands_above_it(tmp_path: Path) -> None:
    command = "python3 - <<'END'\nprint(1)\nprint(2)\nEND\n"
    assert asking(tmp_path, "run_command", {"command": command})[1:] == [
        "  │ command:",
        "  │   python3 - <<'END'",
        "  │   print(1)",
        "  │   print(2)",
        "  │   END",
        "  │ $ python3 - <<'END' … (4 lines)",
        "  │ a approve · A rules… · d deny",
    ]


def test_a_command_that_stands_in_the_question_alone_is_shown_whole(tmp_path: Path) -> None:
    rows = asking(tmp_path, "run_command", {"command": "echo ⏎ then rm -rf build"})
    assert rows[1] == "  │ $ echo ⏎ then rm -rf build"


def test_what_shows_nothing_is_written_out_to_who_is_asked_about_it(tmp_path: Path) -> None:
    hidden = "echo a\u200bb\n\U000e0041\u00a0c"
    rows = asking(tmp_path, "write_file", {"path": "x", "content": hidden})
    shown = "\n".join(rows)
    assert "a\\u200bb" in shown
    assert "\\U000e0041\\xa0c" in shown


def test_content_that_the_question_happens_to_hold_is_shown_all_the_same(tmp_path: Path) -> None:
    rows = asking(tmp_path, "write_file", {"path": "a; rm -rf .", "content": "rm -rf ."})
    assert any(row.endswith("+ rm -rf .") for row in rows)


TEN = "".join(f"line {number}\n" for number in range(1, 11))
OVERWRITE: dict[str, object] = {"path": "a", "content": TEN.replace("line 5\n", "five\n5\n")}


def test_an_overwriting_is_shown_as_a_diff_with_line_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEN)
    assert asking(tmp_path, "write_file", OVERWRITE)[1:] == [
        "  │ @@ -2,7 +2,8 @@",
        "  │  2   line 2",
        "  │  3   line 3",
        "  │  4   line 4",
        "  │  5 - line 5",
        "  │  5 + five",
        "  │  6 + 5",
        "  │  7   line 6",
        "  │  8   line 7",
        "  │  9   line 8",
        "  │ overwrite a (+2 −1)",
        "  │ a approve · A rules… · d deny",
    ]


def test_a_row_that_goes_on_with_a_line_has_no_number_or_no_sign(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    arguments: dict[str, object] = {"path": "a", "content": "new" * 20 + "\n"}
    assert asking(tmp_path, "write_file", arguments, width=46)[3:5] == [
        "  │ + newnewnewnewnewnewnewnewnewnewnewnewnewn",
        "  │ ↪ ewnewnewnewnewnewnew",
    ]
    assert asking(tmp_path, "write_file", arguments, width=48)[3:5] == [
        "  │ 1 + newnewnewnewnewnewnewnewnewnewnewnewnewn",
        "  │   + ewnewnewnewnewnewnew",
    ]


@pytest.mark.parametrize("width", range(20, 60))
def test_two_lines_never_look_like_one_that_is_wrapped(tmp_path: Path, width: int) -> None:
    def rows(room: int, between: str) -> list[str]:
        content = "# clean up".ljust(room - 1) + "." + between + "rm -rf ~\n"
        shown = asking(tmp_path, "write_file", {"path": "a", "content": content}, width=width)
        return [row for row in shown if "@@" not in row and "create" not in row]

    for room in range(max(12, width - 10), width):
        assert rows(room, "\n") != rows(room, "")


def test_arguments_stand_below_a_diff_in_which_a_secret_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEN)
    hidden = "@@ -1,1 +1,1 @@\n-key = [redacted: key]\n+key = [redacted: key]\n"
    rows = asking(tmp_path, "write_file", OVERWRITE, diff=hidden)
    assert "  │ 1 - key = [redacted: key]" in rows
    assert "  │ content:" in rows and "  │   five" in rows


def test_a_call_that_is_decided_keeps_the_beginning_of_its_diff() -> None:
    stand = stand_of("write_file", unfolded=True)
    stand.happen(e.ToolCallRequested("c", "write_file", {"path": "a", "content": TEN}))
    added = "".join(f"+line {number}\n" for number in range(1, 31))
    asked = e.ApprovalRequested("c", "write_file", "create a", f"@@ -0,0 +1,30 @@\n{added}")
    stand.happen(e.ResponseFinished(1, "tool_use"), asked, e.ApprovalGiven("c"))
    rows = card(stand)
    assert rows[1:3] == ["  │ @@ -0,0 +1,30 @@", "  │ + line 1"]
    assert rows[-1] == "  │ … 7 more lines"


@pytest.mark.parametrize(
    "diff", ["no diff", "@@ -99999999999999999999 +1 @@\n+x", "@@ -1 +1 @@\n\n", "+\x1b[2J\n\\ No"]
)
def test_whatever_a_history_calls_a_diff_is_shown(tmp_path: Path, diff: str) -> None:
    (tmp_path / "a").write_text(TEN)
    rows = asking(tmp_path, "write_file", OVERWRITE, diff=diff)
    assert all(row.isprintable() for row in rows)


@pytest.mark.parametrize(("code", "is_folded"), [(0, True), (2, False)])
def test_a_setup_is_seen_while_it_runs_and_once_it_failed(code: int, is_folded: bool) -> None:
    stand = Stand(width=50, height=40)
    stand.happen(e.TicketCancelled(), e.TicketQueued(), e.AttemptStarted("p", "m"))
    stand.happen(e.SetupStarted(SETUP, "make deps"))
    stand.happen(e.ToolRunStarted(SETUP))
    stand.happen(e.ToolOutputDelta(SETUP, "stdout", "building\n"))
    rows = [row.text.strip() for row in stand.rows()]
    assert "setup  $ make deps" in " ".join(rows) and "│ building" in rows
    output = f"building\nexit code {code}"
    stand.happen(e.ToolCallFinished(SETUP, output, None, code, 1.0))
    assert ("│ building" in [row.text.strip() for row in stand.rows()]) is not is_folded


@pytest.mark.parametrize("where", ["in the sandbox, no network", "without a sandbox", ""])
def test_a_request_says_where_a_command_would_run(where: str) -> None:
    stand = stand_of("run_command")
    asks = e.ApprovalRequested("c", "run_command", "$ make", sandbox=where or UNSET)
    stand.happen(e.ToolCallRequested("c", "run_command", {"command": "make"}), asks)
    shown = card(stand)
    said = [row.strip("│ ") for row in shown if "runs" in row]
    assert said == ([f"runs {where}"] if where else [])
