"""Programs in a pseudo-terminal of which the test holds the other end."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.helpers.waiting import PATIENCE

ROWS, COLUMNS = 40, 120


def open_terminal() -> tuple[int, int]:
    """Open a terminal of 40 rows; our end and the program's."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return ours, theirs


class LfgInTerminal:
    """A running lfg, leader of a session whose terminal the test reads, writes and closes."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = open_terminal()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LEADER, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = b""

    def read_until(self, text: str) -> None:
        """Read what it shows until a text is among it."""
        begin = len(self.seen)
        while text.encode() not in self.seen[begin:]:
            assert select.select([self._ours], [], [], PATIENCE)[0], f"{text!r} is never shown"
            self.seen += os.read(self._ours, 65536)

    def read(self) -> None:
        """Read what it shows at the moment."""
        with contextlib.suppress(OSError):
            while select.select([self._ours], [], [], 0.001)[0]:
                self.seen += os.read(self._ours, 65536)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def read_rest(self) -> None:
        """Read what is left when it has ended."""
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                self.seen += data

    def type(self, data: bytes) -> None:
        """Send bytes, reading what it shows meanwhile: nobody waits for the other."""
        while data:
            reads, writes, _ = select.select([self._ours], [self._ours], [], PATIENCE)
            assert reads or writes, "it neither reads nor writes"
            if reads:
                self.seen += os.read(self._ours, 65536)
            if writes:
                data = data[os.write(self._ours, data[:1024]) :]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        """Close the terminal's window."""
        os.close(self._ours)
        self._ours = -1

    def wait(self) -> int:
        """The exit code."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()
        if self._ours >= 0:
            os.close(self._ours)


_LEADER = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from lfgtui.engine import signals
from lfgtui.__main__ import main
for number in signals.ENDING:  # until lfg takes them
    signals.signal.signal(number, signals.signal.SIG_IGN)
print("begins", flush=True)
sys.exit(main())
"""


@contextlib.contextmanager
def lfg_in_terminal(*arguments: str) -> Iterator[LfgInTerminal]:
    """Run lfg in a terminal; it has ended afterwards, one way or the other."""
    running = LfgInTerminal(*arguments)
    try:
        yield running
    finally:
        running.kill()


class Ended(NamedTuple):
    """What a program wrote, and its exit code."""

    raw: bytes
    code: int


Steps = Sequence[tuple[bytes, bytes]]
"""What to wait for in what comes from then on, and what to type then."""


def run_in_terminal(
    command: Sequence[str | bytes],
    environment: Mapping[str, str],
    folder: Path,
    steps: Steps = (),
) -> Ended:
    """Run it with a terminal for all three streams."""
    ours, theirs = open_terminal()
    process = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        raw = _all_of(ours, steps)
        return Ended(raw, process.wait(PATIENCE))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def fork_in_terminal(
    program: Callable[[], int], environment: Mapping[str, str], folder: Path, steps: Steps = ()
) -> Ended:
    """The same for a function in a fork of this process: what it imports is there already.

    For a process with no other thread at work.
    """
    ours, theirs = open_terminal()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.login_tty(theirs)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
            sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
            sys.stderr = sys.__stderr__ = open(2, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
            code = program()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(theirs)
    try:
        raw = _all_of(ours, steps)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
        os.close(ours)
    return Ended(raw, os.waitstatus_to_exitcode(status))


def _all_of(ours: int, steps: Steps) -> bytes:
    """Everything that is written until nobody holds the other end any more."""
    raw, seen, waiting = b"", 0, list(steps)
    given_up = time.monotonic() + PATIENCE
    while True:
        while waiting and (at := raw.find(waiting[0][0], seen)) >= 0:
            awaited, typed = waiting.pop(0)
            seen = at + len(awaited)
            os.write(ours, typed)
        if not select.select([ours], [], [], 0.2)[0]:
            late = f"waiting for {waiting[:1]} after {raw[-2000:]!r}"
            assert time.monotonic() < given_up, late
            continue
        try:
            more = os.read(ours, 65536)
        except OSError:  # so Linux says that
            return raw
        if not more:
            return raw
        raw += more
        given_up = time.monotonic() + PATIENCE
