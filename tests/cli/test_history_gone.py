"""A real lfg whose history goes away while it runs: nothing is lost, and it says what happened."""

import json
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from tests.cli.conftest import configure
from tests.helpers.processes import simulator, start
from tests.helpers.terminal import lfg_in_terminal


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The root URL of a simulator that takes some seconds for an answer."""
    with simulator("--speed", "8") as url:
        yield url


@pytest.fixture
def tickets(url: str, tmp_path: Path) -> str:
    """Two tickets on that simulator."""
    configure(f'[providers.one]\nwire = "openai-chat"\nbase_url = "{url}/v1"\n')
    file = tmp_path / "tickets.toml"
    ticket = '[[ticket]]\nid = "{}"\nprovider = "one"\nmodel = "generic"\nprompt = "Speak."\n'
    file.write_text(ticket.format("a") + ticket.format("b"))
    return str(file)


def run_while(tickets: str, spoil: Callable[[Path], None]) -> tuple[int, str, dict[str, str]]:
    """Run with --json, spoil the history once something was said; code, stderr and the answers."""
    said: defaultdict[str, str] = defaultdict(str)
    with start("run", tickets, "--json") as process:
        assert process.stdout is not None and process.stderr is not None
        for entry in map(json.loads, process.stdout):
            if entry["type"] == "text_delta":
                if not said:
                    spoil(paths.history_file())
                said[entry["ticket"]] += entry["text"]
        err = process.stderr.read()
    assert said
    return process.returncode, err, said


def stored(path: Path) -> tuple[str, dict[str, str]]:
    with Reader(path) as reader:
        run = reader.runs(1)[0].run
        answers = {name: reader.transcript(run, name).attempts[0].text for name in ("a", "b")}
        return reader.run(run).state, answers


def test_a_deleted_history_is_made_anew_and_said(tickets: str) -> None:
    def delete(path: Path) -> None:
        folder = path.parent.rename(path.parent.with_name("gone"))  # all at once
        shutil.rmtree(folder, ignore_errors=True)

    code, err, said = run_while(tickets, delete)
    assert code == 0
    assert err.count("\n") == 1
    assert "history.db was deleted, moved or replaced while lfg was running; this run is in" in err
    assert stored(paths.history_file()) == ("done", said)


def test_what_took_its_place_is_left_alone_and_the_run_is_elsewhere(tickets: str) -> None:
    def replace(path: Path) -> None:
        other = path.with_name("diary")
        other.write_text("Dear diary")
        other.replace(path)  # all at once

    code, err, said = run_while(tickets, replace)
    assert code == 1
    first, last = err.splitlines()
    assert first.startswith("lfg: history is saved elsewhere: ")
    folder = Path(last.partition("LFG_DATA_DIR=")[2].removesuffix(" lfg history"))
    assert stored(folder / "history.db") == ("done", said)
    assert paths.history_file().read_text() == "Dear diary"


def test_a_signal_is_the_exit_code_also_where_the_run_was_saved_elsewhere(tickets: str) -> None:
    with lfg_in_terminal("run", tickets) as lfg:
        lfg.read_until("2 running")
        paths.history_file().unlink()
        paths.history_file().write_text("Dear diary")
        lfg.read_until("saved elsewhere")
        lfg.process.send_signal(signal.SIGTERM)
        assert lfg.wait() == 143
    assert lfg.written.count(b"LFG_DATA_DIR=") == 1
    assert paths.history_file().read_text() == "Dear diary"
