"""lfg in a terminal of which the test holds the other end."""

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
from collections.abc import Iterator

PATIENCE = 40.0
"""Seconds after which lfg hangs, however slow the machine."""


class OnPty:
    """A running lfg, leader of a session whose terminal the test reads, writes and closes."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (120, 40)) -> None:
        self._ours, theirs = pty.openpty()
        columns, rows = size
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
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
def on_pty(*arguments: str, size: tuple[int, int] = (120, 40)) -> Iterator[OnPty]:
    """Run lfg in a terminal; it has ended afterwards, one way or the other."""
    running = OnPty(*arguments, size=size)
    try:
        yield running
    finally:
        running.kill()
