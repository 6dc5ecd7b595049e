"""`lfg history --ui`: on a real terminal, and from there to going on with a run."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

from lfgtui.__main__ import main
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths

ROWS, COLUMNS = 30, 100


class Lfg:
    """lfg in a terminal of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def shows(self, text: str, seconds: float = 60) -> None:
        """Wait until the text is on the terminal."""
        until = time.monotonic() + seconds
        while not any(text in line for line in self._screen.display):
            if time.monotonic() > until:
                pytest.fail(f"{text!r} never appeared:\n" + "\n".join(self._screen.display))
            if select.select([self._terminal], [], [], 0.05)[0]:
                try:
                    self._stream.feed(os.read(self._terminal, 65536))
                except OSError:
                    until = 0  # it is gone

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())


@contextmanager
def on_terminal(*arguments: str) -> Iterator[Lfg]:
    """Start lfg on a terminal; it is killed in the end if it is still there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "lfgtui", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    try:
        yield Lfg(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_the_run_chosen_on_the_screen_goes_on_in_the_same_terminal(tmp_path: Path) -> None:
    ticket = Ticket(
        id="a", prompt="Say something.", workspace=str(tmp_path), provider="simulator",
        model="generic", tools=(),
    )  # fmt: skip
    with History.open(paths.history_file()) as history:
        run = history.start_run("Broken off", [ticket], None)
        history.submit(run, "a", 1, 1000.0, e.TicketQueued())
        history.submit(run, "a", 1, 1001.0, e.TicketInterrupted())
        history.flush(saved=True).result(30)
        history.finish_run(run, "interrupted")
    with on_terminal("history", "--ui") as lfg:
        lfg.shows("Broken off")
        lfg.press("\t")
        lfg.shows("r resume")
        lfg.press("r")
        lfg.shows("all done – q to quit")
        lfg.press("q")
        lfg.shows(f"run {run}: 1 done")
        assert lfg.process.wait(30) == 0
    with Reader(paths.history_file()) as reader:
        assert [(one.run, one.state) for one in reader.runs()] == [(run, "done")]


def test_an_empty_history_is_left_again() -> None:
    with on_terminal("history", "--ui") as lfg:
        lfg.shows("no runs yet")
        lfg.press("\x1b")
        assert lfg.process.wait(30) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ui",), "lfg: --ui needs a terminal; without one: lfg history, lfg search\n"),
        (("--ui", "--json"), "lfg: --ui and --json exclude each other\n"),
        (("--ui", "size"), "lfg: --ui goes with no subcommand\n"),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", *arguments]) == 2
    assert capsys.readouterr().err == message
