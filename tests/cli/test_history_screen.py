"""`lfg history --ui`: on a real terminal, and from there to going on with a run."""

from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure, store
from tests.helpers.processes import simulator
from tests.helpers.terminal import lfg_in_terminal


def test_the_run_chosen_on_the_screen_goes_on_in_the_same_terminal(tmp_path: Path) -> None:
    ticket = Ticket(id="a", prompt="Hi.", workspace=str(tmp_path), provider="one", model="generic")
    run = store("Broken off", [ticket], [e.TicketQueued(), e.TicketInterrupted()])
    with simulator("--speed", "max") as url, lfg_in_terminal("history", "--ui") as lfg:
        configure(f'[providers.one]\nwire = "openai-chat"\nbase_url = "{url}/v1"\n')
        lfg.read_until("Broken off")
        lfg.type(b"\t")
        lfg.read_until("resume")
        lfg.type(b"r")
        lfg.read_until("all done")
        lfg.type(b"q")
        lfg.read_until(f"run {run}: 1 done")
        assert lfg.wait() == 0
    with Reader(paths.history_file()) as reader:
        assert [(one.run, one.state) for one in reader.runs()] == [(run, "done")]


def test_an_empty_history_is_left_again() -> None:
    with lfg_in_terminal("history", "--ui") as lfg:
        lfg.read_until("no runs yet")
        lfg.type(b"\x1b")
        assert lfg.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ui",), "lfg: --ui needs a terminal; without one: lfg history, lfg search\n"),
        (("--ui", "--json"), "lfg: --ui and --json cannot be combined\n"),
        (("--ui", "size"), "lfg: --ui cannot be combined with a subcommand\n"),
    ],
)
def test_impossible_options_are_refused(arguments: tuple[str, ...], message: str, lfg: Lfg) -> None:
    assert lfg("history", *arguments) == (2, "", message)
