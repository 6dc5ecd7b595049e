"""A pseudo-terminal to run a measured process in."""

import os
import sys
import tempfile
import threading
from pathlib import Path

import msgspec

from bench.pane_job import Job, Report
from bench.terminal import Terminal

KEY_EVERY = 0.2
_PATIENCE = 600


def run(job: Job) -> Report:
    """Do the job in a process and a terminal of its own. Raises `RuntimeError` where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report"
        command = [sys.executable, "-m", "bench.pane_child", msgspec.json.encode(job).decode()]
        terminal = Terminal([*command, str(target)], _environment(job))
        typist = _Typist(terminal, target.with_suffix(".go"))
        if job.with_keys:
            typist.start()
        try:
            terminal.process.wait(_PATIENCE)
        finally:
            terminal.process.kill()
            typist.stopped.set()
        terminal.close()
        return _read(target, terminal, typist)


def _environment(job: Job) -> dict[str, str]:
    # In the worst cases are tens of thousands of frames: none waits for the next sixtieth
    # of a second.
    return os.environ | ({"TEXTUAL_FPS": "1000"} if job.mode == "worst" else {})


def _read(target: Path, terminal: Terminal, typist: "_Typist") -> Report:
    if not target.exists():
        raise RuntimeError(f"the measured process broke:\n{terminal.last_words()}")
    report = msgspec.json.decode(target.read_bytes(), type=Report)
    if report.error:
        raise RuntimeError(report.error)
    waits = sorted(b - a for a, b in zip(typist.typed, report.keys_handled, strict=False))
    if waits:
        report.figures["typed_p99"] = waits[int(0.99 * len(waits))]
        report.figures["typed_max"] = waits[-1]
    return report


class _Typist(threading.Thread):
    """Presses 1 and 2 in turn, which move the focus, once the process says go."""

    def __init__(self, terminal: Terminal, go: Path) -> None:
        super().__init__(daemon=True)
        self._terminal, self._go = terminal, go
        self.stopped = threading.Event()
        self.typed: list[float] = []

    def run(self) -> None:
        while not self._go.exists() and not self.stopped.wait(0.05):
            pass
        while not self.stopped.wait(KEY_EVERY):
            self.typed.append(self._terminal.type(b"12"[len(self.typed) % 2 :][:1]))
