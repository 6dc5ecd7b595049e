"""Make the README's picture: python docs/picture.py FILE.svg [SECONDS]

Runs `lfg demo` in a real pseudo-terminal and has Textual, by its own
environment variables, save what is on the screen after some seconds.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS, ROWS = 164, 46


def take(
    target: Path,
    command: Sequence[str],
    *,
    seconds: float,
    size: tuple[int, int] = (COLUMNS, ROWS),
    keys: Sequence[tuple[float, str]] = (),
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run `python -m lfgtui COMMAND`, press keys at their seconds, save the picture, end it."""
    terminal, its_side = pty.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    with tempfile.TemporaryDirectory() as scratch:
        variables = {
            **os.environ,
            "LFG_DATA_DIR": scratch,
            "LFG_CONFIG": f"{scratch}/config.toml",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_SCREENSHOT": str(seconds),
            "TEXTUAL_SCREENSHOT_LOCATION": str(target.absolute().parent),
            "TEXTUAL_SCREENSHOT_FILENAME": target.name,
            **(environment or {}),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "lfgtui", *command],
            stdin=its_side,
            stdout=its_side,
            stderr=its_side,
            env=variables,
            cwd=folder,
        )
        os.close(its_side)
        target.unlink(missing_ok=True)
        began, left = time.monotonic(), list(keys)
        while not target.exists() and process.poll() is None:
            if select.select([terminal], [], [], 0.05)[0]:
                os.read(terminal, 65536)
            if left and time.monotonic() - began >= left[0][0]:
                os.write(terminal, left.pop(0)[1].encode())
        process.terminate()
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # its side is closed
            pass
        process.wait()


if __name__ == "__main__":
    take(Path(sys.argv[1]), ["demo"], seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 18)
