"""The process that a shell waits for, and the one that works: real processes of a small program."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.waiting import is_alive, until

PROGRAM = """
import os, select, signal, socket, sys
from lfgtui.cli.launching.detaching.foreground import split
from lfgtui.engine import signals

def say(*words):
    os.write(said, (" ".join(map(str, words)) + chr(10)).encode())

said = os.dup(1)
signals.raise_on_first()
try:
    foreground = split()
    woken, waking = socket.socketpair()  # by a signal that comes just before it waits
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno())
    say(os.getpid())
    while True:
        select.select([sys.stdin, woken], [], [])
        match sys.stdin.readline().split():
            case ["exit", code]:
                os._exit(int(code))
            case ["let", "go"]:
                stdin = os.dup(0)
                foreground.let_go()
                sys.stdin = os.fdopen(stdin)
                say("alone", os.getsid(0) == os.getpid(), os.ttyname(1) if os.isatty(1) else "-")
            case ["stop"]:
                os.kill(os.getpid(), signal.SIGSTOP)
                say("continued")
            case _:
                os._exit(0)
except signals.EndedBySignal as ended:
    say("ended by", ended.exit_code - 128)
    os._exit(ended.exit_code)
"""


class Pair:
    """The two processes: `waiting` was started, `worker` is the id of the one that works."""

    def __init__(self) -> None:
        self.waiting = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self.worker = int(self.line())

    def line(self) -> str:
        assert self.waiting.stdout is not None
        return self.waiting.stdout.readline().strip()

    def type(self, words: str) -> None:
        assert self.waiting.stdin is not None
        self.waiting.stdin.write(f"{words}\n")
        self.waiting.stdin.flush()


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    with pair.waiting:
        yield pair
        for each in (pair.worker, pair.waiting.pid):
            if is_alive(each):
                os.kill(each, signal.SIGKILL)


def test_the_one_that_waits_ends_as_the_one_that_works(pair: Pair) -> None:
    assert pair.worker != pair.waiting.pid
    pair.type("exit 3")
    assert pair.waiting.wait() == 3


def test_it_dies_of_the_same_signal(pair: Pair) -> None:
    os.kill(pair.worker, signal.SIGKILL)
    assert pair.waiting.wait() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_one_that_works(pair: Pair, number: signal.Signals) -> None:
    pair.waiting.send_signal(number)
    assert pair.line() == f"ended by {number:d}"
    assert pair.waiting.wait() == 128 + number


def test_a_request_to_stop_reaches_the_one_that_works_first(pair: Pair) -> None:
    pair.waiting.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(pair.waiting.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert Path(f"/proc/{pair.worker}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    pair.waiting.send_signal(signal.SIGCONT)
    pair.type("exit 0")
    assert pair.waiting.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="no other system says when a parent died")
def test_none_outlives_a_kill_of_the_other(pair: Pair) -> None:
    pair.waiting.kill()
    assert pair.line() == ""  # nobody holds the pipe any more
    until(lambda: not is_alive(pair.worker))


def test_they_are_stopped_and_continued_together(pair: Pair) -> None:
    pair.type("stop")
    _, status = os.waitpid(pair.waiting.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.killpg(pair.waiting.pid, signal.SIGCONT)  # as a shell's `fg` does
    assert pair.line() == "continued"
    pair.type("exit 0")
    assert pair.waiting.wait() == 0


def test_once_let_go_the_shell_has_its_prompt_and_the_work_goes_on(pair: Pair) -> None:
    pair.type("let go")
    assert pair.waiting.wait() == 0
    assert pair.line() == "alone True -"
    pair.type("exit 0")
    until(lambda: not is_alive(pair.worker))
