"""lfg in a real terminal: all that it writes is kept with the time at which it came."""

import os
import re
import select
import signal
import subprocess
import threading
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.helpers.pseudo_terminal import open_terminal

# What Textual asks a terminal, and what one that knows synchronised updates answers.
_ASKED, _ANSWERED = b"\x1b[?2026$p", b"\x1b[?2026;2$y"

_PIECE = 1 << 16

# The first terminal that the leader of a session opens controls it: its end is then a SIGHUP.
_TAKE_TERMINAL = 'exec "$@" <>"$0" >&0 2>&0'


class Terminal:
    """A program that runs in a pty. `written` is every byte it has sent to the terminal."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._ours, theirs = open_terminal()
        self.process = subprocess.Popen(
            ["sh", "-c", _TAKE_TERMINAL, os.ttyname(theirs), *command],
            stdin=theirs,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )
        os.close(theirs)
        self.written = bytearray()
        self._arrivals: list[tuple[int, float]] = []
        self._more = threading.Condition()
        self._reads = threading.Event()
        self._reads.set()
        self._is_over = False
        self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._thread.start()

    @property
    def reader_id(self) -> int:
        """The kernel's id of the thread that reads."""
        assert self._thread.native_id is not None
        return self._thread.native_id

    def type(self, keys: bytes) -> None:
        """Type, without waiting for what comes of it."""
        os.write(self._ours, keys)

    def stop_reading(self) -> None:
        """As a connection that hangs: what is written fills the pty and stays there."""
        self._reads.clear()

    def go_on_reading(self) -> None:
        """The connection is back."""
        self._reads.set()

    def hang_up(self) -> None:
        """Close the terminal, as a window or a connection that goes."""
        self._ours, ours = -1, self._ours
        os.close(ours)

    def wait_for(self, pattern: "re.Pattern[bytes]", start: int, seconds: float) -> float | None:
        """Return when the output from `start` on first matched; None if it never did."""
        until = time.monotonic() + seconds
        with self._more:
            while True:
                if found := pattern.search(self.written, start):
                    return self.came(found.end())
                left = until - time.monotonic()
                if left <= 0 or self._is_over:
                    return None
                self._more.wait(left)

    def came(self, length: int) -> float:
        """Return when so many bytes had been written."""
        at = bisect_right(self._arrivals, (length - 1, float("inf")))
        return self._arrivals[at][1] if at < len(self._arrivals) else self._arrivals[-1][1]

    def wait(self, seconds: float) -> int | None:
        """The exit code; None where it does not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """End what still runs, read what it wrote last, close."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.go_on_reading()
        self._thread.join(10)
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def _read(self) -> None:
        while True:
            self._reads.wait()
            try:
                # Not for ever in the kernel, which would hold a terminal open that is hung up.
                if not select.select([self._ours], [], [], 0.1)[0]:
                    continue
                piece = os.read(self._ours, _PIECE)
            except (OSError, ValueError):  # nobody holds the other end any more
                piece = b""
            now = time.monotonic()
            with self._more:
                self.written += piece
                self._arrivals.append((len(self.written), now))
                self._is_over = not piece
                self._more.notify_all()
            if _ASKED in piece:
                os.write(self._ours, _ANSWERED)
            if not piece:
                return
