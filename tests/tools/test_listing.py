"""list_files: the same files with ripgrep and without."""

from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits, ToolOutcome

from .conftest import Call

pytestmark = pytest.mark.usefixtures("searcher")


def make(workspace: Path, *names: str) -> None:
    for name in names:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}\n")


def test_all_files_sorted_hidden_ones_too_and_git_left_out(workspace: Path, call: Call) -> None:
    make(workspace, "b.py", "a/z.py", "a/y/x.py", ".github/ci.yml", ".git/config", "a/.git")
    assert call("list_files").output.split("\n") == [
        ".github/ci.yml",
        "a/y/x.py",
        "a/z.py",
        "b.py",
    ]


def test_what_gitignore_excludes_is_left_out(workspace: Path, call: Call) -> None:
    make(workspace, "a.py", "a.pyc", "out/b", "sub/c.tmp", "sub/out/d", "sub/keep.pyc")
    (workspace / ".gitignore").write_text("*.pyc\nout/\n!keep.pyc\n")
    (workspace / "sub" / ".gitignore").write_text("*.tmp\n")
    assert call("list_files").output.split("\n") == [
        ".gitignore",
        "a.py",
        "sub/.gitignore",
        "sub/keep.pyc",
    ]


def test_an_ignored_folder_asked_for_by_name_is_listed(workspace: Path, call: Call) -> None:
    make(workspace, "node_modules/x/index.js", "a.py")
    (workspace / ".gitignore").write_text("node_modules\n")
    assert call("list_files", path="node_modules").output == "node_modules/x/index.js"


def test_rules_of_folders_above_the_workspace_have_no_say(workspace: Path, call: Call) -> None:
    make(workspace, "a.py")
    (workspace.parent / ".gitignore").write_text("workspace\n*.py\n")
    (workspace.parent / ".git").mkdir()
    assert call("list_files").output == "a.py"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ({"path": "src", "pattern": "*.py"}, "src/b.py\nsrc/deep/d.py"),
        ({"pattern": "src/*.{py,js}"}, "src/b.py\nsrc/c.js"),
        ({"path": "src/c.js"}, "src/c.js"),
        ({"pattern": "!a.py"}, "[no files]"),  # it excludes nothing
    ],
)
def test_a_folder_and_a_pattern_narrow_it(
    workspace: Path, call: Call, arguments: dict[str, str], output: str
) -> None:
    make(workspace, "a.py", "src/b.py", "src/c.js", "src/deep/d.py")
    assert call("list_files", **arguments).output == output


def test_links_are_not_followed(workspace: Path, call: Call) -> None:
    make(workspace, "real/a.py")
    (workspace / "link").symlink_to("real")
    (workspace / "up").symlink_to("..")
    assert call("list_files").output == "real/a.py"
    assert call("list_files", path="link").output == "real/a.py"


def test_a_long_list_is_cut_and_says_so(workspace: Path, call: Call) -> None:
    make(workspace, *(f"f{n}" for n in range(10, 20)))
    output = call("list_files", limits=ToolLimits(max_listed_files=3)).output
    assert output == "f10\nf11\nf12\n[3 of 10 files; narrow it with path or pattern]"
    output = call("list_files", limits=ToolLimits(output_characters=8)).output
    assert output == "f10\nf11\n[2 of 10 files; narrow it with path or pattern]"


def test_an_empty_folder_and_a_missing_one_differ(workspace: Path, call: Call) -> None:
    (workspace / "empty").mkdir()
    assert call("list_files", path="empty") == ToolOutcome("[no files]")
    assert call("list_files", path="emtpy").error == 'there is no "emtpy"; did you mean "empty"?'
