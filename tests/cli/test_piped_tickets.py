"""`lfg run -`: tickets that another program writes, in a pipe and on a terminal."""

import json
import os
import pty
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from tests.cli.conftest import LIFE, Lfg, configure, store
from tests.helpers.terminal import LFG, Program

HELLO = {"prompt": "Say hello.", "model": "quick/generic", "tools": []}
TOML = """[defaults]
model = "quick/generic"
tools = []
[[ticket]]
id = "a"
prompt = "Say hello."
[[ticket]]
id = "b"
prompt_file = "b.md"
needs = ["a"]
"""


@pytest.fixture(autouse=True)
def folder(quick: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lfg is started in."""
    configure(quick)
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "b.md").write_text("Say more.")
    return folder


def lines(*tickets: object) -> str:
    return "".join(f"{json.dumps(ticket)}\n" for ticket in tickets)


def printing(text: str) -> str:
    """A command line that prints the text, as a person's own program does."""
    return shlex.join([sys.executable, "-c", "import sys; sys.stdout.write(sys.argv[1])", text])


def piped(text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run lfg behind a program that prints the text."""
    command = f"{printing(text)} | {shlex.join([*LFG, *arguments])}"
    return subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, text=True, timeout=100
    )


def ran() -> list[tuple[str, str, list[str]]]:
    """Title, state and tickets of the runs, newest first."""
    with Reader(paths.history_file()) as reader:
        return [
            (run.title, run.state, [one.ticket.id for one in reader.tickets(run.run)])
            for run in reader.runs()
        ]


def test_what_a_program_prints_is_run_and_told_apart_from_what_was_run_before(
    folder: Path,
) -> None:
    done = piped(TOML, "run", "-", "--headless")
    assert (done.returncode, done.stderr) == (0, "")
    assert ran() == [("Say hello. and 1 more", "done", ["a", "b"])]
    with Reader(paths.history_file()) as reader:
        run = reader.runs(1)[0].run
        assert reader.source(run) == folder / "-"
        assert [(one.ticket.prompt, one.ticket.workspace) for one in reader.tickets(run)] == [
            ("Say hello.", str(folder)),
            ("Say more.", str(folder)),
        ]
    done = piped(TOML, "run", "-", "--headless", "--changed")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == ("nothing to run: every ticket of standard input is done and unchanged\n")


def test_a_run_of_json_lines_that_was_not_done_is_resumed_from_the_history(lfg: Lfg) -> None:
    text = lines({"id": "a", **HELLO}, {"id": "b", **HELLO, "timeout": 0.001})
    done = piped(text, "run", "-", "--json")
    types = {json.loads(line)["type"] for line in done.stdout.splitlines()}
    assert (done.returncode, types & {"ticket_done", "ticket_limited"}) == (
        1,
        {"ticket_done", "ticket_limited"},
    )
    assert ran() == [("Say hello. and 1 more", "failed", ["a", "b"])]
    assert lfg("resume", "last", "--headless").code == 1  # its time is up again
    with Reader(paths.history_file()) as reader:
        assert [one.attempt for one in reader.tickets(reader.runs(1)[0].run)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "standard input: empty; expected tickets, as TOML or as JSON lines"),
        (
            "\n\n[[tikcet]]\n",
            'standard input, line 3: unknown key "tikcet"; did you mean "ticket"?',
        ),
        (
            lines({"id": "a", **HELLO}, {"id": "b", **HELLO, "modle": "x"}),
            'standard input, line 2: unknown key "modle"; did you mean "model"?',
        ),
        (
            lines({"id": "a", **HELLO, "model": "quikc/x"}),
            'standard input, line 1: unknown provider "quikc"; did you mean "quick"?',
        ),
        (
            lines({"id": "a", **HELLO, "approve": "auto", "tools": ["write_file"]}),
            "standard input approves tool calls by itself; review it, then add --yes",
        ),
    ],
)
def test_what_cannot_run_is_refused_at_its_line(text: str, refusal: str) -> None:
    done = piped(text, "run", "-", "--headless")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"lfg: {refusal}\n")
    assert not paths.history_file().exists()


def test_bytes_that_are_no_text_and_a_pipe_without_end_are_refused() -> None:
    command = [*LFG, "run", "-", "--headless"]
    done = subprocess.run(command, check=False, input=b"a\n\xff", capture_output=True)
    assert (done.returncode, done.stderr) == (
        2,
        b"lfg: standard input, line 2: not valid UTF-8\n",
    )
    endless = f"yes '# a comment' | {shlex.join(command)}"
    done = subprocess.run(["sh", "-c", endless], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (
        2,
        b"lfg: standard input: more than 64 MB of tickets\n",
    )
    closed = ["sh", "-c", f"{shlex.join(command)} <&-"]
    done = subprocess.run(closed, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (2, b"lfg: standard input is closed\n")


def test_the_screen_reads_keys_and_answers_from_the_terminal() -> None:
    text = lines(
        {"id": "a", **HELLO, "approve": "auto", "tools": ["write_file"]}, {"id": "b", **HELLO}
    )
    command = f"{printing(text)} | {shlex.join([*LFG, 'run', '-'])}"
    with closing(Program(["sh", "-c", command])) as lfg:
        lfg.read_until("standard input asks for more than reading its own folder:")
        lfg.read_until("Trust this file as it is now?")
        lfg.type(b"y\n")
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
    assert ran() == [("Say hello. and 1 more", "done", ["a", "b"])]
    changed = text.replace('"id": "b", "prompt": "Say hello."', '"id": "b", "prompt": "Say more."')
    command = f"{printing(changed)} | {shlex.join([*LFG, 'run', '-'])}"
    with closing(Program(["sh", "-c", command])) as lfg:
        lfg.read_until("standard input was run <1m ago: 1 of 2 tickets are new, changed or not")
        lfg.type(b"y\n")
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
    assert ran()[0] == ("Say hello. and 1 more", "done", ["b"])


def test_a_screen_without_keys_is_refused() -> None:
    ours, theirs = pty.openpty()  # no process' controlling terminal
    with subprocess.Popen(
        [*LFG, "run", "-"],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        text=True,
    ) as process:
        os.close(theirs)
        process.communicate(lines({"id": "a", **HELLO}), timeout=60)
        said = os.read(ours, 4096)
    os.close(ours)
    assert process.returncode == 2
    assert said == b"lfg: no terminal to read keys from; add --headless or --json\r\n"


def test_tickets_for_a_run_that_is_over_are_not_read() -> None:
    store("Mine", [Ticket(id="a", prompt="p", workspace=str(Path.cwd()))], LIFE)
    done = piped(lines({"id": "b", **HELLO}), "add", "last", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not in progress; to continue: lfg resume" in done.stderr
