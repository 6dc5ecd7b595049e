"""A pseudo-terminal to run a measured process in."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import msgspec

from bench.pane_job import Job, Report

COLUMNS, ROWS = 200, 60
KEY_EVERY = 0.2
_PATIENCE = 600
_ROOT = Path(__file__).parent.parent


def run(job: Job) -> Report:
    """Do the job in a process and a terminal of its own. Raises `RuntimeError` where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report"
        terminal, its_side = pty.openpty()
        fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        command = [sys.executable, "-m", "bench.pane_child", msgspec.json.encode(job).decode()]
        process = subprocess.Popen(
            [*command, str(target)],
            stdin=its_side,
            stdout=its_side,
            stderr=its_side,
            cwd=_ROOT,
            env=_environment(job),
        )
        os.close(its_side)
        drain = _Drain(terminal)
        drain.start()
        typist = _Typist(terminal, target.with_suffix(".go"))
        if job.with_keys:
            typist.start()
        try:
            process.wait(_PATIENCE)
        finally:
            process.kill()
            typist.stopped.set()
        drain.join(5)
        os.close(terminal)
        return _read(target, drain, typist)


def _environment(job: Job) -> dict[str, str]:
    told = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    told |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    if job.mode == "worst":
        # Tens of thousands of frames: none waits for the next sixtieth of a second.
        told["TEXTUAL_FPS"] = "1000"
    return told


def _read(target: Path, drain: "_Drain", typist: "_Typist") -> Report:
    if not target.exists():
        raise RuntimeError(f"the measured process broke:\n{drain.last.decode(errors='replace')}")
    report = msgspec.json.decode(target.read_bytes(), type=Report)
    if report.error:
        raise RuntimeError(report.error)
    waits = sorted(b - a for a, b in zip(typist.typed, report.keys_handled, strict=False))
    if waits:
        report.figures["typed_p99"] = waits[int(0.99 * len(waits))]
        report.figures["typed_max"] = waits[-1]
    return report


class _Drain(threading.Thread):
    """Reads all that the process writes, as a terminal does."""

    def __init__(self, terminal: int) -> None:
        super().__init__(daemon=True)
        self._terminal = terminal
        self.last = b""

    def run(self) -> None:
        try:
            while data := os.read(self._terminal, 1 << 16):
                self.last = (self.last + data)[-4000:]
        except OSError:
            pass  # Linux's way to say that the other side is closed


class _Typist(threading.Thread):
    """Presses 1 and 2 in turn, which move the focus, once the process says go."""

    def __init__(self, terminal: int, go: Path) -> None:
        super().__init__(daemon=True)
        self._terminal, self._go = terminal, go
        self.stopped = threading.Event()
        self.typed: list[float] = []

    def run(self) -> None:
        while not self._go.exists() and not self.stopped.wait(0.05):
            pass
        while not self.stopped.wait(KEY_EVERY):
            key = b"12"[len(self.typed) % 2 :][:1]
            self.typed.append(time.monotonic())
            os.write(self._terminal, key)
