"""What a rule covers: never more than it says, whatever a shell could make of a command."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lfgtui.agent.approval_rules import covering, offered_rules
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.ticket_keys.approvals import ApprovalRule

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
    *("x=1 git diff", "! git diff", "time git diff", "/opt/git diff", "./git diff", "(git diff)"),
    *("git diff --stat", "git diff HEAD -w", "git diff '--stat'", "git diff ''\"-\"w"),
    *("git diff @x", "git diff +x", "git diff -- --output=x", "git diff '-'", 'git diff "+"x'),
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
        *("git diff", "git diff HEAD~1", " git \t diff ", "git diff HEAD^ -- src/a.py"),
        *("git diff 'a b; c' G\"x | y\"", "git diff main...x@1", "git diff ''"),
    ],
)
def test_a_prefix_covers_words_that_follow_and_are_no_options(command: str) -> None:
    assert covers(GIT_DIFF, command)


PIECES = st.sampled_from(
    [
        *" \t\n\r;&|<>$`\"'\\(){}[]*?~!#=^%-,.:@+a1é\u00a0\0",
        *("git", "diff", " diff ", "'x y'", "&&", " -v ", " 'a[$(>pwn)]'"),
    ]
)


@given(
    beginning=st.sampled_from(
        ["git diff", "git", "git\tdiff --stat ", "echo ", "test -f x ", "let ", "printf "]
    ),
    rest=st.lists(st.sampled_from(["a", " ", " a ", "'x y'"]) | PIECES, max_size=8).map("".join),
)
@example("git diff ", "'a;b' \"c|d\" HEAD~1 x=y %1 a^")
@example("git diff ", "a~b ~~ ^~ 1~")
@example("echo ", "-n 'a[$(>pwn)]'")
@example("test -f x ", "-a -v 'a[$(>pwn)]'")
@settings(max_examples=400, deadline=None)
def test_a_shell_runs_what_a_prefix_covers_as_one_program_with_its_words(
    tmp_path_factory: pytest.TempPathFactory, beginning: str, rest: str
) -> None:
    command = beginning + rest
    for prefix in prefixes(command):
        folder = tmp_path_factory.mktemp("empty")
        (begun,) = run_by(folder, "bash", command)
        assert shlex.split(begun) == shlex.split(command)
        assert len(run_by(folder, "sh", command)) == 1
        assert " ".join(shlex.split(command)).startswith(prefix)
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


def prefixes(command: str) -> list[str]:
    """Return the beginnings that are offered of a command, all of which cover it."""
    rules = offered_rules(ToolItem("1", "run_command", arguments={"command": command}))
    assert all(covers(rule, command) for rule in rules)
    return [rule.text for rule in rules if rule.matches == "prefix"]


def test_no_builtin_of_a_shell_but_echo_has_a_prefix() -> None:
    listed = subprocess.run(["bash", "-c", "compgen -bk"], capture_output=True, check=True)
    builtins = listed.stdout.decode().split()
    assert {"test", "let", "printf", "compgen", "jobs"} < set(builtins)
    assert [name for name in builtins if prefixes(f"{name} x")] == ["echo"]


def offers(name: str, arguments: dict[str, object], path: str = "") -> list[str]:
    call = ToolItem("1", name, arguments=arguments, path=path)
    rules = offered_rules(call)
    assert all(covering([rule], name, arguments, path) == rule for rule in rules)
    return [rule.description for rule in rules]


EVERY = "every run_command"


@pytest.mark.parametrize(
    ("command", "prefix"),
    [
        ("git diff --stat HEAD", "git diff --stat"),
        ("git diff", "git diff"),
        ("git diff 'a b' -- c", "git diff"),
        ("git log -5 --oneline src", "git log -5 --oneline"),
        ("git branch --list 'a*'", "git branch --list"),
        ("ls -la src", "ls -la"),
        ("head -n 20 a.py", "head -n"),
        ("pytest tests/a.py", "pytest"),
        ("python3 -m pytest -q", "python3 -m pytest -q"),
        ("uv run ruff format --check a.py", "uv run ruff format --check"),
        ("cargo test -p x name", "cargo test -p"),
        *(
            (command, "")
            for command in (
                *("git -C x diff", "git", "python a.py", "python -c 'x'", "python -m", "sh -c ls"),
                *("/bin/ls x", "./pytest", "uv run python -c x", "sudo ls", "env x=1 ls", "sort f"),
                *("x=1 ls", "'ls' x", "ls '-l'", "ls | head", "ls $x", "ls\nrm x", "rm -rf x"),
                *("make test", "npm run test", "docker run x", "go run x", "git branch x", "-x"),
                *("git log --output x", "git log --outp=x", "git diff --ext-diff", "pytest @x"),
                *("git grep -O./x y", "git grep -nO./x y", "rg --pre ./x y", "find . -exec x"),
                *("pytest -p x", "pytest -c x", "go test -exec ./x", "ruff check --config x"),
                *("cargo test --config x", "python -m timeit x", "split --filter=x f", "uniq a b"),
                f"ls -l {'x' * 80} -a",
            )
        ),
    ],
)  # fmt: skip
def test_a_prefix_is_offered_of_commands_that_read_or_test_with_all_of_their_options(
    command: str, prefix: str
) -> None:
    described = f"commands beginning with `{prefix}`, without further options"
    assert offers("run_command", {"command": command}) == [
        f"the command `{command}`".replace("\n", "⏎"),
        *([described] if prefix else []),
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


def offered_to_agent(arguments: dict[str, object], path: str = "") -> list[str]:
    """The kinds of rules that are offered of an agent's call, all of which cover it."""
    call = ToolItem("1", "bash", arguments=arguments, path=path, workspace="/w")
    call.is_agent_call = True
    rules = offered_rules(call)
    assert all(covering([rule], "bash", arguments, path, "/w") == rule for rule in rules)
    return [rule.matches for rule in rules]


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"description": "Look", "timeout": 1000, "cwd": "/w"},
        {"workdir": "/w/", "run_in_background": False, "env": None},
    ],
)
def test_an_agents_command_has_rules_where_nothing_beside_it_matters(
    beside: dict[str, object],
) -> None:
    assert offered_to_agent({"command": "git diff", **beside}) == ["command", "prefix", "tool"]


@pytest.mark.parametrize(
    "beside", [{"cwd": "/tmp"}, {"dangerouslyDisableSandbox": True}, {"env": {"PATH": "/tmp"}}]
)
def test_an_agents_command_with_another_folder_or_setting_is_asked_about(
    beside: dict[str, object],
) -> None:
    arguments: dict[str, object] = {"command": "git diff", **beside}
    assert offered_to_agent(arguments) == ["tool"]
    assert covering([ApprovalRule("bash", "command", "git diff")], "bash", arguments, "") is None


@pytest.mark.parametrize("command", ["make", ["make"]])
def test_a_command_is_never_approved_by_the_file_it_names(command: object) -> None:
    arguments: dict[str, object] = {"command": command}
    assert "file" not in offered_to_agent(arguments, "/w")
    rule = ApprovalRule("bash", "folder", "/")
    assert covering([rule], "bash", arguments, "/w") is None
