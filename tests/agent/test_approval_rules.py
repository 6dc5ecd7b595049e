"""What a rule covers: never more than it says, whatever a shell could make of a command."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lfgtui.agent.approval_rules import covering, offered_rules
from lfgtui.model.items import ToolItem
from lfgtui.model.tickets import ApprovalRule

GIT_DIFF = ApprovalRule("run_command", "prefix", "git diff")
OTHER_PROGRAMS = (
    *("git diff; rm x", "git diff && rm x", "git diff || rm x", "git diff | sh", "git diff & rm x"),
    *("git diff $(rm x)", "git diff `rm x`", 'git diff "$(rm x)"', 'git diff "`rm x`"'),
    *("git diff\nrm x", "git diff\r\nrm x", "git diff \\\n; rm x", "git diff \nrm x", "git diff;"),
    *("git diff > x", "git diff 2>x", "git diff <(rm x)", "git diff >(sh)", "git diff <<< $x"),
    *("git diff $HOME", "git diff ${x}", 'git diff "$x"', "git diff $'\\x3b'", "git diff {a,b}"),
    *("git diff *", "git diff ?", "git diff [a]", "git diff ~/x", "git diff ~", "git diff a=~"),
    *("git diff # x", "git diff \\; rm x", "git diff !x", 'git diff "!x"', "git diff 'x"),
    'git diff "x',
    *("git diffx", "git diff-files", "gitdiff", "git", "git  ", "git -c a=b diff", "git 'diff'"),
    *("x=1 git diff", "! git diff", "time git diff", "/tmp/git diff", "./git diff", "(git diff)"),
    *("{ git diff; }", "g\\it diff", "git\u00a0diff", "git diff \u2028rm", "git diff \u00e9"),
    *("git diff\x00", "git diff\x0brm", "git diff 'a\nb'", "\ngit diff", "-c git diff", ""),
)  # fmt: skip


def covers(rule: ApprovalRule, command: str, name: str = "run_command") -> bool:
    return covering([rule], name, {"command": command}, "") is not None


@pytest.mark.parametrize("command", OTHER_PROGRAMS)
def test_a_prefix_does_not_cover(command: str) -> None:
    assert not covers(GIT_DIFF, command)


@pytest.mark.parametrize(
    "command",
    [
        *("git diff", "git diff --stat HEAD~1", " git \t diff ", "git diff HEAD^ -- src/a.py"),
        *("git diff 'a b; c' -G\"x | y\"", "git diff main...x@{1}".replace("{1}", "1")),
    ],
)
def test_a_prefix_covers_words_that_follow(command: str) -> None:
    assert covers(GIT_DIFF, command)


PIECES = st.sampled_from(
    [*" \t\n\r;&|<>$`\"'\\(){}[]*?~!#=^%-,.:@+a1é\u00a0\0", "git", "diff", " diff ", "'x y'", "&&"]
)


@given(
    prefix=st.sampled_from(["git diff", "git", "git diff ", "git\tdiff --stat "]),
    rest=st.lists(st.sampled_from(["a", " ", " a ", "'x y'"]) | PIECES, max_size=8).map("".join),
)
@example("git diff ", "'a;b' \"c|d\" HEAD~1 x=y %1 a^")
@example("git diff ", "a~b ~~ ^~ 1~")
@settings(max_examples=400, deadline=None)
def test_a_shell_runs_what_a_prefix_covers_as_one_program_with_its_words(
    tmp_path_factory: pytest.TempPathFactory, prefix: str, rest: str
) -> None:
    command = prefix + rest
    if covers(GIT_DIFF, command):
        folder = tmp_path_factory.mktemp("empty")
        (begun,) = run_by(folder, "bash", command)
        assert shlex.split(begun) == shlex.split(command)
        assert len(run_by(folder, "sh", command)) == 1
        assert shlex.split(command)[:2] == ["git", "diff"]
        assert not list(folder.iterdir())


def run_by(folder: Path, shell: str, command: str) -> list[str]:
    """Return the programs that the shell runs, quoted as its trace does; none of them is found."""
    traced = subprocess.run(
        [shell, "-xc", command],
        cwd=folder,
        env={"PATH": "/nowhere", "HOME": "/home/x"},
        executable=f"/bin/{shell}",
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.lstrip("+") for line in traced.stderr.splitlines() if line.startswith("+")]


def offers(name: str, arguments: dict[str, object], path: str = "") -> list[str]:
    call = ToolItem("1", name, arguments=arguments, path=path)
    rules = offered_rules(call)
    assert all(covering([rule], name, arguments, path) == rule for rule in rules)
    return [rule.description for rule in rules]


EVERY = "every run_command"


@pytest.mark.parametrize(
    ("command", "prefixes"),
    [
        ("git diff --stat HEAD", ["git diff --stat", "git diff"]),
        ("git diff", ["git diff"]),
        ("git diff 'a b'", ["git diff"]),
        ("ls -la src", ["ls -la", "ls"]),
        ("pytest tests/a.py", ["pytest tests/a.py", "pytest"]),
        ("python3.11 -m pytest -q", ["python3.11 -m pytest -q", "python3.11 -m pytest"]),
        ("uv run pytest -q", ["uv run pytest -q", "uv run pytest"]),
        ("npm run test", ["npm run test"]),
        *(
            (command, [])
            for command in (
                *("git -C x diff", "git", "python a.py", "python -c 'x'", "python -m", "sh -c ls"),
                *("/bin/bash -c ls", "uv run python -c x", "sudo ls", "env x=1 ls", "find ."),
                *("x=1 ls", "'ls' -l", "ls | head", "ls $x", "ls\nrm x", "rm -rf x", "make test"),
                *("docker run x", "go run x", "git rebase main", "git config a.b c"),
                *("npm run rm", "cargo run", "python3 -m -c", "-x", "3 4", f"{'x' * 81} y"),
            )
        ),
    ],
)  # fmt: skip
def test_prefixes_that_are_offered_end_behind_the_words_that_say_what_is_done(
    command: str, prefixes: list[str]
) -> None:
    assert offers("run_command", {"command": command}) == [
        f"the command `{command}`".replace("\n", "⏎"),
        *(f"commands beginning with `{prefix}`" for prefix in prefixes),
        EVERY,
    ]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_offered_covers_the_call_and_prefixes_only_plain_words(command: str) -> None:
    described = offers("run_command", {"command": command} if command else {})
    assert described[-1] == EVERY
    for line in described[1:-1]:
        assert not {*"\"'$`;&|<>(){}\\\n\t*?#!"} & set(line.partition("`")[2][:-1])


def test_of_a_file_the_file_its_folder_and_the_tool_are_offered() -> None:
    given_path: dict[str, object] = {"path": "a/../src/x.py", "content": ""}
    assert offers("write_file", given_path, "/w/src/x.py") == [
        "write_file on `/w/src/x.py`",
        "write_file on files in `/w/src` and below",
        "every write_file",
    ]
    assert offers("list_files", {"path": "src"}, "/w/src") == ["every list_files"]


@pytest.mark.parametrize(
    ("path", "is_covered"),
    [
        ("/w/src/x.py", True),
        ("/w/src/deep/x.py", True),
        ("/w/src", False),
        ("/w/srcs/x.py", False),
        ("/w/x.py", False),
        ("", False),
    ],
)
def test_a_folder_covers_what_lies_below_it(path: str, is_covered: bool) -> None:
    rule = ApprovalRule("edit_file", "folder", "/w/src")
    assert (covering([rule], "edit_file", {"path": "x"}, path) is not None) == is_covered
    assert covering([rule], "write_file", {"path": "x"}, path) is None


@given(st.sampled_from(["git diff", "git diff ", "git diff\n", "git  diff", "x; git diff"]))
def test_a_command_covers_itself_alone(command: str) -> None:
    rule = ApprovalRule("run_command", "command", "git diff")
    assert covers(rule, command) == (command == "git diff")
    assert not covers(rule, command, "write_file")
