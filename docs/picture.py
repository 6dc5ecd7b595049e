"""Make the README's picture: python docs/picture.py FILE.svg [SECONDS]

Runs `lfg demo` in a real pseudo-terminal and has Textual, by its own
environment variables, save what is on the screen after some seconds.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

COLUMNS, ROWS = 164, 46


def take(target: Path, seconds: int) -> None:
    """Run the demo, save the picture, end the demo."""
    terminal, its_side = pty.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            "LFG_DATA_DIR": scratch,
            "LFG_CONFIG": f"{scratch}/config.toml",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_SCREENSHOT": str(seconds),
            "TEXTUAL_SCREENSHOT_LOCATION": str(target.absolute().parent),
            "TEXTUAL_SCREENSHOT_FILENAME": target.name,
        }
        demo = [sys.executable, "-m", "lfgtui", "demo"]
        process = subprocess.Popen(
            demo, stdin=its_side, stdout=its_side, stderr=its_side, env=environment
        )
        os.close(its_side)
        target.unlink(missing_ok=True)
        while not target.exists() and process.poll() is None:
            os.read(terminal, 65536)
        process.terminate()
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # its side is closed
            pass
        process.wait()


if __name__ == "__main__":
    take(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 18)
