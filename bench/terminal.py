"""A pseudo-terminal with a measured process in it, which reads all that is written to it."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS, ROWS = 200, 60
_ROOT = Path(__file__).parent.parent


class Terminal:
    """A process in a terminal of its own. `close` it once the process is over."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path = _ROOT
    ) -> None:
        self._terminal, its_side = pty.openpty()
        fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        told = {name: value for name, value in environment.items() if name not in _SIZE}
        told |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command, stdin=its_side, stdout=its_side, stderr=its_side, cwd=folder, env=told
        )
        os.close(its_side)
        self.written: list[tuple[float, bytes]] = []
        """What the process wrote, and when it was read, on the monotonic clock."""
        self._drain = threading.Thread(target=self._read, daemon=True)
        self._drain.start()

    def type(self, keys: bytes) -> float:
        """Press the keys; return when."""
        at = time.monotonic()
        os.write(self._terminal, keys)
        return at

    def last_words(self) -> str:
        """The end of what the process wrote."""
        return b"".join(data for _, data in self.written[-20:])[-4000:].decode(errors="replace")

    def close(self) -> None:
        """Read the rest and be gone."""
        self._drain.join(5)
        os.close(self._terminal)

    def _read(self) -> None:
        try:
            while data := os.read(self._terminal, 1 << 16):
                self.written.append((time.monotonic(), data))
        except OSError:
            pass  # Linux's way to say that the other side is closed


_SIZE = ("COLUMNS", "LINES")
