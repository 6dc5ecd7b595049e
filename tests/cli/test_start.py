"""`lfg` and `lfg run` alone: on a real terminal, and from there to what was chosen."""

from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from tests.cli.conftest import Lfg, configure, store
from tests.helpers.terminal import lfg_in_terminal

FILE = """title = "Greetings"
[[ticket]]
id = "a"
prompt = "Say hello."
model = "simulator/generic"
approve = "auto"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lfg is started in."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def stored() -> list[tuple[str, str]]:
    """The titles and states of all runs, newest first."""
    with Reader(paths.history_file()) as reader:
        return [(run.title, run.state) for run in reader.runs()]


def test_a_tickets_file_is_run_once_it_is_trusted(folder: Path) -> None:
    (folder / "hello.toml").write_text(FILE)
    with lfg_in_terminal() as lfg:
        lfg.read_until("Greetings")
        lfg.type(b"\r")
        lfg.read_until("Trust this file as it is now?")
        lfg.type(b"y\n")
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
    with Reader(paths.history_file()) as reader:
        assert reader.source(reader.runs(1)[0].run) == folder / "hello.toml"


def test_a_prompt_is_run_with_the_model_of_the_command_line() -> None:
    with lfg_in_terminal("run", "--model", "simulator/generic") as lfg:
        lfg.read_until("write a prompt for simulator/generic")
        lfg.type(b"\t-\r")
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
    assert stored() == [("-", "done")]


def test_a_run_is_resumed_and_the_demo_is_the_last_choice(folder: Path) -> None:
    configure('model = "simulator/generic"')
    ticket = Ticket(
        id="a", prompt="Hi.", workspace=str(folder), provider="simulator", model="generic", tools=()
    )
    store("Broken off", [ticket], [e.TicketQueued(), e.TicketInterrupted()])
    with lfg_in_terminal() as lfg:
        lfg.read_until("Broken off")
        lfg.type(b"jr")
        lfg.read_until("all done")
        lfg.type(b"q")
        assert lfg.wait() == 0
    with lfg_in_terminal("run") as lfg:
        lfg.read_until("no key, no network")
        lfg.type(b"G\r")
        lfg.read_until("SIMULATED MODELS")
        lfg.type(b"q")
        lfg.read_until("Quit anyway?")
        lfg.type(b"y")
        assert lfg.wait() == 1
    assert stored()[1] == ("Broken off", "done")
    assert len(stored()) == 2


def test_without_a_terminal_there_is_help_or_a_line(lfg: Lfg) -> None:
    help_text = lfg()
    assert help_text.code == 0 and help_text.out.startswith("Usage: lfg [OPTIONS] [COMMAND]")
    assert help_text == lfg("--help")
    line = "lfg: give either a tickets file or -p PROMPT\n"
    for arguments in ((), ("--headless",)):
        assert lfg("run", *arguments) == (2, "", line)


def test_a_mistake_on_the_command_line_opens_no_screen() -> None:
    with lfg_in_terminal("run", "--provider", "xay") as lfg:
        lfg.read_until('mean "xai"')
        assert lfg.wait() == 2
        assert b"\x1b[?1049h" not in lfg.written
