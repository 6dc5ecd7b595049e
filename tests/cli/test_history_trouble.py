"""A history that cannot be opened: one clear line and exit code 2, whatever is the matter."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import Lfg, Printed, configure

TICKET = '[[ticket]]\nid = "a"\nprompt = "Hi."\nprovider = "simulator"\nmodel = "generic"\n'
READING = (("history",), ("search", "x"), ("show", "last"), ("resume", "last"))
NOT_ROOT = (
    *("setpriv", "--bounding-set=-dac_override,-dac_read_search"),
    "--inh-caps=-dac_override,-dac_read_search",
)


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


def lfg_within(within: Sequence[str], *arguments: str) -> Printed:
    """Run lfg in a process of its own."""
    done = subprocess.run(
        [*within, sys.executable, "-m", "lfgtui", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return Printed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def not_root() -> tuple[str, ...]:
    """The command within which permissions mean something even where we are root."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to take that away")
    return NOT_ROOT


def assert_refused(printed: Printed, why: str) -> None:
    assert (printed.code, printed.out) == (2, "")
    assert printed.err.startswith("lfg: ") and printed.err.count("\n") == 1
    assert why in printed.err


def make_folder(path: Path) -> None:
    path.mkdir(parents=True)


def make_diary(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Dear diary, " * 1000)


def make_damaged(path: Path) -> None:
    Recorder(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_folder, "history.db is a folder; "),
        (make_diary, "not an lfg history"),
        (make_damaged, "it is damaged; `lfg history repair NEW_FILE`"),
    ],
)
def test_a_file_that_is_no_history_is_refused_by_every_command(
    lfg: Lfg, data: Path, tickets: str, make: Callable[[Path], None], why: str
) -> None:
    make(data / "history.db")
    for command in (("run", tickets, "--headless"), *READING):
        assert_refused(lfg(*command), why)


def test_a_file_in_place_of_the_folder_is_refused(lfg: Lfg, data: Path, tickets: str) -> None:
    data.write_text("")
    run = ("run", tickets, "--headless")
    assert_refused(lfg(*run), "the history cannot be opened: ")
    with Path(tickets).open("a") as file:
        file.write('approve = "auto"\n')
    assert_refused(lfg(*run), "add --yes")
    assert_refused(lfg(*run, "--yes"), "LFG_DATA_DIR")  # trust cannot be remembered either


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_file_is_one_line(lfg: Lfg, data: Path, tmp_path: Path, seed: int) -> None:
    with Recorder(data / "history.db") as history:
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
        code, _, err = lfg(*arguments)
        assert code in (0, 1, 2), arguments
        assert code != 2 or (err.startswith("lfg: ") and err.count("\n") == 1), (arguments, err)


def test_a_folder_that_may_not_be_written_is_empty_and_refused(
    not_root: tuple[str, ...], data: Path, tickets: str
) -> None:
    data.mkdir(mode=0o500)
    why = "Permission denied; set LFG_DATA_DIR to a folder you can write to"
    assert_refused(lfg_within(not_root, "run", tickets, "--headless"), why)
    assert lfg_within(not_root, "history") == (0, "", "no runs yet; try: lfg demo\n")


def test_a_closed_folder_is_refused(not_root: tuple[str, ...], data: Path, tickets: str) -> None:
    data.mkdir()
    data.chmod(0)
    for command in (("run", tickets, "--headless"), READING[0]):
        assert_refused(lfg_within(not_root, *command), "Permission denied; set LFG_DATA_DIR")


@pytest.mark.usefixtures("at_root")
def test_a_file_to_read_only_is_read(not_root: tuple[str, ...], data: Path, tickets: str) -> None:
    with Recorder(data / "history.db") as history:
        run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
        history.finish_run(run, "done")
    (data / "history.db").chmod(0o400)
    for folder in (data / "locks", data):
        assert_refused(lfg_within(not_root, "run", tickets, "--headless"), "history.db: ")
        code, out, err = lfg_within(not_root, "history")
        assert (code, err) == (0, "") and out.startswith(run)
        folder.chmod(0o500)
    assert lfg_within(not_root, "show", "last")[0] == 0


def test_a_disk_that_takes_no_more_is_named(tickets: str) -> None:
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "-")
    refused = lfg_within(limited, "run", tickets, "--headless")
    assert_refused(refused, "check that its disk has room")


def test_another_machines_runs_are_shown_though_the_history_here_is_damaged(data: Path) -> None:
    data.mkdir()
    (data / "history.db").write_bytes(b"not a database " * 400)
    configure('[hosts.box]\ncommand = ["sh", "-c", "echo nobody is home >&2; exit 1"]\n')
    done = lfg_within((), "attach", "box")
    assert done.code == 2 and "nobody is home" in done.err and "history" not in done.err
