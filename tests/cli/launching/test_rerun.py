"""A tickets file that is run again on a terminal: all of it, what changed, or nothing."""

from itertools import count
from pathlib import Path

import pytest

from lfgtui.cli.launching.rerun import offer_changed
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets_file import load_tickets
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from tests.helpers.terminal import lfg_in_terminal

TICKETS = """[defaults]
model = "simulator/generic"
tools = []

[[ticket]]
id = "a"
prompt = "Say hello."

[[ticket]]
id = "b"
prompt = "Say more."
needs = ["a"]

[[ticket]]
id = "c"
prompt = "Say something else."
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A tickets file."""
    path = tmp_path / "tickets.toml"
    path.write_text(TICKETS)
    return path


def run(path: Path, *done: str) -> None:
    """Store a run of the file in which these were done."""
    tickets, moments = load_tickets(path).tickets, map(float, count(1))
    with Recorder(paths.history_file()) as recorder:
        run = recorder.start_run("Mine", tickets, path.resolve())
        for name in done:
            for event in (e.TicketQueued(), e.AttemptStarted("p", "m"), e.TicketDone("end")):
                recorder.submit(run, name, 1, next(moments), event)
        recorder.finish_run(run, "done")


def ran() -> list[list[str]]:
    """The tickets of the runs, newest first."""
    with Reader(paths.history_file()) as reader:
        return [[one.ticket.id for one in reader.tickets(run.run)] for run in reader.runs()]


@pytest.mark.parametrize(
    ("answer", "runs"),
    [(b"\n", [["a", "b"]]), (b"Y\n", [["a", "b"]]), (b"n\n", [["a", "b", "c"]]), (b"q\n", [])],
)
def test_one_is_asked_once_and_in_one_line(
    path: Path, answer: bytes, runs: list[list[str]]
) -> None:
    run(path, "a", "b", "c")
    path.write_text(TICKETS.replace("more", "less"))
    with lfg_in_terminal("run", str(path)) as lfg:
        lfg.read_until("tickets.toml was run <1m ago: 1 of 3 tickets are new, changed or not done.")
        lfg.read_until(" Run only those, with 1 that they need? [Y/n/q]")
        lfg.type(answer)
        if runs:
            lfg.read_until("all done")
            lfg.type(b"q")
        assert lfg.wait() == 0
    assert ran()[:-1] == runs


def test_the_start_screen_asks_as_well(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, "a", "b")
    monkeypatch.chdir(path.parent)
    with lfg_in_terminal() as lfg:
        lfg.read_until("tickets.toml")
        lfg.type(b"\r")
        lfg.read_until("1 of 3 tickets are new, changed or not done. Run only those? [Y/n/q]")
        lfg.type(b"q\n")
        assert lfg.wait() == 0


@pytest.mark.parametrize("options", [["--yes"], ["--only", "a"]])
def test_who_says_what_to_run_is_not_asked(path: Path, options: list[str]) -> None:
    run(path, "a")
    with lfg_in_terminal("run", str(path), *options) as lfg:
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
        assert b"Run only" not in lfg.written


def test_one_is_not_asked_where_it_makes_no_difference(path: Path) -> None:
    file = load_tickets(path)
    assert offer_changed(path, file, Config()) is file  # never run
    run(path)
    assert offer_changed(path, file, Config()) is file  # nothing is done
    run(path, "a", "b", "c")
    assert offer_changed(path, file, Config()) is file  # all is done


def test_one_is_not_asked_while_it_is_run(path: Path) -> None:
    file = load_tickets(path)
    run(path, "a", "b")
    with Recorder(paths.history_file()) as recorder:
        recorder.start_run("Mine", file.tickets, path.resolve())
        assert offer_changed(path, file, Config()) is file


def test_a_history_that_is_none_asks_nothing(path: Path) -> None:
    history = paths.history_file()
    history.parent.mkdir(parents=True, exist_ok=True)
    history.write_text("no history")
    file = load_tickets(path)
    assert offer_changed(path, file, Config()) is file
