"""Programs in a pseudo-terminal of which the test holds the other end.

A thread reads all that a program writes, as a terminal does, and keeps the time
at which it came; it can stop reading, as a connection does that hangs.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.helpers.waiting import PATIENCE

ROWS, COLUMNS = 40, 120
LFG = (sys.executable, "-m", "lfgtui")
BEGINS = "begins"
"""The first line of a program in a terminal, before it takes its signals."""

# The first terminal that the leader of a session opens controls it: its end is then a SIGHUP.
# Signals are ignored until the program takes them, so that none ends Python itself.
_LEAD = f"""trap "" INT TERM HUP; exec <>"$0" >&0 2>&0; echo {BEGINS}; exec "$@" """

# What Textual asks a terminal, and what one that knows synchronised updates answers.
_QUERY, _REPLY = b"\x1b[?2026$p", b"\x1b[?2026;2$y"


class Terminal:
    """Our end of a pseudo-terminal.

    `written` is every byte that has come, `is_over` True once nobody holds the other end.
    """

    def __init__(self, descriptor: int) -> None:
        self.written = bytearray()
        self._descriptor = descriptor
        self._arrivals: list[tuple[int, float]] = []
        self._more = threading.Condition()
        self._reads = threading.Event()
        self._reads.set()
        self.is_over = False
        self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._thread.start()

    @property
    def reader_id(self) -> int:
        """The kernel's id of the thread that reads."""
        assert self._thread.native_id is not None
        return self._thread.native_id

    def type(self, keys: bytes) -> None:
        """Type, without waiting for what comes of it."""
        while keys:
            keys = keys[os.write(self._descriptor, keys[:1024]) :]

    def stop_reading(self) -> None:
        """Hang as a connection does: what is written fills the pty and stays there."""
        self._reads.clear()

    def go_on_reading(self) -> None:
        """Have the connection come back."""
        self._reads.set()

    def hang_up(self) -> None:
        """Close the terminal's window."""
        self._descriptor, descriptor = -1, self._descriptor
        os.close(descriptor)

    def wait_for(
        self, pattern: "re.Pattern[bytes]", start: int = 0, seconds: float = PATIENCE
    ) -> "re.Match[bytes] | None":
        """Return the first match in what is written from `start` on; None if there never is one."""
        deadline = time.monotonic() + seconds
        with self._more:
            while not (match := pattern.search(self.written, start)):
                left = deadline - time.monotonic()
                if left <= 0 or self.is_over:
                    return None
                self._more.wait(left)
        return match

    def arrival(self, length: int) -> float:
        """Return when so many bytes had come."""
        at = bisect_right(self._arrivals, (length - 1, float("inf")))
        return self._arrivals[min(at, len(self._arrivals) - 1)][1]

    def close(self) -> None:
        """Read what is left of a program that has ended, and close."""
        self.go_on_reading()
        self._thread.join(10)
        if self._descriptor >= 0:
            self.hang_up()

    def _read(self) -> None:
        while True:
            self._reads.wait()
            try:
                # Not for ever in the kernel, which would hold a terminal open that is hung up.
                if not select.select([self._descriptor], [], [], 0.1)[0]:
                    continue
                piece = os.read(self._descriptor, 1 << 16)
            except (OSError, ValueError):  # nobody holds the other end any more
                piece = b""
            now = time.monotonic()
            with self._more:
                self.written += piece
                self._arrivals.append((len(self.written), now))
                self.is_over = not piece
                self._more.notify_all()
            if _QUERY in piece:
                os.write(self._descriptor, _REPLY)
            if not piece:
                return


class Program(Terminal):
    """A program that leads a session in a terminal of its own."""

    def __init__(
        self,
        command: Sequence[str | bytes],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        size: tuple[int, int] = (COLUMNS, ROWS),
    ) -> None:
        ours, theirs = _open_terminal(size)
        self.process = subprocess.Popen(
            ["sh", "-c", _LEAD, os.ttyname(theirs), *command],
            stdin=theirs,
            env=_of_terminal(os.environ if environment is None else environment),
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = 0
        super().__init__(ours)

    @property
    def is_running(self) -> bool:
        """True while it has not ended."""
        return self.process.poll() is None

    @property
    def worker(self) -> int:
        """The id of lfg's process that works, of which the one that was started is the parent."""
        started = self.process.pid
        for child in Path(f"/proc/{started}/task/{started}/children").read_text().split():
            if _command_line(int(child)) == _command_line(started):
                return int(child)
        return started

    def read_until(self, text: str) -> None:
        """Wait for a text among what is written from where the last one stood."""
        match = self.wait_for(re.compile(re.escape(text.encode())), self._seen)
        assert match, f"{text!r} is never shown after {bytes(self.written[-2000:])!r}"
        self._seen = match.end()

    def written_since(self) -> bytes:
        """Return what has been written after the last text that was read."""
        return bytes(self.written[self._seen :])

    def wait(self, seconds: float = PATIENCE) -> int | None:
        """Return the exit code; None where it does not end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def close(self) -> None:
        """End what still runs, read what it wrote last, close."""
        if self.is_running:
            self.process.kill()
            self.process.wait()
        super().close()


def _command_line(process: int) -> bytes:
    """Return the words a process was started with; none where it has just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def lfg_in_terminal(*arguments: str) -> Iterator[Program]:
    """Run lfg in a terminal; it has ended afterwards, one way or the other."""
    with contextlib.closing(Program([*LFG, *arguments])) as running:
        yield running


class Ended(NamedTuple):
    """What a program wrote, and its exit code."""

    raw: bytes
    code: int


Steps = Sequence[tuple[bytes, bytes]]
"""What to wait for in what comes from then on, and what to type then."""


def run_in_terminal(
    command: Sequence[str | bytes], environment: Mapping[str, str], folder: Path, steps: Steps = ()
) -> Ended:
    """Run a program with a terminal for all three streams."""
    with contextlib.closing(Program(command, environment, folder)) as program:
        _take(program, steps)
        code = program.wait()
        assert code is not None, f"it never ends after {bytes(program.written[-2000:])!r}"
        program.close()
        return Ended(bytes(program.written).removeprefix(f"{BEGINS}\r\n".encode()), code)


def fork_in_terminal(
    program: Callable[[], int], environment: Mapping[str, str], folder: Path, steps: Steps = ()
) -> Ended:
    """Run a function in a fork of this process: what it imports is there already.

    For a process with no other thread at work.
    """
    ours, theirs = _open_terminal()
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
    terminal = Terminal(ours)
    try:
        _take(terminal, steps)
        terminal.wait_for(_NEVER)
        assert terminal.is_over, f"it never ends after {bytes(terminal.written[-2000:])!r}"
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
        terminal.close()
    return Ended(bytes(terminal.written), os.waitstatus_to_exitcode(status))


_NEVER = re.compile(rb"(?!)")


def _take(terminal: Terminal, steps: Steps) -> None:
    """Type each step once its text is shown; a program that ends before is left alone."""
    seen = 0
    for awaited, typed in steps:
        match = terminal.wait_for(re.compile(re.escape(awaited)), seen)
        if match is None:
            return
        seen = match.end()
        terminal.type(typed)


def _of_terminal(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for this terminal, without the size of one that the tests run in."""
    kept = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    return {**kept, "TERM": "xterm-256color"}


def _open_terminal(size: tuple[int, int] = (COLUMNS, ROWS)) -> tuple[int, int]:
    """Open a terminal of so many columns and rows; our end and the program's."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    return ours, theirs
