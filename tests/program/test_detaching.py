"""Leaving a run at work: the shell has its prompt, and the run no terminal to lose."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.engine.commands import Approve
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.server.control.client import ask
from lfgtui.server.control.messages import ListApprovals, ListTickets
from lfgtui.settings import paths
from tests.helpers.processes import simulator
from tests.helpers.sandbox import walled
from tests.helpers.terminal import LFG, Program
from tests.helpers.waiting import is_alive, until

SCENARIO = """
rate = 400
first_token = 0.0
[[turn]]
text = "I wait for the file."
[[turn.call]]
name = "run_command"
arguments = { command = "until test -e go; do sleep 0.05; done" }
[[turn]]
text = "There it is."
"""
TICKET = """
[[ticket]]
id = "patient"
provider = "wire"
model = "patient"
prompt = "Go."
approve = "auto"
"""
RUN = [*LFG, "run", "tickets.toml", "--yes"]

pytestmark = walled


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a ticket whose command waits for the file `go`."""
    (tmp_path / "patient.toml").write_text(SCENARIO)
    (tmp_path / "tickets.toml").write_text(TICKET)
    with simulator(f"--scenario={tmp_path / 'patient.toml'}") as root:
        paths.config_file().parent.mkdir()
        config = f'[providers.wire]\nwire = "openai-chat"\nbase_url = "{root}/v1"\n'
        paths.config_file().write_text(config)
        yield tmp_path


def state() -> str:
    with Reader(paths.history_file()) as reader:
        return reader.tickets(reader.runs(1)[0].run)[0].state


def answer() -> str:
    with Reader(paths.history_file()) as reader:
        entries = reader.entries(reader.runs(1)[0].run, "patient")
        return "".join(one.event.text for one in entries if isinstance(one.event, e.TextDelta))


def test_the_shell_goes_on_and_so_does_the_run_when_its_terminal_is_closed(folder: Path) -> None:
    shell = f"{shlex.join(RUN)}; echo back with $?; cat"
    with closing(Program(["bash", "-mc", shell], folder=folder)) as terminal:
        terminal.read_until("$ until test")
        until(lambda: state() == "running_tool")
        terminal.type(b"D")
        terminal.read_until("goes on: lfg attach")
        terminal.read_until("back with 0")
        terminal.hang_up()
        terminal.wait()
        assert state() == "running_tool"
        (folder / "go").touch()
        until(lambda: state() == "done")
    assert answer() == "I wait for the file.There it is."


def test_a_run_may_outlive_its_terminal_without_a_key(folder: Path) -> None:
    settings = paths.config_file().read_text()
    paths.config_file().write_text(f'on_hangup = "detach"\n{settings}')
    with closing(Program(RUN, folder=folder)) as terminal:
        terminal.read_until("$ until test")
        until(lambda: state() == "running_tool")
        terminal.hang_up()
        assert terminal.wait() == 0
        (folder / "go").touch()
        until(lambda: state() == "done")
    assert answer() == "I wait for the file.There it is."


def test_a_signal_ends_it_as_it_ends_a_run_on_the_screen(folder: Path) -> None:
    with closing(Program(RUN, folder=folder)) as terminal:
        terminal.read_until("$ until test")
        until(lambda: state() == "running_tool")
        worker = terminal.worker
        terminal.type(b"D")
        assert terminal.wait() == 0
        os.kill(worker, signal.SIGTERM)
        until(lambda: not is_alive(worker))
    assert state() == "interrupted"
    assert answer() == "I wait for the file."


def test_where_nothing_is_at_work_there_is_nothing_to_leave(folder: Path) -> None:
    (folder / "go").touch()
    with closing(Program(RUN, folder=folder)) as terminal:
        terminal.read_until("all done")
        terminal.type(b"D")
        terminal.read_until("no tickets are running; press q to quit")
        terminal.type(b"q")
        assert terminal.wait() == 0


def detached(*options: str, tickets: str | None = None) -> str:
    """Start a run with `--detach`, and return what it printed: its id."""
    file = "-" if tickets else "tickets.toml"
    started = subprocess.run(
        [*LFG, "run", file, "--yes", "--detach", *options],
        input=tickets,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"lfg attach {started.stdout.strip()}" in started.stderr
    return started.stdout.strip()


def test_a_run_that_never_had_a_terminal_can_be_reached_and_ends_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    run = detached(tickets=TICKET)
    # It can be reached from the moment on that its id is known.
    assert ask(run, ListTickets()).tickets == ("patient",)
    until(lambda: state() == "running_tool")
    (folder / "go").touch()
    until(lambda: state() == "done")
    assert answer() == "I wait for the file.There it is."


def test_a_run_without_a_terminal_waits_for_whoever_attaches(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    asks = TICKET.replace('"auto"', '"ask"')
    (folder / "go").touch()
    run = detached(tickets=asks)
    until(lambda: state() == "needs_approval")
    (call,) = ask(run, ListApprovals("patient")).approvals
    ask(run, Approve("patient", call.call_id))
    until(lambda: state() == "done")


def test_what_cannot_be_run_is_said_before_the_shell_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for options, says in (
        (["run", "nothing.toml", "--detach"], "nothing.toml"),
        (["run", "tickets.toml", "--detach", "--json"], "--detach prints the run's id alone"),
        (["run", "tickets.toml", "--yes", "--detach", "--provider", "nobody"], "nobody"),
    ):
        ended = subprocess.run([*LFG, *options], capture_output=True, text=True, check=False)
        assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr
