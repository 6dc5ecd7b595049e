"""A history that cannot be opened: one clear line and exit code 2, whatever is the matter."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.history.recording.store import History
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket

TICKET = '[[ticket]]\nid = "a"\nprompt = "Hi."\nprovider = "simulator"\nmodel = "generic"\n'
READING = (("history",), ("search", "x"), ("show", "last"), ("resume", "last"))
RUN = ("run", "TICKETS", "--headless")
NOT_ROOT = (
    *("setpriv", "--bounding-set=-dac_override,-dac_read_search"),
    "--inh-caps=-dac_override,-dac_read_search",
)

Lfg = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    for path in (folder, folder / "locks"):
        if path.is_dir():
            path.chmod(0o700)


@pytest.fixture
def tickets(tmp_path: Path) -> str:
    (tmp_path / "tickets.toml").write_text(TICKET)
    return str(tmp_path / "tickets.toml")


@pytest.fixture
def stored(data: Path) -> str:
    """A finished run; gives its id."""
    with History.open(data / "history.db") as history:
        run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
        history.finish_run(run, "done")
    return run


@pytest.fixture
def lfg() -> Lfg:
    """A process of its own, to which permissions mean something even where we are root."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to take that away")
    command = (*(NOT_ROOT if os.geteuid() == 0 else ()), sys.executable, "-m", "lfgtui")

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*command, *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def assert_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    assert main(arguments) == 2, arguments
    assert_one_line(*capsys.readouterr(), why)


def assert_one_line(out: str, err: str, why: str) -> None:
    assert out == ""
    assert err.startswith("lfg: ") and err.count("\n") == 1
    assert why in err


@pytest.mark.parametrize("command", [RUN, *READING])
def test_a_folder_where_the_file_should_be(
    capsys: pytest.CaptureFixture[str], data: Path, tickets: str, command: tuple[str, ...]
) -> None:
    (data / "history.db").mkdir(parents=True)
    arguments = tuple(word.replace("TICKETS", tickets) for word in command)
    assert_refused(capsys, arguments, "history.db is a folder; ")


def test_a_file_where_the_folder_should_be(
    capsys: pytest.CaptureFixture[str], data: Path, tickets: str
) -> None:
    data.write_text("")
    assert_refused(capsys, ("run", tickets, "--headless"), "the history cannot be opened: ")


@pytest.mark.parametrize("command", [RUN, *READING])
def test_a_file_that_is_something_else(
    capsys: pytest.CaptureFixture[str], data: Path, tickets: str, command: tuple[str, ...]
) -> None:
    data.mkdir()
    (data / "history.db").write_bytes(b"Dear diary, " * 1000)
    arguments = tuple(word.replace("TICKETS", tickets) for word in command)
    assert_refused(capsys, arguments, "it is no lfg history")


@pytest.mark.usefixtures("stored")
def test_a_damaged_file(capsys: pytest.CaptureFixture[str], data: Path, tickets: str) -> None:
    whole = (data / "history.db").read_bytes()
    (data / "history.db").write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    for arguments in (("run", tickets, "--headless"), *READING):
        assert_refused(capsys, arguments, "it is damaged; `lfg history repair NEW_FILE`")


@pytest.mark.parametrize("seed", range(10))
def test_a_file_damaged_anywhere_is_one_clear_line_at_worst(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, seed: int
) -> None:
    with History.open(data / "history.db") as history:
        for number in range(6):
            run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
            for event in (e.TicketQueued(), e.UserMessage(f"word{number} " * 300)):
                history.submit(run, "a", 1, 1.0, event)
            history.finish_run(run, "failed")
    body = bytearray((data / "history.db").read_bytes())
    dice = random.Random(seed)
    for _ in range(dice.choice((1, 10, 1000))):
        body[dice.randrange(len(body))] = dice.randrange(256)
    (data / "history.db").write_bytes(body[: dice.choice((len(body), dice.randrange(len(body))))])
    repair = ("history", "repair", str(tmp_path / "rescued.db"))
    for arguments in (*READING[:3], ("search", "--code", "word3"), ("history", "check"), repair):
        code = main(arguments)
        err = capsys.readouterr().err
        assert code in (None, 0, 1, 2), arguments
        assert code != 2 or (err.startswith("lfg: ") and err.count("\n") == 1), (arguments, err)


def test_trust_that_cannot_be_remembered(
    capsys: pytest.CaptureFixture[str], data: Path, tickets: str
) -> None:
    data.write_text("")
    with Path(tickets).open("a") as file:
        file.write('approve = "auto"\n')
    assert_refused(capsys, ("run", tickets, "--headless"), "add --yes")
    assert_refused(capsys, ("run", tickets, "--headless", "--yes"), "LFG_DATA_DIR")


def test_a_folder_that_may_not_be_written(lfg: Lfg, data: Path, tickets: str) -> None:
    data.mkdir(mode=0o500)
    code, out, err = lfg("run", tickets, "--headless")
    assert code == 2
    assert_one_line(out, err, "Permission denied; set LFG_DATA_DIR to a folder you can write to")
    assert lfg("history") == (0, "", "no runs yet; try: lfg demo\n")


def test_a_folder_that_may_not_be_looked_into(lfg: Lfg, data: Path, tickets: str) -> None:
    data.mkdir()
    data.chmod(0)
    for arguments in (("run", tickets, "--headless"), *READING):
        code, out, err = lfg(*arguments)
        assert code == 2
        assert_one_line(out, err, "Permission denied; set LFG_DATA_DIR")


def test_a_file_that_may_not_be_written_can_still_be_read(
    lfg: Lfg, data: Path, tickets: str, stored: str
) -> None:
    (data / "history.db").chmod(0o400)
    for folder in (data / "locks", data):
        code, out, err = lfg("run", tickets, "--headless")
        assert code == 2
        assert_one_line(out, err, "history.db: ")
        code, out, err = lfg("history")
        assert (code, err) == (0, "")
        assert out.startswith(stored)
        folder.chmod(0o500)
    assert lfg("show", "last")[0] == 0


def test_a_disk_that_takes_no_more(data: Path, tickets: str) -> None:
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "-", sys.executable, "-m", "lfgtui"]
    done = subprocess.run(
        [*limited, "run", tickets, "--headless"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert_one_line(done.stdout, done.stderr, "check that its disk has room")
